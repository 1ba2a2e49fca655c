package translate

import (
	"cmp"
	"net/netip"
	"slices"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/weirproxy/weir/model"
)

// assignmentName names the nodes of each protocol apart from those of the others. When an upstream changes from one to
// another, together with its nodes, the cluster that still serves must not get the nodes of the one that takes its place:
// requests would go in clear to nodes that speak TLS.
func assignmentName(t target) string {
	if protocol := t.upstream.Protocol; protocol != model.HTTP {
		return t.cluster + "/" + string(protocol)
	}
	return t.cluster
}

// loadAssignment is the enabled nodes of an upstream with their weights, in an order of their own: moving a node's block
// changes nothing. A disabled node is left out, because Envoy refuses the weight 0.
func loadAssignment(t target) *endpointv3.ClusterLoadAssignment {
	var nodes []model.Node
	for _, node := range t.upstream.Nodes {
		if node.Weight > 0 {
			nodes = append(nodes, node)
		}
	}
	slices.SortFunc(nodes, compareNodes)
	out := &endpointv3.ClusterLoadAssignment{ClusterName: t.cluster}
	if onlyAddresses(t.upstream) {
		out.ClusterName = assignmentName(t)
	}
	if onlyAddresses(t.upstream) || !byLocality(t.upstream) {
		locality := &endpointv3.LocalityLbEndpoints{}
		for _, node := range nodes {
			locality.LbEndpoints = append(locality.LbEndpoints, endpoint(node, t.upstream, node.Weight))
		}
		out.Endpoints = []*endpointv3.LocalityLbEndpoints{locality}
		return out
	}
	for _, node := range nodes {
		out.Endpoints = append(out.Endpoints, &endpointv3.LocalityLbEndpoints{
			Locality:            &corev3.Locality{Zone: hostPort(node.Host, node.Port)},
			LoadBalancingWeight: wrapperspb.UInt32(node.Weight),
			LbEndpoints:         []*endpointv3.LbEndpoint{endpoint(node, t.upstream, 1)},
		})
	}
	return out
}

// endpoint is one node. A name is also the endpoint's host name, which an https upstream may send as SNI and check.
func endpoint(n model.Node, u *model.Upstream, weight uint32) *endpointv3.LbEndpoint {
	e := &endpointv3.LbEndpoint{
		HostIdentifier:      &endpointv3.LbEndpoint_Endpoint{Endpoint: &endpointv3.Endpoint{Address: hostAddress(n.Host, n.Port)}},
		LoadBalancingWeight: wrapperspb.UInt32(weight),
	}
	if !isAddress(n.Host) {
		e.GetEndpoint().Hostname = n.Host
	}
	e.GetEndpoint().HealthCheckConfig = healthCheckConfig(u.HealthCheck, n)
	if u.Protocol.Secure() {
		e.Metadata = &corev3.Metadata{FilterMetadata: map[string]*structpb.Struct{socketMatch: socketOf(n)}}
	}
	return e
}

// compareNodes orders addresses by number, before names by letter.
func compareNodes(a, b model.Node) int {
	x, _ := netip.ParseAddr(a.Host)
	y, _ := netip.ParseAddr(b.Host)
	if x.IsValid() != y.IsValid() {
		if x.IsValid() {
			return -1
		}
		return 1
	}
	return cmp.Or(x.Compare(y), cmp.Compare(a.Host, b.Host), cmp.Compare(a.Port, b.Port))
}
