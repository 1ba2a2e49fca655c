package xds

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	clusterservicev3 "github.com/envoyproxy/go-control-plane/envoy/service/cluster/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	endpointservicev3 "github.com/envoyproxy/go-control-plane/envoy/service/endpoint/v3"
	listenerservicev3 "github.com/envoyproxy/go-control-plane/envoy/service/listener/v3"
	routeservicev3 "github.com/envoyproxy/go-control-plane/envoy/service/route/v3"
	secretservicev3 "github.com/envoyproxy/go-control-plane/envoy/service/secret/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"
)

// wantStatus checks a gRPC error and that its message holds all of words.
func wantStatus(t *testing.T, err error, code codes.Code, words ...string) {
	t.Helper()
	if status.Code(err) != code {
		t.Errorf("got %v, want code %v", err, code)
	}
	for _, w := range words {
		if !strings.Contains(status.Convert(err).Message(), w) {
			t.Errorf("%q does not hold %q", status.Convert(err).Message(), w)
		}
	}
}

func TestBeforeTheFirstPublish(t *testing.T) {
	f := start(t, "tcp")
	c := f.delta(t, node("edge"))
	c.ask(clusters)
	wantStatus(t, c.ended(), codes.Unavailable, "no configuration")
	if ps := f.Proxies(); len(ps) != 0 {
		t.Errorf("proxies: %+v", ps)
	}
}

func TestUnknownInstance(t *testing.T) {
	f := start(t, "tcp")
	f.Publish(map[string]*Set{"edge": snapshot(t), "inner": snapshot(t)})
	n := node("egde")
	n.UserAgentName = "envoy"
	n.UserAgentVersionType = &corev3.Node_UserAgentBuildVersion{UserAgentBuildVersion: &corev3.BuildVersion{
		Version: &typev3.SemanticVersion{MajorNumber: 1, MinorNumber: 40},
	}}
	for range 2 {
		c := f.delta(t, n)
		c.ask(clusters)
		wantStatus(t, c.ended(), codes.NotFound, `"egde"`, "edge, inner")
	}
	ps := f.Proxies()
	if len(ps) != 1 || !ps[0].Unknown || ps[0].Node != "test" || ps[0].Instance != "egde" || ps[0].UserAgent != "envoy 1.40.0" {
		t.Fatalf("proxies: %+v", ps)
	}
	f.Publish(map[string]*Set{"egde": snapshot(t)}) // now it is there
	c := f.delta(t, n)
	c.ask(clusters)
	c.take("clusters:")
	if ps := f.Proxies(); len(ps) != 1 || ps[0].Unknown {
		t.Errorf("proxies: %+v", ps)
	}
}

func TestStrangersAreBounded(t *testing.T) {
	all, now := strangers{}, time.Unix(0, 0)
	for i := range 3 * maxStrangers {
		if !all.note(identity{id: fmt.Sprint(i)}, "", now.Add(time.Duration(i))) {
			t.Fatalf("%d is not new", i)
		}
	}
	if all.note(identity{id: "299"}, "", now) || len(all) != maxStrangers {
		t.Errorf("%d strangers, or the last was forgotten", len(all))
	}
	if got := all.list(now.Add(strangerMemory + time.Second)); len(got) != 0 {
		t.Errorf("%d are remembered for ever", len(got))
	}
}

func TestRemovedInstance(t *testing.T) {
	f := start(t, "tcp")
	f.Publish(map[string]*Set{"edge": snapshot(t), "inner": snapshot(t)})
	c, other, state := f.delta(t, node("edge")), f.delta(t, node("inner")), f.sotw(t, node("edge"))
	for _, x := range []*deltaClient{c, other} {
		x.ask(clusters)
		x.take("clusters:")
	}
	state.ask(clusters, "")
	state.take("clusters:")
	f.Publish(map[string]*Set{"inner": snapshot(t)})
	wantStatus(t, c.ended(), codes.NotFound, `"edge"`, "inner")
	for range state.got { // until the stream ends
	}
	other.quiet()
	if ps := f.Proxies(); len(ps) != 1 || ps[0].Instance != "inner" {
		t.Errorf("proxies: %+v", ps)
	}
}

