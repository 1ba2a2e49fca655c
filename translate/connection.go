package translate

import (
	"math"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	upstreamhttpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/weirproxy/weir/model"
)

// protocolOptions are the HTTP side of a cluster: what is spoken, retries and keeping connections.
func protocolOptions(u *model.Upstream) *upstreamhttpv3.HttpProtocolOptions {
	common := &corev3.HttpProtocolOptions{IdleTimeout: durationpb.New(u.Connections.IdleTimeout)}
	if longest := u.Connections.MaxDuration; longest > 0 {
		common.MaxConnectionDuration = durationpb.New(longest)
	}
	if most := u.Connections.MaxRequests; most > 0 {
		common.MaxRequestsPerConnection = wrapperspb.UInt32(uint32(most))
	}
	version := &upstreamhttpv3.HttpProtocolOptions_ExplicitHttpConfig{
		ProtocolConfig: &upstreamhttpv3.HttpProtocolOptions_ExplicitHttpConfig_HttpProtocolOptions{
			HttpProtocolOptions: &corev3.Http1ProtocolOptions{},
		},
	}
	if u.Protocol.HTTP2() {
		version.ProtocolConfig = &upstreamhttpv3.HttpProtocolOptions_ExplicitHttpConfig_Http2ProtocolOptions{
			Http2ProtocolOptions: &corev3.Http2ProtocolOptions{ConnectionKeepalive: pings(u.Connections)},
		}
	}
	return &upstreamhttpv3.HttpProtocolOptions{
		CommonHttpProtocolOptions: common,
		UpstreamProtocolOptions:   &upstreamhttpv3.HttpProtocolOptions_ExplicitHttpConfig_{ExplicitHttpConfig: version},
		RetryPolicy:               retryPolicy(u),
	}
}

// circuitBreakers lifts the four limits that Envoy would set (1024, 1024, 1024 and 3), as far as the operator has not set
// them: the third answers 503 under load that the nodes would bear, and the last makes retries fail when many are needed.
// Where there is a retry budget, Envoy does not look at the last.
func circuitBreakers(u *model.Upstream) *clusterv3.CircuitBreakers {
	limits := u.Connections.Limits
	thresholds := &clusterv3.CircuitBreakers_Thresholds{
		MaxConnections:     limitOf(limits.MaxConnections),
		MaxPendingRequests: limitOf(limits.MaxPendingRequests),
		MaxRequests:        limitOf(limits.MaxRequests),
		MaxRetries:         limitOf(limits.MaxRetries),
	}
	if budget := u.Retry.Budget; budget.Percent > 0 {
		thresholds.RetryBudget = &clusterv3.CircuitBreakers_Thresholds_RetryBudget{
			BudgetPercent:       &typev3.Percent{Value: float64(budget.Percent)},
			MinRetryConcurrency: wrapperspb.UInt32(uint32(budget.MinConcurrency)),
		}
	}
	return &clusterv3.CircuitBreakers{Thresholds: []*clusterv3.CircuitBreakers_Thresholds{thresholds}}
}

// limitOf is a limit as Envoy has it, where not to say one is to get one.
func limitOf(most int) *wrapperspb.UInt32Value {
	if most == 0 {
		return wrapperspb.UInt32(math.MaxUint32)
	}
	return wrapperspb.UInt32(uint32(most))
}

// connectionOptions are TCP's own signs of life.
func connectionOptions(c model.Connections) *clusterv3.UpstreamConnectionOptions {
	if c.Keepalive == nil {
		return nil
	}
	keepalive := &corev3.TcpKeepalive{
		KeepaliveTime:     wholeSeconds(c.Keepalive.Time),
		KeepaliveInterval: wholeSeconds(c.Keepalive.Interval),
	}
	if probes := c.Keepalive.Probes; probes > 0 {
		keepalive.KeepaliveProbes = wrapperspb.UInt32(uint32(probes))
	}
	return &clusterv3.UpstreamConnectionOptions{TcpKeepalive: keepalive}
}

// pings are HTTP/2's own signs of life.
func pings(c model.Connections) *corev3.KeepaliveSettings {
	if c.Pings == nil {
		return nil
	}
	return &corev3.KeepaliveSettings{Interval: durationpb.New(c.Pings.Interval), Timeout: durationpb.New(c.Pings.Timeout)}
}

func wholeSeconds(d time.Duration) *wrapperspb.UInt32Value {
	if d == 0 {
		return nil
	}
	return wrapperspb.UInt32(uint32(d / time.Second))
}
