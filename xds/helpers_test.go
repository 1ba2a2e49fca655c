package xds

import (
	"context"
	"log/slog"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

// deadline bounds every wait of the tests.
const deadline = 20 * time.Second

// fixture is a running server.
type fixture struct {
	*Server
	target   string
	refusals chan Refusal
	stop     func() // ends Serve's context
	stopped  chan error
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// start serves on a loopback port, or on a Unix socket.
func start(t *testing.T, network string) *fixture {
	t.Helper()
	return startPatient(t, network, patience)
}

// startPatient is start with another time for listeners and routes to wait.
func startPatient(t *testing.T, network string, patience time.Duration) *fixture {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "xds.sock")
	}
	return startAt(t, network, address, patience)
}

// startAt is start at an address of the caller's choice.
func startAt(t *testing.T, network, address string, patience time.Duration) *fixture {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{refusals: make(chan Refusal, 1000), stopped: make(chan error, 1), target: l.Addr().String()}
	if network == "unix" {
		f.target = "unix://" + l.Addr().String()
	}
	log := slog.New(slog.NewTextHandler(testWriter{t}, nil))
	f.Server = NewServer(Options{Log: log, Refused: func(r Refusal) { f.refusals <- r }})
	f.patience, f.farewell = patience, 100*time.Millisecond
	ctx, cancel := context.WithCancel(context.Background())
	f.stop = cancel
	go func() { f.stopped <- f.Serve(ctx, l); close(f.stopped) }()
	t.Cleanup(func() {
		cancel()
		for err := range f.stopped {
			if err != nil {
				t.Errorf("Serve: %v", err)
			}
		}
	})
	return f
}

// publish makes messages the set of instance "edge".
func (f *fixture) publish(t *testing.T, messages ...proto.Message) *Set {
	t.Helper()
	s := snapshot(t, messages...)
	f.Publish(map[string]*Set{"edge": s})
	return s
}

func snapshot(t *testing.T, messages ...proto.Message) *Set {
	t.Helper()
	s, err := setOf(messages...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func setOf(messages ...proto.Message) (*Set, error) {
	var rs []*Resource
	for _, m := range messages {
		r, err := NewResource(m, nil)
		if err != nil {
			return nil, err
		}
		rs = append(rs, r)
	}
	return NewSet(rs)
}

// names are the names of resources.
func names(rs []*Resource) (out []string) {
	for _, r := range rs {
		out = append(out, r.Name())
	}
	return out
}

func (f *fixture) dial(t *testing.T) *grpc.ClientConn {
	t.Helper()
	c, err := grpc.NewClient(f.target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func node(cluster string) *corev3.Node { return &corev3.Node{Id: "test", Cluster: cluster} }

// deltaClient is one aggregated delta stream, with a goroutine that receives.
type deltaClient struct {
	t      *testing.T
	stream discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesClient
	got    chan *discoveryv3.DeltaDiscoveryResponse
	end    chan error
	node   *corev3.Node // sent with the first request
	cancel func()
}

func (f *fixture) delta(t *testing.T, n *corev3.Node) *deltaClient {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	stream, err := discoveryv3.NewAggregatedDiscoveryServiceClient(f.dial(t)).DeltaAggregatedResources(ctx)
	if err != nil {
		t.Fatal(err)
	}
	c := &deltaClient{
		t: t, stream: stream, node: n, cancel: cancel,
		got: make(chan *discoveryv3.DeltaDiscoveryResponse, 100), end: make(chan error, 1),
	}
	go func() {
		for {
			r, err := stream.Recv()
			if err != nil {
				c.end <- err
				return
			}
			c.got <- r
		}
	}()
	return c
}

// send sends a request; the node goes with the first one only.
func (c *deltaClient) send(r *discoveryv3.DeltaDiscoveryRequest) {
	c.t.Helper()
	r.Node, c.node = c.node, nil
	if err := c.stream.Send(r); err != nil {
		c.t.Fatal(err)
	}
}

func (c *deltaClient) ask(k kind, names ...string) {
	c.t.Helper()
	c.send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: typeURLs[k], ResourceNamesSubscribe: names})
}

func (c *deltaClient) askHaving(k kind, have map[string]string, names ...string) {
	c.t.Helper()
	c.send(&discoveryv3.DeltaDiscoveryRequest{
		TypeUrl: typeURLs[k], ResourceNamesSubscribe: names, InitialResourceVersions: have,
	})
}

func (c *deltaClient) ack(r *discoveryv3.DeltaDiscoveryResponse) {
	c.t.Helper()
	c.send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: r.GetTypeUrl(), ResponseNonce: r.GetNonce()})
}

func (c *deltaClient) nack(r *discoveryv3.DeltaDiscoveryResponse, message string) {
	c.t.Helper()
	c.send(&discoveryv3.DeltaDiscoveryRequest{
		TypeUrl: r.GetTypeUrl(), ResponseNonce: r.GetNonce(), ErrorDetail: &rpcstatus.Status{Code: 13, Message: message},
	})
}

// next waits for a response and describes it.
func (c *deltaClient) next() *discoveryv3.DeltaDiscoveryResponse {
	c.t.Helper()
	select {
	case r := <-c.got:
		return r
	case err := <-c.end:
		c.t.Fatalf("stream ended: %v", err)
	case <-time.After(deadline):
		c.t.Fatal("no response")
	}
	return nil
}

// expect waits for a response that reads like want, e.g. "clusters: a b -c", and returns it unacknowledged.
func (c *deltaClient) expect(want string) *discoveryv3.DeltaDiscoveryResponse {
	c.t.Helper()
	r := c.next()
	if got := describe(r); got != want {
		c.t.Fatalf("got %q, want %q", got, want)
	}
	return r
}

