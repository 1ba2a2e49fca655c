package xds

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	clientv3 "github.com/envoyproxy/go-control-plane/pkg/client/sotw/v3"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"
)

// sotwClient is one aggregated state-of-the-world stream.
type sotwClient struct {
	t      *testing.T
	stream discoveryv3.AggregatedDiscoveryService_StreamAggregatedResourcesClient
	got    chan *discoveryv3.DiscoveryResponse
	node   *corev3.Node
	names  [kinds][]string
	taken  [kinds]string // versions
	nonces [kinds]string // of the last responses
	probes int
}

func (f *fixture) sotw(t *testing.T, n *corev3.Node) *sotwClient {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	stream, err := discoveryv3.NewAggregatedDiscoveryServiceClient(f.dial(t)).StreamAggregatedResources(ctx)
	if err != nil {
		t.Fatal(err)
	}
	c := &sotwClient{t: t, stream: stream, node: n, got: make(chan *discoveryv3.DiscoveryResponse, 100)}
	go func() {
		defer close(c.got)
		for {
			r, err := stream.Recv()
			if err != nil {
				return
			}
			c.got <- r
		}
	}()
	return c
}

func (c *sotwClient) send(r *discoveryv3.DiscoveryRequest) {
	c.t.Helper()
	r.Node, c.node = c.node, nil
	if err := c.stream.Send(r); err != nil {
		c.t.Fatal(err)
	}
}

func (c *sotwClient) ask(k kind, nonce string, names ...string) {
	c.t.Helper()
	c.names[k] = names
	c.send(&discoveryv3.DiscoveryRequest{
		TypeUrl: typeURLs[k], ResourceNames: names, ResponseNonce: nonce, VersionInfo: c.taken[k],
	})
}

func (c *sotwClient) expect(want string) *discoveryv3.DiscoveryResponse {
	c.t.Helper()
	select {
	case r, ok := <-c.got:
		if !ok {
			c.t.Fatal("stream ended")
		}
		if got := describeState(c.t, r); got != want {
			c.t.Fatalf("got %q, want %q", got, want)
		}
		if r.GetVersionInfo() == "" {
			c.t.Fatal("a response without a version")
		}
		k, _ := kindOf(r.GetTypeUrl())
		c.nonces[k] = r.GetNonce()
		return r
	case <-time.After(deadline):
		c.t.Fatal("no response")
	}
	return nil
}

func (c *sotwClient) take(want string) *discoveryv3.DiscoveryResponse {
	c.t.Helper()
	r := c.expect(want)
	k, _ := kindOf(r.GetTypeUrl())
	c.taken[k] = r.GetVersionInfo()
	c.ask(k, r.GetNonce(), c.names[k]...)
	return r
}

func (c *sotwClient) nack(r *discoveryv3.DiscoveryResponse, message string) {
	c.t.Helper()
	k, _ := kindOf(r.GetTypeUrl())
	c.send(&discoveryv3.DiscoveryRequest{
		TypeUrl: r.GetTypeUrl(), ResourceNames: c.names[k], ResponseNonce: r.GetNonce(), VersionInfo: c.taken[k],
		ErrorDetail: &rpcstatus.Status{Message: message},
	})
}

// quiet proves that no response is under way: the answer to a further request comes after what was there before it.
func (c *sotwClient) quiet() {
	c.t.Helper()
	c.probes++
	c.ask(secrets, c.nonces[secrets], fmt.Sprint("probe", c.probes))
	c.take("secrets:")
}

func describeState(t *testing.T, r *discoveryv3.DiscoveryResponse) string {
	t.Helper()
	k, _ := kindOf(r.GetTypeUrl())
	words := []string{}
	for _, x := range r.GetResources() {
		m, err := x.UnmarshalNew()
		if err != nil {
			t.Fatal(err)
		}
		_, name, _, err := identify(m)
		if err != nil {
			t.Fatal(err)
		}
		words = append(words, name)
	}
	return strings.TrimSpace(kindNames[k] + ": " + strings.Join(words, " "))
}

