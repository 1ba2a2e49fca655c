package translate

import (
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/weirproxy/weir/model"
)

// setHealth says how a cluster finds out which nodes are healthy, and when it gives up on that.
func setHealth(c *clusterv3.Cluster, u *model.Upstream) {
	if u.HealthCheck != nil {
		c.HealthChecks = []*corev3.HealthCheck{healthCheck(u)}
		// Else a node that is removed, or gets the weight 0, would stay until its check fails.
		c.IgnoreHealthOnHostRemoval = true
	}
	if u.Outliers != nil {
		c.OutlierDetection = outlierDetection(u.Outliers)
	}
	if u.HealthCheck != nil || u.Outliers != nil {
		if c.CommonLbConfig == nil {
			c.CommonLbConfig = &clusterv3.Cluster_CommonLbConfig{}
		}
		c.CommonLbConfig.HealthyPanicThreshold = &typev3.Percent{Value: float64(u.PanicThreshold)}
	}
}

// healthCheck is asked at the same pace with and without traffic; Envoy would ask an idle upstream once a minute.
func healthCheck(u *model.Upstream) *corev3.HealthCheck {
	h := u.HealthCheck
	out := &corev3.HealthCheck{
		Interval:           durationpb.New(h.Interval),
		NoTrafficInterval:  durationpb.New(h.Interval),
		Timeout:            durationpb.New(h.Timeout),
		HealthyThreshold:   wrapperspb.UInt32(uint32(h.HealthyThreshold)),
		UnhealthyThreshold: wrapperspb.UInt32(uint32(h.UnhealthyThreshold)),
	}
	switch h.Type {
	case model.CheckTCP:
		out.HealthChecker = &corev3.HealthCheck_TcpHealthCheck_{TcpHealthCheck: &corev3.HealthCheck_TcpHealthCheck{}}
	case model.CheckGRPC:
		out.HealthChecker = &corev3.HealthCheck_GrpcHealthCheck_{GrpcHealthCheck: &corev3.HealthCheck_GrpcHealthCheck{
			ServiceName: h.Service, Authority: h.Host,
		}}
	default:
		out.HealthChecker = &corev3.HealthCheck_HttpHealthCheck_{HttpHealthCheck: httpHealthCheck(h, u.Protocol)}
	}
	return out
}

// httpHealthCheck counts every answer that is not expected towards the threshold. Envoy would take a node out at the first
// one, and wait for the threshold only where there is no answer.
func httpHealthCheck(h *model.HealthCheck, protocol model.Protocol) *corev3.HealthCheck_HttpHealthCheck {
	out := &corev3.HealthCheck_HttpHealthCheck{
		Host: h.Host, Path: h.Path,
		RetriableStatuses: []*typev3.Int64Range{{Start: 100, End: 600}},
	}
	for _, s := range h.Statuses {
		out.ExpectedStatuses = append(out.ExpectedStatuses, &typev3.Int64Range{Start: int64(s.First), End: int64(s.Last) + 1})
	}
	if protocol.HTTP2() {
		out.CodecClientType = typev3.CodecClientType_HTTP2
	}
	return out
}

// healthCheckConfig is the Host by which a node's check asks for it, where the upstream has none for all. Envoy would ask
// for the cluster's name.
func healthCheckConfig(h *model.HealthCheck, n model.Node) *endpointv3.Endpoint_HealthCheckConfig {
	if h == nil || h.Type == model.CheckTCP || h.Host != "" {
		return nil
	}
	return &endpointv3.Endpoint_HealthCheckConfig{Hostname: hostPort(n.Host, n.Port)}
}

// outlierDetection switches on what is asked for, and off what Envoy would do besides: it compares success rates.
func outlierDetection(o *model.OutlierDetection) *clusterv3.OutlierDetection {
	out := &clusterv3.OutlierDetection{
		Interval:                        durationpb.New(o.Interval),
		BaseEjectionTime:                durationpb.New(o.BaseEjectionTime),
		MaxEjectionTime:                 durationpb.New(o.MaxEjectionTime),
		MaxEjectionPercent:              wrapperspb.UInt32(uint32(o.MaxEjectionPercent)),
		SplitExternalLocalOriginErrors:  true,
		EnforcingSuccessRate:            wrapperspb.UInt32(0),
		EnforcingLocalOriginSuccessRate: wrapperspb.UInt32(0),
	}
	out.Consecutive_5Xx, out.EnforcingConsecutive_5Xx = detector(o.Consecutive5xx)
	out.ConsecutiveGatewayFailure, out.EnforcingConsecutiveGatewayFailure = detector(o.ConsecutiveGatewayFailure)
	out.ConsecutiveLocalOriginFailure, out.EnforcingConsecutiveLocalOriginFailure = detector(o.ConsecutiveLocalOriginFailure)
	return out
}

// detector is a count, and whether it takes a node out.
func detector(count int) (threshold, enforcing *wrapperspb.UInt32Value) {
	if count == 0 {
		return nil, wrapperspb.UInt32(0)
	}
	return wrapperspb.UInt32(uint32(count)), wrapperspb.UInt32(100)
}