// take is expect and the acknowledgement.
func (c *deltaClient) take(want string) *discoveryv3.DeltaDiscoveryResponse {
	c.t.Helper()
	r := c.expect(want)
	c.ack(r)
	return r
}

// quiet proves, without waiting for time to pass, that no response is under way: the stream's goroutine handles requests in
// order, so whatever it had to say stands before the answer to a further request. The secret "probe" never exists.
func (c *deltaClient) quiet() {
	c.t.Helper()
	c.ask(secrets, "probe")
	c.take("secrets: -probe")
	c.drop(secrets, "probe")
}

func (c *deltaClient) drop(k kind, names ...string) {
	c.t.Helper()
	c.send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: typeURLs[k], ResourceNamesUnsubscribe: names})
}

func (c *deltaClient) ended() error {
	c.t.Helper()
	select {
	case err := <-c.end:
		return err
	case <-time.After(deadline):
		c.t.Fatal("the stream goes on")
	}
	return nil
}

var kindNames = [kinds]string{"clusters", "endpoints", "secrets", "listeners", "scopes", "routes"}

// describe writes a response down as "kind: changed changed -removed".
func describe(r *discoveryv3.DeltaDiscoveryResponse) string {
	k, _ := kindOf(r.GetTypeUrl())
	var words []string
	for _, x := range r.GetResources() {
		words = append(words, x.GetName())
	}
	for _, x := range r.GetRemovedResources() {
		words = append(words, "-"+x)
	}
	return strings.TrimSpace(kindNames[k] + ": " + strings.Join(words, " "))
}

// versions are the initial versions of a client that has what r held.
func versions(rs ...*discoveryv3.DeltaDiscoveryResponse) map[string]string {
	out := map[string]string{}
	for _, r := range rs {
		for _, x := range r.GetResources() {
			out[x.GetName()] = x.GetVersion()
		}
	}
	return out
}

// eventually polls until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(deadline); ; {
		if ok() {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// typeState finds the state of one type of the only proxy.
func (f *fixture) typeState(t *testing.T, k kind) TypeState {
	t.Helper()
	ps := f.Proxies()
	if len(ps) != 1 {
		t.Fatalf("%d proxies: %+v", len(ps), ps)
	}
	i := slices.IndexFunc(ps[0].Types, func(s TypeState) bool { return s.Type == typeURLs[k] })
	if i < 0 {
		return TypeState{}
	}
	return ps[0].Types[i]
}

// impatient lets all waiting end.
func (f *fixture) impatient() {
	f.mu.Lock()
	streams := slices.Collect(maps.Keys(f.instances["edge"].streams))
	f.mu.Unlock()
	for _, x := range streams {
		x.ask(func() {
			for _, w := range x.waiting {
				w.until = time.Time{}
			}
		})
	}
}

// cluster is an EDS cluster over ADS whose connect timeout tells its edits apart.
func cluster(name string, edit int) *clusterv3.Cluster {
	return &clusterv3.Cluster{
		Name:                 name,
		ConnectTimeout:       durationpb.New(time.Second + time.Duration(edit)*time.Millisecond),
		ClusterDiscoveryType: &clusterv3.Cluster_Type{Type: clusterv3.Cluster_EDS},
		EdsClusterConfig:     &clusterv3.Cluster_EdsClusterConfig{EdsConfig: ads()},
	}
}

func ads() *corev3.ConfigSource {
	return &corev3.ConfigSource{
		ResourceApiVersion:    corev3.ApiVersion_V3,
		ConfigSourceSpecifier: &corev3.ConfigSource_Ads{Ads: &corev3.AggregatedConfigSource{}},
	}
}

// assignment sends a cluster to ports of host.
func assignment(name, host string, ports ...int) *endpointv3.ClusterLoadAssignment {
	l := &endpointv3.LocalityLbEndpoints{}
	for _, port := range ports {
		l.LbEndpoints = append(l.LbEndpoints, &endpointv3.LbEndpoint{
			HostIdentifier: &endpointv3.LbEndpoint_Endpoint{Endpoint: &endpointv3.Endpoint{Address: address(host, port)}},
		})
	}
	return &endpointv3.ClusterLoadAssignment{ClusterName: name, Endpoints: []*endpointv3.LocalityLbEndpoints{l}}
}

func address(host string, port int) *corev3.Address {
	return &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
		Address: host, PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: uint32(port)},
	}}}
}

// routing sends everything to one cluster.
func routing(name, cluster string) *routev3.RouteConfiguration {
	return &routev3.RouteConfiguration{Name: name, VirtualHosts: []*routev3.VirtualHost{{
		Name: "all", Domains: []string{"*"},
		Routes: []*routev3.Route{{
			Match: &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Prefix{Prefix: "/"}},
			Action: &routev3.Route_Route{Route: &routev3.RouteAction{
				ClusterSpecifier: &routev3.RouteAction_Cluster{Cluster: cluster},
			}},
		}},
	}}}
}

// plain is a listener without any filter: enough for clients that only look at names.
func plain(name string, port int) *listenerv3.Listener {
	return &listenerv3.Listener{Name: name, Address: address("127.0.0.1", port)}
}

// upstream is a cluster with its endpoints.
func upstream(name string, edit int, ports ...int) []proto.Message {
	return []proto.Message{cluster(name, edit), assignment(name, "127.0.0.1", ports...)}
}

func all(groups ...[]proto.Message) []proto.Message { return slices.Concat(groups...) }

func one(m ...proto.Message) []proto.Message { return m }
