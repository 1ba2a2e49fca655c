package xds

import (
	"fmt"
	"strings"
	"testing"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/proto"
)

// settle brings a new client to a set of clusters a and b, listener http and its routes.
func (c *deltaClient) settle() (cds, eds, lds, rds *discoveryv3.DeltaDiscoveryResponse) {
	c.t.Helper()
	c.ask(clusters)
	cds = c.take("clusters: a b")
	c.ask(endpoints, "a", "b")
	eds = c.take("endpoints: a b")
	c.ask(listeners)
	lds = c.take("listeners: http")
	c.ask(routes, "http")
	rds = c.take("routes: http")
	c.quiet()
	return cds, eds, lds, rds
}

// shop is a set whose routes lead to one of its upstreams.
func shop(to string, groups ...[]proto.Message) []proto.Message {
	return append(all(groups...), plain("http", 80), routing("http", to))
}

func TestDeltaFollowsAnEdit(t *testing.T) {
	f := start(t, "tcp")
	f.publish(t, shop("a", upstream("a", 0, 1), upstream("b", 0, 2))...)
	c := f.delta(t, node("edge"))
	c.settle()

	f.publish(t, shop("a", upstream("a", 0, 1), upstream("b", 0, 3))...)
	c.take("endpoints: b")
	c.quiet()
	f.publish(t, shop("b", upstream("a", 0, 1), upstream("b", 0, 3))...)
	c.take("routes: http")
	c.quiet()
	set := f.publish(t, shop("b", upstream("a", 0, 1), upstream("b", 0, 3))...)
	c.quiet() // nothing changed

	p := f.Proxies()[0]
	if p.Snapshot != set.Hash() || p.Node != "test" || p.Instance != "edge" || p.Unknown || !strings.HasPrefix(p.Address, "127.0.0.1:") {
		t.Errorf("proxy: %+v", p)
	}
	for _, s := range p.Types {
		if want := set.Version(s.Type); s.Sent != want || s.Acknowledged != want || s.Refused != nil {
			t.Errorf("state %+v, want version %s", s, want)
		}
	}
}

func TestDeltaRename(t *testing.T) {
	f := startPatient(t, "tcp", time.Hour)
	f.publish(t, shop("a", upstream("a", 0, 1), upstream("b", 0, 2))...)
	c := f.delta(t, node("edge"))
	c.settle()

	set := f.publish(t, shop("c", upstream("b", 0, 2), upstream("c", 0, 1))...)
	c.take("clusters: c") // a stays as long as routes lead to it
	c.quiet()             // and they do, until c has its endpoints
	c.ask(endpoints, "c")
	eds := c.expect("endpoints: c")
	c.quiet()
	c.ack(eds)
	rds := c.expect("routes: http")
	c.quiet()
	if live := f.Proxies()[0].Snapshot; live == set.Hash() {
		t.Error("the set is said to be live before its routes were taken")
	}
	c.ack(rds)
	c.take("clusters: -a")
	c.take("endpoints: -a")
	c.drop(endpoints, "a")
	c.quiet()
	eventually(t, "the set is live", func() bool { return f.Proxies()[0].Snapshot == set.Hash() })
}

// TestDeltaSetMovesOn while a new cluster warms: the client gets its endpoints all the same, and loses it in the end.
func TestDeltaSetMovesOn(t *testing.T) {
	f := startPatient(t, "tcp", time.Hour)
	f.publish(t, shop("a", upstream("a", 0, 1), upstream("b", 0, 2))...)
	c := f.delta(t, node("edge"))
	c.settle()
	f.publish(t, shop("c", upstream("b", 0, 2), upstream("c", 0, 1))...)
	c.take("clusters: c")
	f.publish(t, shop("d", upstream("b", 0, 2), upstream("d", 0, 1))...)
	c.take("clusters: d")
	c.ask(endpoints, "c")
	c.take("endpoints: c")
	c.quiet() // d has none yet
	c.ask(endpoints, "d")
	c.take("endpoints: d")
	c.take("routes: http")
	c.take("clusters: -a -c")
	c.take("endpoints: -a -c")
	c.quiet()
}

func TestDeltaClusterChangeRepeatsEndpoints(t *testing.T) {
	f := start(t, "tcp")
	f.publish(t, shop("a", upstream("a", 0, 1), upstream("b", 0, 2))...)
	c := f.delta(t, node("edge"))
	c.settle()
	f.publish(t, shop("a", upstream("a", 1, 1), upstream("b", 0, 2))...)
	c.take("clusters: a")
	c.take("endpoints: a")
	c.quiet()
}

