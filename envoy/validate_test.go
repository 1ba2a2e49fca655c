package envoy

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// change edits the resources of type M of a set.
func change[M proto.Message](resources []proto.Message, edit func(M)) []proto.Message {
	for _, r := range resources {
		if m, ok := r.(M); ok {
			edit(m)
		}
	}
	return resources
}

// without leaves the resources of type M out of a set.
func without[M proto.Message](resources []proto.Message) []proto.Message {
	var rest []proto.Message
	for _, r := range resources {
		if _, ok := r.(M); !ok {
			rest = append(rest, r)
		}
	}
	return rest
}

// overTLS makes a cluster verify its nodes by a secret.
func overTLS(t *testing.T, secret string) func(*clusterv3.Cluster) {
	return func(c *clusterv3.Cluster) {
		c.TransportSocket = &corev3.TransportSocket{
			Name: "envoy.transport_sockets.tls",
			ConfigType: &corev3.TransportSocket_TypedConfig{TypedConfig: pack(t, &tlsv3.UpstreamTlsContext{
				CommonTlsContext: &tlsv3.CommonTlsContext{
					ValidationContextType: &tlsv3.CommonTlsContext_ValidationContextSdsSecretConfig{
						ValidationContextSdsSecretConfig: &tlsv3.SdsSecretConfig{Name: secret, SdsConfig: adsSource()},
					},
				},
			})},
		}
	}
}

func TestValidate(t *testing.T) {
	node := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9001}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := uint32(taken.Addr().(*net.TCPAddr).Port) // a check opens no ports
	set := func() []proto.Message { return gateway(t, port, node) }
	nodeByName := func(a *endpointv3.ClusterLoadAssignment) {
		a.Endpoints[0].LbEndpoints[0].GetEndpoint().Address = socketAddress("orders.internal", 80)
	}
	weightZero := func(a *endpointv3.ClusterLoadAssignment) {
		a.Endpoints[0].LbEndpoints[0].LoadBalancingWeight = wrapperspb.UInt32(0)
	}
	hostAdded := func(r *routev3.RouteConfiguration) {
		r.RequestHeadersToAdd = []*corev3.HeaderValueOption{{Header: &corev3.HeaderValue{Key: "Host", Value: "x"}}}
	}
	tests := []struct {
		name      string
		resources []proto.Message
		want      string // Envoy's words; "": accepted
	}{
		{"a gateway", set(), ""},
		{"nothing", nil, ""},
		{"nodes verified by the system's CAs", change(set(), overTLS(t, SystemCA)), ""},
		{"no load assignment yet", without[*endpointv3.ClusterLoadAssignment](set()), ""},
		{"a name in EDS", change(set(), nodeByName), "malformed IP address: orders.internal"},
		{"weight 0", change(set(), weightZero), "LoadBalancingWeight: value must be greater than or equal to 1"},
		{"Host added", change(set(), hostAdded), "may not be modified"},
		{"routes without a listener", change(set(), hostAdded)[1:2], "may not be modified"},
		{"nodes without a cluster", change(set(), nodeByName)[3:4], "malformed IP address: orders.internal"},
		{"an unknown secret", change(set(), overTLS(t, "nobody")), "nobody"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			err := Validate(t.Context(), envoyPath(t), test.resources)
			var refused *ValidateError
			switch {
			case test.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case test.want != "" && !errors.As(err, &refused):
				t.Errorf("got %v, want a *ValidateError", err)
			case test.want != "" && !strings.Contains(refused.Message, test.want):
				t.Errorf("Envoy says %q, want %q", refused.Message, test.want)
			case refused != nil && strings.Contains(refused.Message, "bootstrap.json"):
				t.Errorf("Envoy's words name a temporary file: %q", refused.Message)
			}
			if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// TestValidateLeavesTheResourcesAlone: they are served after the check.
func TestValidateLeavesTheResourcesAlone(t *testing.T) {
	resources := change(gateway(t, 8080, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9001}), overTLS(t, SystemCA))
	before := make([]proto.Message, len(resources))
	for i, r := range resources {
		before[i] = proto.Clone(r)
	}
	if _, err := staticBootstrap(resources); err != nil {
		t.Fatal(err)
	}
	for i, r := range resources {
		if !proto.Equal(before[i], r) {
			t.Errorf("%s was changed", r.ProtoReflect().Descriptor().Name())
		}
	}
}

func TestValidateCannotAsk(t *testing.T) {
	set := gateway(t, 8080, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9001})
	tests := []struct {
		name, path string
		resources  []proto.Message
		want       string
	}{
		{"no Envoy", "/nowhere/envoy", set, "no such file or directory"},
		{"Envoy crashes", script(t, "kill -SEGV $$"), set, "segmentation fault"},
		{"Envoy hangs", script(t, "sleep 60"), set, "did not answer: context deadline exceeded"},
		{"a resource that is none", envoyPath(t), []proto.Message{&corev3.Node{}}, "envoy.config.core.v3.Node cannot be checked"},
		{"routes missing", envoyPath(t), without[*routev3.RouteConfiguration](set), `its route configuration "edge" is not among the resources`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			err := Validate(ctx, test.path, test.resources)
			var refused *ValidateError
			if errors.As(err, &refused) {
				t.Errorf("taken for a refusal of Envoy: %v", err)
			}
			check(t, "", err, "", test.want)
		})
	}
}

func TestEnvoysWords(t *testing.T) {
	const prefix = "error initializing configuration '/tmp/x/bootstrap.json': "
	tests := []struct{ name, out, want string }{
		{"plain", prefix + "malformed IP address: foo\n", "malformed IP address: foo"},
		{"after the whole configuration", prefix + "goo.gle/debugproto \na {\n  key: \"secret\"\n}\n: Proto constraint validation failed (X)\n", "Proto constraint validation failed (X)"},
		{"file named inside", "Unable to parse /tmp/x/bootstrap.json", "Unable to parse the configuration"},
		{"silent", "\n", "it gave no reason"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := envoysWords(test.out, "/tmp/x/bootstrap.json"); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
