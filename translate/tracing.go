package translate

import (
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	tracev3 "github.com/envoyproxy/go-control-plane/envoy/config/trace/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	upstreamhttpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	tracingv3 "github.com/envoyproxy/go-control-plane/envoy/type/tracing/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/weirproxy/weir/model"
)

// exportTimeout is how long a collector may take to accept some spans. They are dropped then; no request waits for them.
const exportTimeout = 5 * time.Second

// spanTags are what each span says besides what Envoy says by itself. Envoy's own http.url would show query strings, in
// which tokens travel, so it is said again without.
var spanTags = []struct{ name, value string }{
	{"http.url", "%DYNAMIC_METADATA(weir:path)%"},
	{"weir.service", "%DYNAMIC_METADATA(weir:service)%"},
	{"weir.api", "%DYNAMIC_METADATA(weir:api)%"},
	{"weir.upstream", "%UPSTREAM_CLUSTER%"},
	{"weir.node", "%UPSTREAM_HOST%"},
}

// tracing sends spans of an instance's requests to its collector; nil where it has none.
func tracing(instance *model.Instance) *hcmv3.HttpConnectionManager_Tracing {
	t := instance.Tracing
	if t == nil {
		return nil
	}
	out := &hcmv3.HttpConnectionManager_Tracing{
		RandomSampling: &typev3.Percent{Value: 100 * t.Sampling},
		ClientSampling: &typev3.Percent{Value: 0}, // a caller's x-client-trace-id decides nothing
		Provider: &tracev3.Tracing_Http{
			Name: "envoy.tracers.opentelemetry",
			ConfigType: &tracev3.Tracing_Http_TypedConfig{TypedConfig: pack(&tracev3.OpenTelemetryConfig{
				ServiceName: instance.Name,
				GrpcService: &corev3.GrpcService{
					TargetSpecifier: &corev3.GrpcService_EnvoyGrpc_{EnvoyGrpc: &corev3.GrpcService_EnvoyGrpc{ClusterName: collectorName(t)}},
					Timeout:         durationpb.New(exportTimeout),
				},
			})},
		},
		// The gateway is a hop of its own, and each attempt a span.
		SpawnUpstreamSpan: wrapperspb.Bool(true),
		Operation:         "%REQUEST_HEADER(:METHOD)% %ROUTE_NAME%",
		UpstreamOperation: "%UPSTREAM_CLUSTER%",
	}
	for _, tag := range spanTags {
		out.CustomTags = append(out.CustomTags, &tracingv3.CustomTag{Tag: tag.name, Type: &tracingv3.CustomTag_Value{Value: tag.value}})
	}
	return out
}

// collectorName is the cluster of a collector. No upstream's is named so.
func collectorName(t *model.Tracing) string { return "otlp/" + hostPort(t.Host, t.Port) }

// collector is that cluster: one address, or a name that Envoy resolves, and HTTP/2, which gRPC needs.
func collector(t *model.Tracing) *clusterv3.Cluster {
	name := collectorName(t)
	out := &clusterv3.Cluster{
		Name:           name,
		ConnectTimeout: durationpb.New(exportTimeout),
		LoadAssignment: &endpointv3.ClusterLoadAssignment{
			ClusterName: name,
			Endpoints: []*endpointv3.LocalityLbEndpoints{{LbEndpoints: []*endpointv3.LbEndpoint{{
				HostIdentifier: &endpointv3.LbEndpoint_Endpoint{Endpoint: &endpointv3.Endpoint{Address: hostAddress(t.Host, t.Port)}},
			}}}},
		},
		ClusterDiscoveryType: &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STATIC},
		TypedExtensionProtocolOptions: map[string]*anypb.Any{httpProtocolOptions: pack(&upstreamhttpv3.HttpProtocolOptions{
			UpstreamProtocolOptions: &upstreamhttpv3.HttpProtocolOptions_ExplicitHttpConfig_{
				ExplicitHttpConfig: &upstreamhttpv3.HttpProtocolOptions_ExplicitHttpConfig{
					ProtocolConfig: &upstreamhttpv3.HttpProtocolOptions_ExplicitHttpConfig_Http2ProtocolOptions{
						Http2ProtocolOptions: &corev3.Http2ProtocolOptions{},
					},
				},
			},
		})},
	}
	if !isAddress(t.Host) {
		out.ClusterDiscoveryType = &clusterv3.Cluster_ClusterType{ClusterType: dnsClusterType()}
	}
	return out
}
