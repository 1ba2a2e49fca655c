package admin

import (
	"context"
	"testing"
)

// A node's state over all proxies is that of the one that an operator has to know of.
func TestNodeStates(t *testing.T) {
	o := options(loaded())
	asked := ""
	o.Health = func(_ context.Context, name string) []Witness {
		asked = name
		return []Witness{
			{Node: "n1", Instance: "edge", Says: map[string]NodeState{"10.0.0.1:80": Healthy, "[::1]:81": Healthy}},
			{Node: "n2", Instance: "edge", Says: map[string]NodeState{"10.0.0.1:80": Unhealthy}},
			{Node: "n3", Instance: "edge", Error: "it is gone"},
		}
	}
	u := decode[Upstream](t, ask(o, "GET", "/api/v1/upstreams/orders"))
	if asked != "orders" || len(u.Witnesses) != 3 || u.Witnesses[2].Error != "it is gone" {
		t.Errorf("asked %q: %+v", asked, u.Witnesses)
	}
	for i, want := range []NodeState{Unhealthy, Healthy, Off} {
		if got := u.Nodes[i]; got.State != want || (len(got.States) == 2) != (want != Off) {
			t.Errorf("%s: %s %+v, want %s", got.Address, got.State, got.States, want)
		}
	}
	if got := u.Nodes[1].States[1]; got != (Statement{"n2", "edge", Unknown}) {
		t.Errorf("of a node that a proxy does not have: %+v", got)
	}
	o.Health = func(context.Context, string) []Witness { return nil }
	if u := decode[Upstream](t, ask(o, "GET", "/api/v1/upstreams/orders")); u.Nodes[0].State != Unknown || u.Nodes[2].State != Off {
		t.Errorf("without proxies: %+v", u.Nodes)
	}
	if all := decode[UpstreamList](t, ask(o, "GET", "/api/v1/upstreams")); all.Upstreams[1].Nodes[0].State != "" {
		t.Errorf("the list asks somebody: %+v", all.Upstreams[1].Nodes)
	}
}