func TestMalformedRequests(t *testing.T) {
	f := start(t, "tcp")
	f.publish(t)
	huge := node("edge")
	huge.Metadata = &structpb.Struct{Fields: map[string]*structpb.Value{"x": structpb.NewStringValue(strings.Repeat("x", maxNode))}}
	names := make([]string, maxNames+1)
	for i := range names {
		names[i] = fmt.Sprint(i)
	}
	for what, c := range map[string]struct {
		node    *corev3.Node
		request *discoveryv3.DeltaDiscoveryRequest
		code    codes.Code
		words   string
	}{
		"no node":      {nil, &discoveryv3.DeltaDiscoveryRequest{TypeUrl: typeURLs[clusters]}, codes.InvalidArgument, "must carry the node"},
		"empty node":   {&corev3.Node{}, &discoveryv3.DeltaDiscoveryRequest{TypeUrl: typeURLs[clusters]}, codes.NotFound, `"" names no instance; there are edge`},
		"huge node":    {huge, &discoveryv3.DeltaDiscoveryRequest{TypeUrl: typeURLs[clusters]}, codes.InvalidArgument, "larger than"},
		"no type":      {node("edge"), &discoveryv3.DeltaDiscoveryRequest{}, codes.InvalidArgument, "must carry a type URL"},
		"unknown type": {node("edge"), &discoveryv3.DeltaDiscoveryRequest{TypeUrl: "type.googleapis.com/x.Y"}, codes.InvalidArgument, `"type.googleapis.com/x.Y" is not served`},
		"many names": {node("edge"), &discoveryv3.DeltaDiscoveryRequest{
			TypeUrl: typeURLs[endpoints], ResourceNamesSubscribe: names,
		}, codes.ResourceExhausted, "at most"},
	} {
		t.Run(what, func(t *testing.T) {
			d := f.delta(t, c.node)
			d.send(c.request)
			wantStatus(t, d.ended(), c.code, c.words)
		})
	}
	t.Run("state of the world", func(t *testing.T) {
		c := f.sotw(t, nil)
		c.ask(clusters, "")
		for range c.got {
			t.Error("an answer to nobody")
		}
	})
	t.Run("invented nonces", func(t *testing.T) {
		c := f.delta(t, node("edge"))
		c.send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: typeURLs[clusters], ResponseNonce: "17"})
		r := c.expect("clusters:")
		r.Nonce = "18"
		c.nack(r, "no")
		c.quiet()
		if len(f.refusals) > 0 {
			t.Errorf("refusal of nothing: %+v", <-f.refusals)
		}
	})
}

func TestNodeOnFirstMessageOnly(t *testing.T) {
	f := start(t, "tcp")
	f.publish(t, upstream("a", 0, 1)...)
	c := f.delta(t, node("edge")) // sends it once; every other test does so, too
	c.ask(clusters)
	c.take("clusters: a")
	c.node = node("elsewhere") // a node that comes later changes nothing
	c.ask(endpoints, "a")
	c.take("endpoints: a")
}