func TestDeltaRefusal(t *testing.T) {
	f := start(t, "tcp")
	f.publish(t, shop("a", upstream("a", 0, 1), upstream("b", 0, 2))...)
	c := f.delta(t, node("edge"))
	c.settle()

	bad := f.publish(t, shop("a", upstream("a", 0, 11), upstream("b", 0, 12))...)
	r := c.expect("endpoints: a b")
	c.nack(r, "b: no such port")
	c.quiet()
	got := <-f.refusals
	if got.Node != "test" || got.Instance != "edge" || got.Type != typeURLs[endpoints] || got.Message != "b: no such port" ||
		got.Version != bad.Version(typeURLs[endpoints]) || fmt.Sprint(got.Resources) != "[b]" || got.At.IsZero() {
		t.Errorf("refusal: %+v", got)
	}
	state := f.typeState(t, endpoints)
	if state.Refused == nil || state.Refused.Nonce != r.GetNonce() || state.Refused.Version != got.Version || state.Acknowledged == got.Version {
		t.Errorf("state: %+v, %+v", state, state.Refused)
	}

	// What has nothing to do with the refusal goes on.
	f.publish(t, shop("b", upstream("a", 0, 11), upstream("b", 0, 12))...)
	c.take("routes: http")
	c.quiet()
	// Once a part of what was refused together changes, all of it is due: the client took nothing of it.
	f.publish(t, shop("b", upstream("a", 0, 11), upstream("b", 0, 22))...)
	c.take("endpoints: a b")
	c.quiet()
	if state := f.typeState(t, endpoints); state.Refused != nil || state.Acknowledged != state.Sent {
		t.Errorf("state after the fix: %+v", state)
	}
	if len(f.refusals) > 0 {
		t.Errorf("one more refusal: %+v", <-f.refusals)
	}
}

// TestDeltaRefusalTakenBack goes back to what was there before: as it cannot be told what the client took of the refused
// response, it is sent once.
func TestDeltaRefusalTakenBack(t *testing.T) {
	f := start(t, "tcp")
	good := shop("a", upstream("a", 0, 1), upstream("b", 0, 2))
	f.publish(t, good...)
	c := f.delta(t, node("edge"))
	c.settle()
	f.publish(t, shop("a", upstream("a", 7, 1), upstream("b", 0, 2), upstream("c", 0, 3))...)
	c.nack(c.expect("clusters: a c"), "no")
	c.take("endpoints: a")
	c.quiet()
	f.publish(t, good...)
	c.take("clusters: a -c")
	c.take("endpoints: a")
	c.quiet()
}

// TestDeltaRefusedClusterHoldsRoutes: routes that lead to a cluster which the client refused would lead nowhere.
func TestDeltaRefusedClusterHoldsRoutes(t *testing.T) {
	f := startPatient(t, "tcp", time.Hour)
	f.publish(t, shop("a", upstream("a", 0, 1), upstream("b", 0, 2))...)
	c := f.delta(t, node("edge"))
	c.settle()
	f.publish(t, shop("c", upstream("b", 0, 2), upstream("c", 0, 1))...)
	c.nack(c.expect("clusters: c"), "no")
	<-f.refusals
	c.quiet()
	f.impatient()
	c.quiet() // no patience ends this
	f.publish(t, shop("c", upstream("b", 0, 2), upstream("c", 1, 1))...)
	c.take("clusters: c")
	c.ask(endpoints, "c")
	c.take("endpoints: c")
	c.take("routes: http")
	c.take("clusters: -a")
	c.take("endpoints: -a")
	c.quiet()
}

// TestDeltaPatienceEnds: endpoints that are never asked for do not hold routes for ever.
func TestDeltaPatienceEnds(t *testing.T) {
	f := startPatient(t, "tcp", 50*time.Millisecond)
	f.publish(t, shop("a", upstream("a", 0, 1), upstream("b", 0, 2))...)
	c := f.delta(t, node("edge"))
	c.settle()
	f.publish(t, shop("c", upstream("a", 0, 1), upstream("b", 0, 2), upstream("c", 0, 1))...)
	c.take("clusters: c")
	c.take("routes: http")
}

