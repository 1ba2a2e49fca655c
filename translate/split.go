package translate

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/weirproxy/weir/model"
)

// setTarget says where a route forwards to, and what Host header the nodes see there. Retries are each cluster's own.
func setTarget(out *routev3.RouteAction, b model.Backend, u use) {
	if len(b.Split) > 0 {
		out.ClusterSpecifier = &routev3.RouteAction_WeightedClusters{WeightedClusters: weightedClusters(b.Split, u)}
		return
	}
	out.ClusterSpecifier = &routev3.RouteAction_Cluster{Cluster: clusterOf(b)}
	if host := u.hostHeader(b); host != "" {
		out.HostRewriteSpecifier = &routev3.RouteAction_HostRewriteLiteral{HostRewriteLiteral: host}
	}
}

// weightedClusters share requests. One with the weight 0 stays, so that giving it a share touches the route alone.
func weightedClusters(split []model.Target, u use) *routev3.WeightedCluster {
	out := &routev3.WeightedCluster{}
	for _, t := range split {
		c := &routev3.WeightedCluster_ClusterWeight{Name: UpstreamCluster(t.Upstream), Weight: wrapperspb.UInt32(t.Weight)}
		if host := u.byName[t.Upstream].HostHeader; host != "" {
			c.HostRewriteSpecifier = &routev3.WeightedCluster_ClusterWeight_HostRewriteLiteral{HostRewriteLiteral: host}
		}
		out.Clusters = append(out.Clusters, c)
	}
	return out
}

// mirrorPolicies send copies of requests to upstreams that are listened to by nobody. Without a Host header of its own, the
// copy has that of the request, which Envoy would mark with "-shadow".
func mirrorPolicies(mirrors []model.Mirror, u use) []*routev3.RouteAction_RequestMirrorPolicy {
	var out []*routev3.RouteAction_RequestMirrorPolicy
	for _, m := range mirrors {
		host := u.byName[m.Upstream].HostHeader
		out = append(out, &routev3.RouteAction_RequestMirrorPolicy{
			Cluster: UpstreamCluster(m.Upstream),
			RuntimeFraction: &corev3.RuntimeFractionalPercent{
				DefaultValue: &typev3.FractionalPercent{Numerator: uint32(m.Percent)},
			},
			HostRewriteLiteral:            host,
			DisableShadowHostSuffixAppend: host == "",
		})
	}
	return out
}