func TestSeparateServices(t *testing.T) {
	f := start(t, "tcp")
	set := f.publish(t, shop("a", upstream("a", 0, 1))...)
	conn := f.dial(t)
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()

	type deltaStream interface {
		Send(*discoveryv3.DeltaDiscoveryRequest) error
		Recv() (*discoveryv3.DeltaDiscoveryResponse, error)
	}
	type stateStream interface {
		Send(*discoveryv3.DiscoveryRequest) error
		Recv() (*discoveryv3.DiscoveryResponse, error)
	}
	var deltas [kinds]deltaStream
	var states [kinds]stateStream
	var errs [2 * kinds]error
	deltas[clusters], errs[0] = clusterservicev3.NewClusterDiscoveryServiceClient(conn).DeltaClusters(ctx)
	deltas[endpoints], errs[1] = endpointservicev3.NewEndpointDiscoveryServiceClient(conn).DeltaEndpoints(ctx)
	deltas[secrets], errs[2] = secretservicev3.NewSecretDiscoveryServiceClient(conn).DeltaSecrets(ctx)
	deltas[listeners], errs[3] = listenerservicev3.NewListenerDiscoveryServiceClient(conn).DeltaListeners(ctx)
	deltas[scopes], errs[10] = routeservicev3.NewScopedRoutesDiscoveryServiceClient(conn).DeltaScopedRoutes(ctx)
	states[scopes], errs[11] = routeservicev3.NewScopedRoutesDiscoveryServiceClient(conn).StreamScopedRoutes(ctx)
	deltas[routes], errs[4] = routeservicev3.NewRouteDiscoveryServiceClient(conn).DeltaRoutes(ctx)
	states[clusters], errs[5] = clusterservicev3.NewClusterDiscoveryServiceClient(conn).StreamClusters(ctx)
	states[endpoints], errs[6] = endpointservicev3.NewEndpointDiscoveryServiceClient(conn).StreamEndpoints(ctx)
	states[secrets], errs[7] = secretservicev3.NewSecretDiscoveryServiceClient(conn).StreamSecrets(ctx)
	states[listeners], errs[8] = listenerservicev3.NewListenerDiscoveryServiceClient(conn).StreamListeners(ctx)
	states[routes], errs[9] = routeservicev3.NewRouteDiscoveryServiceClient(conn).StreamRoutes(ctx)
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	names := [kinds][]string{endpoints: {"a"}, secrets: {"nowhere"}, routes: {"http"}}
	want := [kinds]string{"clusters: a", "endpoints: a", "secrets: -nowhere", "listeners: http", "scopes:", "routes: http"}
	for k := range kinds {
		if err := deltas[k].Send(&discoveryv3.DeltaDiscoveryRequest{Node: node("edge"), ResourceNamesSubscribe: names[k]}); err != nil {
			t.Fatal(err)
		}
		r, err := deltas[k].Recv()
		if err != nil {
			t.Fatal(err)
		}
		if got := describe(r); got != want[k] {
			t.Errorf("got %q, want %q", got, want[k])
		}
		if err := states[k].Send(&discoveryv3.DiscoveryRequest{Node: node("edge"), ResourceNames: names[k]}); err != nil {
			t.Fatal(err)
		}
		s, err := states[k].Recv()
		if err != nil {
			t.Fatal(err)
		}
		if got, want := describeState(t, s), strings.TrimSuffix(want[k], " -nowhere"); got != want || s.GetVersionInfo() != set.Version(typeURLs[k]) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if ps := f.Proxies(); len(ps) != 1 || len(ps[0].Types) != kinds {
		t.Errorf("one client is seen as %+v", ps)
	}
	if err := deltas[routes].Send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: typeURLs[clusters]}); err != nil {
		t.Fatal(err)
	}
	_, err := deltas[routes].Recv()
	wantStatus(t, err, codes.InvalidArgument, "on the service of")
}

func TestUnixSocket(t *testing.T) {
	f := start(t, "unix")
	f.publish(t, upstream("a", 0, 1)...)
	c := f.delta(t, node("edge"))
	c.ask(clusters)
	c.take("clusters: a")
	if ps := f.Proxies(); len(ps) != 1 || ps[0].Address != "unix" {
		t.Errorf("proxies: %+v", ps)
	}
}

func TestStop(t *testing.T) {
	f := start(t, "tcp")
	f.publish(t, upstream("a", 0, 1)...)
	c, idle := f.delta(t, node("edge")), f.delta(t, node("edge"))
	c.ask(clusters)
	c.take("clusters: a")
	f.stop()
	wantStatus(t, c.ended(), codes.Unavailable, "stopping")
	wantStatus(t, idle.ended(), codes.Unavailable) // it never said a word
	if err := <-f.stopped; err != nil {
		t.Error(err)
	}
	if ps := f.Proxies(); len(ps) != 0 {
		t.Errorf("proxies: %+v", ps)
	}
}

func TestServeFails(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := NewServer(Options{}).Serve(context.Background(), l); err == nil || !strings.Contains(err.Error(), "serve xDS on 127.0.0.1:") {
		t.Errorf("got %v", err)
	}
}