func (c *sotwClient) settle() {
	c.t.Helper()
	c.ask(clusters, "")
	c.take("clusters: a b")
	c.ask(endpoints, "", "a", "b")
	c.take("endpoints: a b")
	c.ask(listeners, "")
	c.take("listeners: http")
	c.ask(routes, "", "http")
	c.take("routes: http")
	c.quiet()
}

func TestStateFollowsAnEdit(t *testing.T) {
	f := start(t, "tcp")
	f.publish(t, shop("a", upstream("a", 0, 1), upstream("b", 0, 2))...)
	c := f.sotw(t, node("edge"))
	c.settle()
	f.publish(t, shop("a", upstream("a", 0, 1), upstream("b", 0, 3))...)
	c.take("endpoints: b") // those of a named type that have not changed may be left out
	c.quiet()
	f.publish(t, shop("a", upstream("a", 1, 1), upstream("b", 0, 3))...)
	c.take("clusters: a b")
	c.take("endpoints: a")
	c.quiet()
	f.publish(t, shop("a", upstream("a", 1, 1), upstream("b", 0, 3))...)
	c.quiet()
}

func TestStateRename(t *testing.T) {
	f := startPatient(t, "tcp", time.Hour)
	f.publish(t, shop("a", upstream("a", 0, 1), upstream("b", 0, 2))...)
	c := f.sotw(t, node("edge"))
	c.settle()
	set := f.publish(t, shop("c", upstream("b", 0, 2), upstream("c", 0, 1))...)
	kept := c.take("clusters: b c a")
	c.quiet()
	c.ask(endpoints, c.nonces[endpoints], "a", "b", "c")
	c.take("endpoints: c")
	c.take("routes: http")
	last := c.take("clusters: b c")
	if kept.GetVersionInfo() == last.GetVersionInfo() {
		t.Error("two lists have one version")
	}
	c.ask(endpoints, c.nonces[endpoints], "b", "c")
	c.quiet()
	eventually(t, "the set is live", func() bool { return f.Proxies()[0].Snapshot == set.Hash() })
}

// TestStateSetMovesOn while a new cluster warms: the client is brought to the set as it was first.
func TestStateSetMovesOn(t *testing.T) {
	f := startPatient(t, "tcp", time.Hour)
	f.publish(t, shop("a", upstream("a", 0, 1), upstream("b", 0, 2))...)
	c := f.sotw(t, node("edge"))
	c.settle()
	f.publish(t, shop("c", upstream("b", 0, 2), upstream("c", 0, 1))...)
	c.take("clusters: b c a")
	f.publish(t, shop("d", upstream("b", 0, 2), upstream("d", 0, 1))...)
	c.quiet()
	c.ask(endpoints, c.nonces[endpoints], "a", "b", "c")
	c.take("endpoints: c")
	c.take("routes: http")
	c.take("clusters: b c")
	c.take("clusters: b d c")
	c.ask(endpoints, c.nonces[endpoints], "b", "c", "d")
	c.take("endpoints: d")
	c.take("routes: http")
	c.take("clusters: b d")
	c.quiet()
}

func TestStateRefusal(t *testing.T) {
	f := start(t, "tcp")
	f.publish(t, shop("a", upstream("a", 0, 1), upstream("b", 0, 2))...)
	c := f.sotw(t, node("edge"))
	c.settle()

	// The client has its cluster a again, and is not sent the refused one before it changes.
	f.publish(t, shop("a", upstream("a", 1, 1), upstream("b", 0, 2))...)
	c.nack(c.expect("clusters: a b"), "no")
	c.take("endpoints: a")
	c.take("clusters: a b")
	c.take("endpoints: a")
	c.quiet()
	if r := <-f.refusals; r.Message != "no" || fmt.Sprint(names(r.Resources)) != "[a]" {
		t.Errorf("refusal: %+v", r)
	}
	f.publish(t, shop("a", upstream("a", 1, 1), upstream("b", 0, 4))...)
	c.quiet()
	f.publish(t, shop("a", upstream("a", 2, 1), upstream("b", 0, 4))...)
	c.take("clusters: a b")
	c.take("endpoints: a b")
	c.quiet()
	if s := f.typeState(t, clusters); s.Refused != nil || s.Sent != s.Acknowledged {
		t.Errorf("state: %+v", s)
	}
}

