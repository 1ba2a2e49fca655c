package translate

import (
	"slices"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	dnscommonv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/clusters/common/dns/v3"
	dnsclusterv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/clusters/dns/v3"
	caresv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/network/dns_resolver/cares/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/weirproxy/weir/model"
)

const (
	dnsRefresh = 5 * time.Second
	// A name that did not resolve is asked for again soon: a cluster that was made while DNS was away has no nodes until then.
	dnsRetry     = 500 * time.Millisecond
	dnsRetryMost = 2 * time.Second

	httpProtocolOptions = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
	// socketMatch is where Envoy looks for the metadata of an endpoint that transport_socket_matches compares. byName marks
	// the endpoints whose certificate is checked against their name, byAddress says the address that others must prove.
	socketMatch = "envoy.transport_socket_match"
	byName      = "by_name"
	byAddress   = "by_address"
)

// cluster is the Envoy cluster of an upstream. Where every listed node is an IP address, disabled ones too, its endpoints
// come over EDS, so that a new weight or node leaves the cluster and its connections alone.
func cluster(t target) *clusterv3.Cluster {
	c := &clusterv3.Cluster{
		Name:                          t.cluster,
		ConnectTimeout:                durationpb.New(t.upstream.Connections.ConnectTimeout),
		CircuitBreakers:               circuitBreakers(t.upstream),
		UpstreamConnectionOptions:     connectionOptions(t.upstream.Connections),
		TypedExtensionProtocolOptions: map[string]*anypb.Any{httpProtocolOptions: pack(protocolOptions(t.upstream))},
	}
	if onlyAddresses(t.upstream) {
		c.ClusterDiscoveryType = &clusterv3.Cluster_Type{Type: clusterv3.Cluster_EDS}
		c.EdsClusterConfig = &clusterv3.Cluster_EdsClusterConfig{EdsConfig: ads()}
		if name := assignmentName(t); name != t.cluster {
			c.EdsClusterConfig.ServiceName = name
		}
	} else {
		c.ClusterDiscoveryType = &clusterv3.Cluster_ClusterType{ClusterType: dnsClusterType()}
		c.LoadAssignment = loadAssignment(t)
		if byLocality(t.upstream) {
			c.CommonLbConfig = &clusterv3.Cluster_CommonLbConfig{
				LocalityConfigSpecifier: &clusterv3.Cluster_CommonLbConfig_LocalityWeightedLbConfig_{
					LocalityWeightedLbConfig: &clusterv3.Cluster_CommonLbConfig_LocalityWeightedLbConfig{},
				},
			}
		}
	}
	setBalancing(c, t.upstream)
	setHealth(c, t.upstream)
	if t.upstream.Protocol.Secure() {
		setTransportSockets(c, t.upstream)
	}
	return c
}

// onlyAddresses reports whether every listed node is an IP address. A disabled one counts, so that switching it on or off
// does not change the kind of the cluster.
func onlyAddresses(u *model.Upstream) bool {
	return !slices.ContainsFunc(u.Nodes, func(n model.Node) bool { return !isAddress(n.Host) })
}

// setTransportSockets gives an https cluster its TLS. Where nothing names all nodes, those that are names share a socket, and
// each address has one of its own, or a node could prove that it is another one; the endpoint's metadata chooses. An
// endpoint without any would get a socket that checks addresses, never a plain one.
func setTransportSockets(c *clusterv3.Cluster, u *model.Upstream) {
	v := verificationOf(u)
	names, addresses := nodeHosts(u)
	switch name := checkedName(u); {
	case isAddress(name):
		v.addresses = []string{name}
	case name != "":
		v.name = name
	case len(names) == 0 && len(addresses) == 1:
		v.addresses = addresses
	case len(addresses) > 0:
		c.TransportSocketMatches = socketMatches(v, len(names) > 0, addresses)
		v.addresses = addresses
	}
	c.TransportSocket = tlsSocket(upstreamTLS(v))
}

// socketMatches are the sockets of the nodes that are names, and of each address.
func socketMatches(v verification, names bool, addresses []string) []*clusterv3.Cluster_TransportSocketMatch {
	var out []*clusterv3.Cluster_TransportSocketMatch
	add := func(name string, match *structpb.Struct) {
		out = append(out, &clusterv3.Cluster_TransportSocketMatch{Name: name, Match: match, TransportSocket: tlsSocket(upstreamTLS(v))})
	}
	if names {
		add(byName, socketOf(model.Node{}))
	}
	if v.insecure {
		return out // nothing is checked, so one socket does for all addresses
	}
	for _, address := range addresses {
		v.addresses = []string{address}
		add(address, socketOf(model.Node{Host: address}))
	}
	return out
}

// socketOf is the metadata that ties a node to its socket.
func socketOf(n model.Node) *structpb.Struct {
	if isAddress(n.Host) {
		return &structpb.Struct{Fields: map[string]*structpb.Value{byAddress: structpb.NewStringValue(n.Host)}}
	}
	return &structpb.Struct{Fields: map[string]*structpb.Value{byName: structpb.NewBoolValue(true)}}
}

// nodeHosts are the distinct hosts of an upstream's nodes, each sorted.
func nodeHosts(u *model.Upstream) (names, addresses []string) {
	for _, node := range u.Nodes {
		if isAddress(node.Host) {
			addresses = append(addresses, node.Host)
		} else {
			names = append(names, node.Host)
		}
	}
	slices.Sort(names)
	slices.Sort(addresses)
	return slices.Compact(names), slices.Compact(addresses)
}

// dnsClusterType resolves the names of a cluster's nodes. IPv4 goes first: Envoy's own default prefers IPv6, where
// "localhost" often leads nowhere. A server that does not answer may hold up a starting Envoy for 2 s, not for a minute.
func dnsClusterType() *clusterv3.Cluster_CustomClusterType {
	return &clusterv3.Cluster_CustomClusterType{
		Name: "envoy.cluster.dns",
		TypedConfig: pack(&dnsclusterv3.DnsCluster{
			DnsRefreshRate: durationpb.New(dnsRefresh),
			DnsFailureRefreshRate: &dnsclusterv3.DnsCluster_RefreshRate{
				BaseInterval: durationpb.New(dnsRetry), MaxInterval: durationpb.New(dnsRetryMost),
			},
			DnsLookupFamily: dnscommonv3.DnsLookupFamily_V4_PREFERRED,
			TypedDnsResolverConfig: &corev3.TypedExtensionConfig{
				Name: "envoy.network.dns_resolver.cares",
				TypedConfig: pack(&caresv3.CaresDnsResolverConfig{
					QueryTimeoutSeconds: wrapperspb.UInt64(1),
					QueryTries:          wrapperspb.UInt32(1),
				}),
			},
		}),
	}
}