// TestClientThatDoesNotRead asks for much and takes nothing: the others do not notice, nor does Publish, nor the stop.
func TestClientThatDoesNotRead(t *testing.T) {
	f := start(t, "tcp")
	set := func(edit int) *Set {
		bytes := make([]byte, 4<<20) // more than any buffer on the way holds
		bytes[0] = byte(edit)
		return snapshot(t, cluster("small", edit), &tlsv3.Secret{Name: "big", Type: &tlsv3.Secret_GenericSecret{
			GenericSecret: &tlsv3.GenericSecret{Secret: &corev3.DataSource{
				Specifier: &corev3.DataSource_InlineBytes{InlineBytes: bytes},
			}},
		}})
	}
	f.Publish(map[string]*Set{"edge": set(0)})
	stuck, err := discoveryv3.NewAggregatedDiscoveryServiceClient(f.dial(t)).DeltaAggregatedResources(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	request := &discoveryv3.DeltaDiscoveryRequest{
		Node: &corev3.Node{Id: "stuck", Cluster: "edge"}, TypeUrl: typeURLs[secrets], ResourceNamesSubscribe: []string{"big"},
	}
	if err := stuck.Send(request); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the response is under way", func() bool {
		ps := f.Proxies()
		return len(ps) == 1 && len(ps[0].Types) == 1 && ps[0].Types[0].Sent != ""
	})
	c := f.delta(t, node("edge"))
	c.ask(clusters)
	c.take("clusters: small")
	for i := range 20 {
		f.Publish(map[string]*Set{"edge": set(1 + i)})
		c.take("clusters: small")
	}
	i := slices.IndexFunc(f.Proxies(), func(p Proxy) bool { return p.Node == "stuck" })
	if s := f.Proxies()[i].Types[0]; s.Acknowledged != "" {
		t.Errorf("the client that does not read is at %+v", s)
	}
	f.stop()
	if err := <-f.stopped; err != nil {
		t.Error(err)
	}
}

// TestStuckClientIsEnded: one that reads nothing for long is not kept.
func TestStuckClientIsEnded(t *testing.T) {
	f := start(t, "tcp")
	f.stuck = 100 * time.Millisecond
	bytes := make([]byte, 16<<20) // more than any buffer on the way holds
	f.publish(t, &tlsv3.Secret{Name: "big", Type: &tlsv3.Secret_GenericSecret{
		GenericSecret: &tlsv3.GenericSecret{Secret: &corev3.DataSource{Specifier: &corev3.DataSource_InlineBytes{InlineBytes: bytes}}},
	}})
	stream, err := discoveryv3.NewAggregatedDiscoveryServiceClient(f.dial(t)).DeltaAggregatedResources(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // gRPC takes the first answer, however large
		if err := stream.Send(&discoveryv3.DeltaDiscoveryRequest{
			Node: node("edge"), TypeUrl: typeURLs[secrets], ResourceNamesSubscribe: []string{"big"},
		}); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "it is there", func() bool { return len(f.Proxies()) == 1 })
	eventually(t, "it is ended", func() bool { return len(f.Proxies()) == 0 })
}

// TestNamesThatAreNot are bounded, also when they come one by one.
func TestNamesThatAreNot(t *testing.T) {
	f := start(t, "tcp")
	f.publish(t)
	c := f.delta(t, node("edge"))
	go func() {
		for range c.got { // whatever it is told
		}
	}()
	for i := range 2 * maxUnheard / 100 {
		var names []string
		for j := range 100 {
			names = append(names, fmt.Sprint(i, "-", j))
		}
		if c.stream.Send(&discoveryv3.DeltaDiscoveryRequest{Node: c.node, TypeUrl: typeURLs[endpoints], ResourceNamesSubscribe: names}) != nil {
			break
		}
	}
	wantStatus(t, c.ended(), codes.ResourceExhausted, "at most")
}

// TestPanic ends one stream, not the server, and leaves no lock behind.
func TestPanic(t *testing.T) {
	f := start(t, "tcp")
	f.publish(t, upstream("a", 0, 1)...)
	f.onRefuse = func(Refusal) { panic("out of order") }
	c, other := f.delta(t, node("edge")), f.delta(t, node("edge"))
	other.ask(clusters)
	other.take("clusters: a")
	c.ask(clusters)
	c.nack(c.expect("clusters: a"), "no")
	wantStatus(t, c.ended(), codes.Internal)
	f.publish(t, upstream("a", 1, 1)...)
	other.take("clusters: a")
	eventually(t, "the stream is forgotten", func() bool { return len(f.Proxies()) == 1 })
}