// TestStateCulprit is found where the words name nobody. A list without the rest would take it away, so that is in it as the
// client has it.
func TestStateCulprit(t *testing.T) {
	f := startPatient(t, "tcp", time.Hour)
	good := f.publish(t, shop("a", upstream("a", 0, 1), upstream("b", 0, 2))...)
	c := f.sotw(t, node("edge"))
	c.settle()
	f.publish(t, shop("b", upstream("b", 1, 2), upstream("c", 0, 3))...)
	c.nack(c.expect("clusters: b c a"), "no")
	c.take("endpoints: b")
	c.take("clusters: b a")
	c.nack(c.expect("clusters: b c a"), "no")
	c.take("clusters: a b")
	c.take("endpoints: b")
	c.quiet()
	if r := <-f.refusals; fmt.Sprint(names(r.Resources)) != "[c]" || f.Proxies()[0].Snapshot != good.Hash() {
		t.Errorf("refusal: %+v, put back to %s", r, f.Proxies()[0].Snapshot)
	}
	f.publish(t, shop("b", upstream("b", 2, 2))...)
	c.take("clusters: b a")
	c.take("endpoints: b")
	c.take("routes: http")
	c.take("clusters: b")
	c.quiet()
}

func TestStateReconnect(t *testing.T) {
	set := shop("a", upstream("a", 0, 1), upstream("b", 0, 2))
	f := start(t, "tcp")
	f.publish(t, set...)
	c := f.sotw(t, node("edge"))
	c.settle()
	again := start(t, "tcp")
	again.publish(t, set...)
	d := again.sotw(t, node("edge"))
	d.taken = c.taken
	d.ask(clusters, "")
	d.ask(listeners, "")
	d.quiet() // it has these
	d.ask(endpoints, "", "a", "b")
	d.take("endpoints: a b") // of names, a version does not tell which of them the client has
	d.quiet()
}

func TestStateEmptyAndNamed(t *testing.T) {
	f := start(t, "tcp")
	f.publish(t)
	c := f.sotw(t, node("edge"))
	c.ask(clusters, "")
	c.take("clusters:")
	c.ask(listeners, "")
	c.take("listeners:")
	c.ask(endpoints, "", "a")
	c.take("endpoints:") // an answer, rather than silence
	c.quiet()
	f.publish(t, upstream("a", 0, 1)...)
	c.take("clusters: a")
	c.take("endpoints: a")
	c.ask(endpoints, c.nonces[endpoints])
	c.ask(endpoints, c.nonces[endpoints], "a") // the client forgot it in between
	c.take("endpoints: a")
	c.quiet()
}

// TestStateClient is a client that others wrote.
func TestStateClient(t *testing.T) {
	f := start(t, "tcp")
	f.publish(t, upstream("a", 0, 1)...)
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	c := clientv3.NewADSClient(ctx, node("edge"), typeURLs[clusters])
	if err := c.InitConnect(f.dial(t)); err != nil {
		t.Fatal(err)
	}
	fetch := func(want ...proto.Message) {
		t.Helper()
		r, err := c.Fetch()
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Resources) != len(want) {
			t.Fatalf("%d resources, want %d", len(r.Resources), len(want))
		}
		for i, x := range r.Resources {
			if m, err := x.UnmarshalNew(); err != nil || !proto.Equal(m, want[i]) {
				t.Fatalf("%v, %v; want %v", m, err, want[i])
			}
		}
	}
	fetch(cluster("a", 0))
	if err := c.Ack(); err != nil {
		t.Fatal(err)
	}
	f.publish(t, upstream("a", 1, 1)...)
	fetch(cluster("a", 1))
	if err := c.Nack("no"); err != nil {
		t.Fatal(err)
	}
	<-f.refusals
	f.publish(t, upstream("a", 2, 1)...)
	fetch(cluster("a", 2)) // and not cluster a as it was refused
	if err := c.Ack(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "acknowledged", func() bool { s := f.typeState(t, clusters); return s.Sent == s.Acknowledged && s.Refused == nil })
}
