package translate

import (
	"context"
	"encoding/hex"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	commonv1 "go.opentelemetry.io/proto/otlp/common/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/weirproxy/weir/model"
)

// span is what came of one.
type span struct {
	service string // service.name of the resource
	name    string
	kind    tracev1.Span_SpanKind
	trace   string
	tags    map[string]string
}

// collect is an OTLP collector on loopback: each span that arrives comes out of the channel.
func collect(t *testing.T) (netip.AddrPort, <-chan span) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	spans := make(chan span, 1000)
	export := func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		var request tracev1.TracesData // an ExportTraceServiceRequest has the same fields
		if err := decode(&request); err != nil {
			return nil, err
		}
		for _, of := range request.ResourceSpans {
			for _, scope := range of.ScopeSpans {
				for _, s := range scope.Spans {
					spans <- span{tagsOf(of.Resource.Attributes)["service.name"], s.Name, s.Kind, string(s.TraceId), tagsOf(s.Attributes)}
				}
			}
		}
		return &emptypb.Empty{}, nil
	}
	server := grpc.NewServer()
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "opentelemetry.proto.collector.trace.v1.TraceService", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Export", Handler: export}},
	}, nil)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
	return l.Addr().(*net.TCPAddr).AddrPort(), spans
}

func tagsOf(attributes []*commonv1.KeyValue) map[string]string {
	out := map[string]string{}
	for _, a := range attributes {
		out[a.Key] = a.Value.GetStringValue()
	}
	return out
}

// nextSpans are so many spans, by their names.
func nextSpans(t *testing.T, spans <-chan span, count int) map[string]span {
	t.Helper()
	out := map[string]span{}
	timeout := time.After(30 * time.Second)
	for range count {
		select {
		case s := <-spans:
			out[s.name] = s
		case <-timeout:
			t.Fatalf("only these spans came: %+v", out)
		}
	}
	return out
}

// callersTrace is a sampled trace, in the form of W3C.
const callersTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestTracing(t *testing.T) {
	address, spans := collect(t)
	c, n := edge(), startNode(t, nil)
	c.Instances["edge"].Tracing = &model.Tracing{Host: address.Addr().String(), Port: address.Port(), Sampling: 1}
	addUpstream(c, "orders", model.HTTP, n.address).HostHeader = "orders.internal"
	addService(c, "shop", "shop.test", forwardAPI("get", "/orders/{id}", "orders", "/v1/{id}"), mockAPI("shop", "mock", "/mock"))
	caller := startEnvoy(t, cutUp(c), nil).dial("http", nil)
	caller.do("GET", "shop.test", "/orders/7?token=s3cret", "X-Weir-Route: evil/evil", "Traceparent: "+callersTrace)
	caller.do("POST", "shop.test", "/mock?token=s3cret")

	got := nextSpans(t, spans, 3)
	for name, want := range map[string]span{
		"GET shop/get": {kind: tracev1.Span_SPAN_KIND_SERVER, tags: map[string]string{
			"http.url": "/orders/7", "weir.service": "shop", "weir.api": "get", "weir.upstream": "upstream/orders", "weir.node": n.address,
		}},
		"upstream/orders": {kind: tracev1.Span_SPAN_KIND_CLIENT, tags: map[string]string{}},
		"POST shop/mock": {kind: tracev1.Span_SPAN_KIND_SERVER, tags: map[string]string{
			"http.url": "/mock", "weir.service": "shop", "weir.api": "mock",
		}},
	} {
		s, ok := got[name]
		if !ok || s.kind != want.kind || s.service != "edge" {
			t.Errorf("%q of %q is of kind %s", name, s.service, s.kind)
		}
		for tag, value := range want.tags {
			if s.tags[tag] != value {
				t.Errorf("%s: %s is %q, want %q", name, tag, s.tags[tag], value)
			}
		}
		for tag, value := range s.tags {
			if strings.Contains(value, "s3cret") {
				t.Errorf("%s: %s shows a secret: %q", name, tag, value)
			}
		}
	}
	for _, name := range []string{"GET shop/get", "upstream/orders"} {
		if trace := hex.EncodeToString([]byte(got[name].trace)); !strings.Contains(callersTrace, trace) {
			t.Errorf("%s is in the trace %s, not in the caller's", name, trace)
		}
	}
	if told := (<-n.requests).Header.Get("Traceparent"); !strings.HasPrefix(told, callersTrace[:36]) || told == callersTrace {
		t.Errorf("the node is told of %q", told)
	}
}

// TestTracingSampling holds that only the share that was said is sampled, also where callers ask for more.
func TestTracingSampling(t *testing.T) {
	address, _ := collect(t)
	c := edge()
	c.Instances["edge"].Tracing = &model.Tracing{Host: address.Addr().String(), Port: address.Port()}
	addMocks(t, c, "shop", "", []string{"*"})
	g := startEnvoy(t, cutUp(c), nil)
	for _, header := range []string{"X-Client-Trace-Id: 1", "X-Envoy-Force-Trace: true", "X-B3-Sampled: 1", "Traceparent: " + callersTrace} {
		g.dial("http", nil).do("GET", "any.test", "/", header)
	}
	stats, _, err := g.adminGet("/stats?filter=http.http.tracing")
	if err != nil || !strings.Contains(stats, "tracing.not_traceable: 4") || !strings.Contains(stats, "tracing.random_sampling: 0") {
		t.Errorf("%v\n%s", err, stats)
	}
}
