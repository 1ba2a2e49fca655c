package xds

import (
	"context"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	clusterservicev3 "github.com/envoyproxy/go-control-plane/envoy/service/cluster/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// follow follows instance "edge" until the end of the test. took has each set.
func (f *fixture) follow(t *testing.T, have *Set) (took chan *Set, ended chan error) {
	t.Helper()
	return f.followAs(t, "follower", have)
}

func (f *fixture) followAs(t *testing.T, node string, have *Set) (took chan *Set, ended chan error) {
	t.Helper()
	took, ended = make(chan *Set, 1000), make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		ended <- Follow(ctx, Following{
			Target: f.target, Instance: "edge", Node: node, Have: have, Took: func(s *Set) { took <- s },
		})
	})
	t.Cleanup(func() { cancel(); done.Wait() })
	return took, ended
}

// within is what comes out of a channel before the deadline.
func within[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(deadline):
		t.Fatal("nothing comes")
		panic("unreachable")
	}
}

// whole is a set with everything that refers to something.
func whole(edit int) []proto.Message {
	upstream := upstream(fmt.Sprint("c", edit%3), edit, 80+edit%5)
	return append(upstream, plain("l", 1+edit%4), routing("r", fmt.Sprint("c", edit%3)),
		&routev3.ScopedRouteConfiguration{Name: fmt.Sprint("s", edit%2), RouteConfigurationName: "r"},
		&tlsv3.Secret{Name: fmt.Sprint("key", edit%3)})
}

func TestFollowTakesWholeSetsOnly(t *testing.T) {
	f := start(t, "tcp")
	published := map[string]bool{f.publish(t, whole(0)...).Hash(): true}
	took, _ := f.follow(t, nil)
	random := rand.New(rand.NewSource(1))
	var last, taken *Set
	take := func() {
		taken = within(t, took)
		if !published[taken.Hash()] {
			t.Fatalf("a set of %d resources was taken that was never published", taken.Len())
		}
	}
	for edit := range 200 {
		last = f.publish(t, whole(edit+1)...)
		published[last.Hash()] = true
		if random.Intn(4) == 0 {
			take() // else the edits come faster than the follower
		}
	}
	for taken == nil || taken.Hash() != last.Hash() {
		take()
	}
	eventually(t, "the server knows that the follower is current", func() bool {
		all := f.Standbys()
		return len(all) == 1 && all[0].Node == "follower" && all[0].Instance == "edge" && all[0].Snapshot == last.Hash()
	})
	if all := f.Proxies(); len(all) != 0 {
		t.Errorf("a follower counts as an Envoy: %+v", all)
	}
}

func TestFollowWithWhatIsHere(t *testing.T) {
	old, now := whole(1), append(whole(2), plain("m", 9))
	for _, test := range []struct {
		name       string
		have, want []proto.Message
	}{
		{"the same", now, now},
		{"other content", old, now},
		{"more", append(append([]proto.Message{plain("gone", 8)}, upstream("gone", 1, 1)...), now...), now},
		{"nothing there", old, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := start(t, "unix")
			want := f.publish(t, test.want...)
			took, _ := f.follow(t, snapshot(t, test.have...))
			if got := within(t, took); got.Hash() != want.Hash() {
				t.Errorf("took %d resources, want %d", got.Len(), want.Len())
			}
		})
	}
}

func TestFollowSaysWhyItEnds(t *testing.T) {
	f := start(t, "tcp")
	_, ended := f.follow(t, nil)
	if err := within(t, ended); status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "no configuration") {
		t.Errorf("of a server that has nothing: %v", err)
	}
	f.Publish(map[string]*Set{"other": snapshot(t)})
	_, ended = f.follow(t, nil)
	if err := within(t, ended); status.Code(err) != codes.NotFound {
		t.Errorf("of a server without the instance: %v", err)
	}
	f.publish(t, whole(1)...)
	took, ended := f.follow(t, nil)
	within(t, took)
	f.stop()
	if err := within(t, ended); status.Code(err) != codes.Unavailable {
		t.Errorf("of a server that stops: %v", err)
	}
}

func TestFollowerDoubtsWhatItIsSent(t *testing.T) {
	r, err := NewResource(plain("l", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	resource := func(version string) []*discoveryv3.Resource {
		return []*discoveryv3.Resource{{Name: "l", Version: version, Resource: r.Any()}}
	}
	goal := snapshot(t, plain("l", 1)).Hash()
	for _, test := range []struct {
		name, nonce, version, want string
	}{
		{"what it is told", "1/" + goal, r.Version(), ""},
		{"a server that does not know followers", "1", r.Version(), "another version of weir"},
		{"a server that marshals otherwise", "1/" + goal, "other", "another version of weir"},
	} {
		t.Run(test.name, func(t *testing.T) {
			taken := 0
			x := follower{Following{Took: func(*Set) { taken++ }}, empty}
			err := x.take(&discoveryv3.DeltaDiscoveryResponse{
				TypeUrl: typeURLs[listeners], Nonce: test.nonce, Resources: resource(test.version),
			})
			if test.want == "" && (err != nil || taken != 1) || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want) || taken != 0) {
				t.Errorf("taken %d, %v", taken, err)
			}
		})
	}
}

