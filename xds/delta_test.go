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

// TestDeltaSetMovesOn while a new cluster warms: the client is brought to the set as it was first.
func TestDeltaSetMovesOn(t *testing.T) {
	f := startPatient(t, "tcp", time.Hour)
	f.publish(t, shop("a", upstream("a", 0, 1), upstream("b", 0, 2))...)
	c := f.delta(t, node("edge"))
	c.settle()
	f.publish(t, shop("c", upstream("b", 0, 2), upstream("c", 0, 1))...)
	c.take("clusters: c")
	f.publish(t, shop("d", upstream("b", 0, 2), upstream("d", 0, 1))...)
	c.quiet() // one thing after the other, or edits that come faster than clusters get warm would never be seen
	c.ask(endpoints, "c")
	c.take("endpoints: c")
	c.take("routes: http")
	c.take("clusters: -a")
	c.take("endpoints: -a")
	c.take("clusters: d")
	c.ask(endpoints, "d")
	c.take("endpoints: d")
	c.take("routes: http")
	c.take("clusters: -c")
	c.take("endpoints: -c")
	c.quiet()
}

// TestDeltaPasses: what serves already is changed at once, whatever routes wait for.
func TestDeltaPasses(t *testing.T) {
	f := startPatient(t, "tcp", time.Hour)
	f.publish(t, shop("a", upstream("a", 0, 1), upstream("b", 0, 2))...)
	c := f.delta(t, node("edge"))
	c.settle()
	f.publish(t, shop("c", upstream("a", 0, 1), upstream("b", 0, 2), upstream("c", 0, 3))...)
	c.take("clusters: c")
	f.publish(t, shop("c", upstream("a", 0, 1), upstream("b", 0, 22), upstream("c", 0, 3))...)
	c.take("endpoints: b")
	f.publish(t, shop("c", upstream("a", 1, 1), upstream("b", 0, 22), upstream("c", 0, 3))...)
	c.take("clusters: a")
	c.take("endpoints: a")
	f.publish(t, shop("c", upstream("a", 1, 1), upstream("b", 0, 23), upstream("c", 1, 3))...)
	c.quiet() // c would be waited for again
	c.ask(endpoints, "c")
	c.take("endpoints: c")
	c.take("clusters: c")
	c.take("endpoints: b c")
	c.take("routes: http")
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

	good := f.Proxies()[0].Snapshot
	bad := f.publish(t, shop("a", upstream("a", 0, 11), upstream("b", 0, 12))...)
	r := c.expect("endpoints: a b")
	c.nack(r, "b: no such port")
	back := c.take("endpoints: a b") // it cannot be told whether a was taken
	if back.GetSystemVersionInfo() == bad.Version(typeURLs[endpoints]) {
		t.Error("what was refused was sent again")
	}
	c.quiet()
	got := <-f.refusals
	if got.Node != "test" || got.Instance != "edge" || got.Type != typeURLs[endpoints] || got.Message != "b: no such port" || got.Set != bad.Hash() ||
		got.Version != bad.Version(typeURLs[endpoints]) || fmt.Sprint(names(got.Resources)) != "[b]" || got.At.IsZero() {
		t.Errorf("refusal: %+v", got)
	}
	state := f.typeState(t, endpoints)
	if state.Refused == nil || state.Refused.Nonce != r.GetNonce() || state.Refused.Version != got.Version || state.Acknowledged == got.Version {
		t.Errorf("state: %+v, %+v", state, state.Refused)
	}
	if p := f.Proxies()[0]; p.Snapshot != good || p.Wanted != bad.Hash() {
		t.Errorf("put back to %s, want %s of %s", p.Snapshot, good, p.Wanted)
	}

	// No set that holds it is sent, and one that does not is.
	f.publish(t, shop("b", upstream("a", 0, 13), upstream("b", 0, 12))...)
	c.quiet()
	fixed := f.publish(t, shop("b", upstream("a", 0, 13), upstream("b", 0, 22))...)
	c.take("endpoints: a b")
	c.take("routes: http")
	c.quiet()
	if state := f.typeState(t, endpoints); state.Refused != nil || state.Acknowledged != state.Sent {
		t.Errorf("state after the fix: %+v", state)
	}
	if p := f.Proxies()[0]; p.Snapshot != fixed.Hash() {
		t.Errorf("not live after the fix: %+v", p)
	}
	if len(f.refusals) > 0 {
		t.Errorf("one more refusal: %+v", <-f.refusals)
	}
}

// TestDeltaCulprit is found where the words name nobody: what was refused together is sent again in halves. Then the client
// is put back to what it had, in make-before-break order.
func TestDeltaCulprit(t *testing.T) {
	f := start(t, "tcp")
	good := f.publish(t, shop("a", upstream("a", 0, 1), upstream("b", 0, 2))...)
	c := f.delta(t, node("edge"))
	c.settle()
	f.publish(t, shop("a", upstream("a", 7, 1), upstream("b", 7, 2), upstream("c", 0, 3), upstream("d", 0, 4))...)
	c.nack(c.expect("clusters: a b c d"), "no")
	c.take("endpoints: a b")
	c.take("clusters: a b")
	c.nack(c.expect("clusters: c d"), "no")
	c.nack(c.expect("clusters: c"), "no!")
	c.take("clusters: d")
	c.take("clusters: a b")
	c.take("endpoints: a b")
	c.take("clusters: -c -d")
	c.quiet()
	if r := <-f.refusals; r.Message != "no!" || fmt.Sprint(names(r.Resources)) != "[c]" {
		t.Errorf("refusal: %+v", r)
	}
	if len(f.refusals) > 0 {
		t.Errorf("one more refusal: %+v", <-f.refusals)
	}
	if p := f.Proxies()[0]; p.Snapshot != good.Hash() {
		t.Errorf("put back to %s, want %s", p.Snapshot, good.Hash())
	}

	// What served before is published again: that is what the client has.
	f.publish(t, shop("a", upstream("a", 0, 1), upstream("b", 0, 2))...)
	c.quiet()
	if s := f.typeState(t, clusters); s.Refused != nil || f.Proxies()[0].Snapshot != good.Hash() {
		t.Errorf("state: %+v", s)
	}
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
	c.take("clusters: -c") // the client may have it
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