// TestDeltaEdits while an acknowledgement is outstanding, as Envoy's is while a cluster warms.
func TestDeltaDoesNotWaitForClusters(t *testing.T) {
	f := start(t, "tcp")
	f.publish(t, shop("a", upstream("a", 0, 1), upstream("b", 0, 2))...)
	c := f.delta(t, node("edge"))
	c.settle()
	f.publish(t, shop("a", upstream("a", 1, 1), upstream("b", 0, 2))...)
	first := c.expect("clusters: a")
	c.take("endpoints: a")
	f.publish(t, shop("a", upstream("a", 2, 1), upstream("b", 0, 2))...)
	second := c.expect("clusters: a")
	c.take("endpoints: a")
	f.publish(t, shop("b", upstream("a", 2, 1), upstream("b", 0, 2))...)
	c.take("routes: http")
	c.ack(first)
	c.ack(second)
	c.quiet()

	// What is never acknowledged is bounded, and the last state comes through in the end.
	var last *discoveryv3.DeltaDiscoveryResponse
	for i := range 3 * maxFlight {
		f.publish(t, shop("b", upstream("a", 10+i, 1), upstream("b", 0, 2))...)
		if i < maxFlight {
			last = c.expect("clusters: a")
			c.take("endpoints: a")
		}
	}
	c.quiet()
	c.ack(last)
	c.take("clusters: a")
	c.take("endpoints: a")
	c.quiet()
}

func TestDeltaReconnect(t *testing.T) {
	set := shop("a", upstream("a", 0, 1), upstream("b", 0, 2))
	f := start(t, "tcp")
	f.publish(t, set...)
	c := f.delta(t, node("edge"))
	cds, eds, lds, rds := c.settle()

	// Another server over the same files stands for a restarted one.
	again := start(t, "tcp")
	h := again.publish(t, set...).Hash()
	d := again.delta(t, node("edge"))
	d.askHaving(clusters, versions(cds))
	d.askHaving(endpoints, versions(eds), "a", "b")
	d.askHaving(listeners, versions(lds), "*")
	d.askHaving(routes, versions(rds), "http")
	d.quiet()
	if p := again.Proxies()[0]; p.Snapshot != h {
		t.Errorf("a client that has everything is not seen as live: %+v", p)
	}
	// It follows from there.
	again.publish(t, shop("a", upstream("a", 0, 3), upstream("b", 0, 2))...)
	d.take("endpoints: a")

	// After an edit, only what differs is sent, and what is gone goes last.
	other := start(t, "tcp")
	other.publish(t, shop("c", upstream("b", 0, 3), upstream("c", 0, 1))...)
	e := other.delta(t, node("edge"))
	e.askHaving(clusters, versions(cds))
	e.take("clusters: c")
	e.askHaving(endpoints, versions(eds), "a", "b", "c")
	e.take("endpoints: b c")
	e.askHaving(listeners, versions(lds))
	e.askHaving(routes, versions(rds), "http")
	e.take("routes: http")
	e.take("clusters: -a")
	e.take("endpoints: -a")
	e.quiet()
}

// TestDeltaReconnectAfterClusterChange: the client has the endpoints already, but must get them again.
func TestDeltaReconnectAfterClusterChange(t *testing.T) {
	f := start(t, "tcp")
	f.publish(t, shop("a", upstream("a", 0, 1), upstream("b", 0, 2))...)
	c := f.delta(t, node("edge"))
	cds, eds, _, _ := c.settle()
	c.cancel()
	f.publish(t, shop("a", upstream("a", 1, 1), upstream("b", 0, 2))...)
	d := f.delta(t, node("edge"))
	d.askHaving(clusters, versions(cds))
	d.take("clusters: a")
	d.askHaving(endpoints, versions(eds), "a", "b")
	d.take("endpoints: a")
	d.quiet()
}

func TestDeltaNames(t *testing.T) {
	f := start(t, "tcp")
	f.publish(t, upstream("a", 0, 1)...)
	c := f.delta(t, node("edge"))
	c.ask(endpoints, "a", "nowhere")
	c.take("endpoints: a -nowhere")
	c.quiet()
	c.ask(endpoints, "a") // the client may have forgotten it
	c.take("endpoints: a")
	f.publish(t, all(upstream("a", 0, 1), one(assignment("nowhere", "127.0.0.1", 2)))...)
	c.take("endpoints: nowhere")
	c.drop(endpoints, "a")
	c.quiet()
	f.publish(t, all(upstream("a", 0, 9), one(assignment("nowhere", "127.0.0.1", 2)))...)
	c.quiet()
	c.ask(endpoints, "*")
	c.take("endpoints: a")
	c.drop(endpoints, "nowhere") // from now on by wildcard: to be said once more
	c.take("endpoints: nowhere")
	c.drop(endpoints, "*")
	c.quiet()
	f.publish(t)
	c.quiet()
}

func TestDeltaEmptySet(t *testing.T) {
	f := start(t, "tcp")
	set := f.publish(t)
	c := f.delta(t, node("edge"))
	for _, k := range []kind{clusters, listeners} {
		c.ask(k)
		r := c.take(kindNames[k] + ":")
		if r.GetSystemVersionInfo() == "" || r.GetSystemVersionInfo() != set.Version(typeURLs[k]) {
			t.Errorf("version %q", r.GetSystemVersionInfo())
		}
	}
	c.quiet()
}