// What was marshalled with a field that is not known here stays as it is, whichever place the field has.
func TestFollowerKeepsWhatItDoesNotKnow(t *testing.T) {
	r, err := NewResource(plain("l", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	packed := r.Any()
	packed.Value = append(protowire.AppendVarint(protowire.AppendTag(nil, 5000, protowire.VarintType), 1), packed.Value...)
	if r, err = ParseResource(packed, nil); err != nil {
		t.Fatal(err)
	}
	set, err := NewSet([]*Resource{r})
	if err != nil {
		t.Fatal(err)
	}
	f := start(t, "tcp")
	f.Publish(map[string]*Set{"edge": set})
	took, _ := f.follow(t, nil)
	if got := within(t, took); got.Hash() != set.Hash() {
		t.Error("another set was taken")
	}
}

// A standby may have the name of the Envoy beside it; what that one refused is kept from it alone.
func TestFollowerWithTheNameOfAnEnvoy(t *testing.T) {
	f := start(t, "tcp")
	f.publish(t, whole(1)...)
	c := f.delta(t, node("edge"))
	c.ask(listeners)
	c.ack(c.next())
	want := f.publish(t, append(whole(1), plain("bad", 7))...)
	c.nack(c.expect("listeners: bad"), "bad: no")
	eventually(t, "the refusal is known", func() bool { return f.typeState(t, listeners).Refused != nil })
	took, _ := f.followAs(t, "test", nil)
	if got := within(t, took); got.Hash() != want.Hash() {
		t.Errorf("took %d resources, want %d", got.Len(), want.Len())
	}
	if all := f.Standbys(); slices.ContainsFunc(all[0].Types, func(s TypeState) bool { return s.Refused != nil }) {
		t.Errorf("a standby refuses: %+v", all)
	}
}

// A client is let finish before it is sent elsewhere.
func TestRelease(t *testing.T) {
	f := start(t, "tcp")
	f.publish(t, whole(1)...)
	c := f.delta(t, node("edge"))
	c.ask(clusters)
	clusters := c.next()
	f.Release()
	c.ack(clusters)
	for _, k := range []kind{endpoints, secrets, listeners, scopes, routes} {
		c.ask(k, "*")
		c.ack(c.next())
	}
	eventually(t, "the client has ended", func() bool {
		f.Release()
		return len(f.Proxies()) == 0
	})
	if err := c.ended(); status.Code(err) != codes.Unavailable {
		t.Errorf("it is told %v", err)
	}
}

// Who has listeners keeps what it has: a standby may be behind. Nothing is sent before that is known.
func TestStandbyServesWhoHasNothing(t *testing.T) {
	f := startPatient(t, "tcp", time.Hour)
	f.standby = true
	f.publish(t, whole(1)...)
	_, ended := f.follow(t, nil)
	if err := within(t, ended); status.Code(err) != codes.FailedPrecondition {
		t.Errorf("another standby is told %v", err)
	}
	c := f.delta(t, node("edge"))
	c.ask(clusters)
	c.ack(c.next())
	c.askHaving(listeners, map[string]string{"l": "newer"})
	if err := c.ended(); status.Code(err) != codes.Unavailable {
		t.Errorf("a client that turns out to have listeners is told %v", err)
	}
	c = f.delta(t, node("edge"))
	c.askHaving(clusters, map[string]string{"c2": "newer"})
	c.askHaving(endpoints, map[string]string{"c2": "newer"}, "c2")
	c.askHaving(listeners, map[string]string{"l": "newer"})
	if err := c.ended(); status.Code(err) != codes.Unavailable || len(c.got) > 0 {
		t.Errorf("a client with clusters and listeners is told %v, after %d responses", err, len(c.got))
	}
	if len(f.Proxies()) != 0 {
		t.Error("a client that was sent away is listed")
	}
	stream, err := discoveryv3.NewAggregatedDiscoveryServiceClient(f.dial(t)).StreamAggregatedResources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ask := &discoveryv3.DiscoveryRequest{Node: node("edge"), TypeUrl: typeURLs[clusters]}
	for range 2 { // the second is an acknowledgement
		if err := stream.Send(ask); err != nil {
			t.Fatal(err)
		}
		if ask.VersionInfo != "" {
			break
		}
		r, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		ask.VersionInfo, ask.ResponseNonce = r.VersionInfo, r.Nonce
	}
	if err := stream.Send(&discoveryv3.DiscoveryRequest{TypeUrl: typeURLs[listeners], VersionInfo: "newer"}); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("a client with listeners is told %v", err)
	}
}

// One that was left while it began has clusters and no listener: nobody else may come to serve it.
func TestStandbyServesWhoWasLeft(t *testing.T) {
	f := startPatient(t, "tcp", 500*time.Millisecond)
	f.standby = true
	f.publish(t, whole(1)...)
	c := f.delta(t, node("edge"))
	c.askHaving(clusters, map[string]string{"gone": "newer"})
	c.expect("clusters: c1")
	c.ask(listeners)
	c.next()
}

// A service of one type tells nothing of listeners.
func TestStandbyOfSeparateServices(t *testing.T) {
	f := startPatient(t, "tcp", time.Millisecond)
	f.standby = true
	f.publish(t, whole(1)...)
	stream, err := clusterservicev3.NewClusterDiscoveryServiceClient(f.dial(t)).DeltaClusters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&discoveryv3.DeltaDiscoveryRequest{Node: node("edge"), InitialResourceVersions: map[string]string{"c2": "newer"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("a client with clusters is told %v", err)
	}
}

// An Envoy that is started again is offered again what it refused: there is no other way to ask a standby for it.
func TestStandbyForgetsRefusals(t *testing.T) {
	f := start(t, "tcp")
	f.standby = true
	f.publish(t, plain("l", 1))
	for range 2 {
		c := f.delta(t, node("edge"))
		c.ask(listeners)
		c.nack(c.expect("listeners: l"), "l: the port is taken")
		eventually(t, "the refusal is known", func() bool { return f.typeState(t, listeners).Refused != nil })
		c.cancel()
		eventually(t, "it has gone", func() bool { return len(f.Proxies()) == 0 })
	}
}
