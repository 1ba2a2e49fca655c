package translate

import (
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	lbcommonv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/load_balancing_policies/common/v3"
	maglevv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/load_balancing_policies/maglev/v3"
	ringhashv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/load_balancing_policies/ring_hash/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/weirproxy/weir/model"
)

// maxRing bounds the ring of ring_hash. It grows until the node of the smallest weight has a place; Envoy's own bound of 8
// million places is 128 MB, for each worker.
const maxRing = 1 << 20

// setBalancing says how a cluster chooses among its endpoints.
func setBalancing(c *clusterv3.Cluster, u *model.Upstream) {
	switch u.LoadBalancing {
	case model.LeastRequest:
		c.LbPolicy = clusterv3.Cluster_LEAST_REQUEST
		if u.SlowStart != nil {
			c.LbConfig = &clusterv3.Cluster_LeastRequestLbConfig_{LeastRequestLbConfig: &clusterv3.Cluster_LeastRequestLbConfig{
				SlowStartConfig: slowStartConfig(u.SlowStart),
			}}
		}
	case model.Random:
		c.LbPolicy = clusterv3.Cluster_RANDOM
	case model.RingHash, model.Maglev:
		c.LbPolicy = clusterv3.Cluster_LOAD_BALANCING_POLICY_CONFIG
		c.LoadBalancingPolicy = hashing(u)
	default:
		c.LbPolicy = clusterv3.Cluster_ROUND_ROBIN
		if u.SlowStart != nil {
			c.LbConfig = &clusterv3.Cluster_RoundRobinLbConfig_{RoundRobinLbConfig: &clusterv3.Cluster_RoundRobinLbConfig{
				SlowStartConfig: slowStartConfig(u.SlowStart),
			}}
		}
	}
}

// hashing chooses by a key that the cluster itself takes out of the request. So each upstream of a split has its own, and
// copies have one, too: a route's is not asked for them.
func hashing(u *model.Upstream) *clusterv3.LoadBalancingPolicy {
	keys := &lbcommonv3.ConsistentHashingLbConfig{HashPolicy: hashPolicy(u.HashKey)}
	policy := &corev3.TypedExtensionConfig{
		Name:        "envoy.load_balancing_policies.ring_hash",
		TypedConfig: pack(&ringhashv3.RingHash{MaximumRingSize: wrapperspb.UInt64(maxRing), ConsistentHashingLbConfig: keys}),
	}
	if u.LoadBalancing == model.Maglev {
		policy = &corev3.TypedExtensionConfig{
			Name:        "envoy.load_balancing_policies.maglev",
			TypedConfig: pack(&maglevv3.Maglev{ConsistentHashingLbConfig: keys}),
		}
	}
	return &clusterv3.LoadBalancingPolicy{Policies: []*clusterv3.LoadBalancingPolicy_Policy{{TypedExtensionConfig: policy}}}
}

func slowStartConfig(s *model.SlowStart) *clusterv3.Cluster_SlowStartConfig {
	return &clusterv3.Cluster_SlowStartConfig{
		SlowStartWindow:  durationpb.New(s.Window),
		Aggression:       &corev3.RuntimeDouble{DefaultValue: 1, RuntimeKey: "weir.slow_start.aggression"},
		MinWeightPercent: &typev3.Percent{Value: float64(s.MinWeightPercent)},
	}
}

// byLocality tells whether each node of a DNS cluster is a locality with the node's weight, so that the addresses of one name
// share it. Only round robin chooses so: the other algorithms compare addresses, of which a locality of one name has few.
func byLocality(u *model.Upstream) bool { return u.LoadBalancing == model.WeightedRoundRobin }

// hashPolicy is where the key stands.
func hashPolicy(k *model.HashKey) []*routev3.RouteAction_HashPolicy {
	policy := &routev3.RouteAction_HashPolicy{}
	switch {
	case k.Header != "":
		policy.PolicySpecifier = &routev3.RouteAction_HashPolicy_Header_{Header: &routev3.RouteAction_HashPolicy_Header{HeaderName: k.Header}}
	case k.Cookie != "":
		cookie := &routev3.RouteAction_HashPolicy_Cookie{Name: k.Cookie}
		if k.MakeCookie {
			cookie.Ttl, cookie.Path = durationpb.New(k.CookieTTL), "/"
		}
		policy.PolicySpecifier = &routev3.RouteAction_HashPolicy_Cookie_{Cookie: cookie}
	default:
		policy.PolicySpecifier = &routev3.RouteAction_HashPolicy_ConnectionProperties_{
			ConnectionProperties: &routev3.RouteAction_HashPolicy_ConnectionProperties{SourceIp: true},
		}
	}
	return []*routev3.RouteAction_HashPolicy{policy}
}
