package envoy

import (
	"errors"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	dnsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/clusters/common/dns/v3"
	dnsclusterv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/clusters/dns/v3"
	caresv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/network/dns_resolver/cares/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// controlPlane is the cluster through which Envoy reaches weir.
func controlPlane(address string) (*clusterv3.Cluster, error) {
	target, isName, err := parseXDSAddress(address)
	if err != nil {
		return nil, err
	}
	protocol, err := http2()
	if err != nil {
		return nil, err
	}
	cluster := &clusterv3.Cluster{
		Name:           xdsCluster,
		ConnectTimeout: durationpb.New(2 * time.Second),
		LoadAssignment: &endpointv3.ClusterLoadAssignment{
			ClusterName: xdsCluster,
			Endpoints:   []*endpointv3.LocalityLbEndpoints{only(target)},
		},
		TypedExtensionProtocolOptions: map[string]*anypb.Any{
			"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": protocol,
		},
		ClusterDiscoveryType: &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STATIC},
	}
	if isName {
		dns, err := byName()
		if err != nil {
			return nil, err
		}
		cluster.ClusterDiscoveryType = &clusterv3.Cluster_ClusterType{ClusterType: dns}
	}
	return cluster, nil
}

// only is a group of one endpoint.
func only(target *corev3.Address) *endpointv3.LocalityLbEndpoints {
	return &endpointv3.LocalityLbEndpoints{LbEndpoints: []*endpointv3.LbEndpoint{{
		HostIdentifier: &endpointv3.LbEndpoint_Endpoint{Endpoint: &endpointv3.Endpoint{Address: target}},
	}}}
}

// setAside is how long an Envoy does not ask weir, or its standby, after it could not be reached. It is short, since only an
// attempt that comes again tells that it is back.
const setAside = time.Second

// addStandby has the stream go to another address while weir does not answer, or answers that it has nothing to serve. It is
// the same cluster, so Envoy tells each of the two what it has of the other, and is sent what differs. Nothing calls a stream
// back that weir could take: the standby ends it.
func addStandby(cluster *clusterv3.Cluster, address string) error {
	target, isName, err := parseXDSAddress(address)
	if err != nil {
		return err
	}
	switch {
	case target.GetPipe() != nil && cluster.GetClusterType() != nil: // Envoy takes it, and never gets further
		return errors.New("where weir is found by its name the standby cannot be a socket: use an address, 127.0.0.1:18002")
	case isName && cluster.GetClusterType() == nil:
		dns, err := byName()
		if err != nil {
			return err
		}
		cluster.ClusterDiscoveryType = &clusterv3.Cluster_ClusterType{ClusterType: dns}
	}
	second := only(target)
	second.Priority = 1
	cluster.LoadAssignment.Endpoints = append(cluster.LoadAssignment.Endpoints, second)
	one, all := wrapperspb.UInt32(1), wrapperspb.UInt32(100)
	cluster.OutlierDetection = &clusterv3.OutlierDetection{
		SplitExternalLocalOriginErrors:         true,
		ConsecutiveLocalOriginFailure:          one, // a connection that is refused, or takes too long
		ConsecutiveGatewayFailure:              one, // UNAVAILABLE, as gRPC has it
		EnforcingConsecutiveGatewayFailure:     all,
		EnforcingConsecutiveLocalOriginFailure: all,
		MaxEjectionPercent:                     all,
		Interval:                               durationpb.New(setAside / 2),
		BaseEjectionTime:                       durationpb.New(setAside),
		MaxEjectionTime:                        durationpb.New(setAside),
	}
	return nil
}

// byName resolves weir's name. IPv4 comes first, since weir on "localhost" listens there; a DNS server that is gone is
// noticed after a second, not after c-ares' half minute.
func byName() (*clusterv3.Cluster_CustomClusterType, error) {
	resolver, err := anypb.New(&caresv3.CaresDnsResolverConfig{
		QueryTimeoutSeconds: wrapperspb.UInt64(1),
		QueryTries:          wrapperspb.UInt32(2),
	})
	if err != nil {
		return nil, err
	}
	config, err := anypb.New(&dnsclusterv3.DnsCluster{
		DnsRefreshRate:  durationpb.New(5 * time.Second),
		DnsLookupFamily: dnsv3.DnsLookupFamily_V4_PREFERRED,
		TypedDnsResolverConfig: &corev3.TypedExtensionConfig{
			Name:        "envoy.network.dns_resolver.cares",
			TypedConfig: resolver,
		},
	})
	if err != nil {
		return nil, err
	}
	return &clusterv3.Cluster_CustomClusterType{Name: "envoy.cluster.dns", TypedConfig: config}, nil
}

// http2 speaks HTTP/2 to weir and notices within 15 s that the other side is gone without a word.
func http2() (*anypb.Any, error) {
	return anypb.New(&httpv3.HttpProtocolOptions{
		UpstreamProtocolOptions: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_{
			ExplicitHttpConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig{
				ProtocolConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_Http2ProtocolOptions{
					Http2ProtocolOptions: &corev3.Http2ProtocolOptions{
						ConnectionKeepalive: &corev3.KeepaliveSettings{
							Interval: durationpb.New(10 * time.Second),
							Timeout:  durationpb.New(5 * time.Second),
						},
					},
				},
			},
		},
	})
}
