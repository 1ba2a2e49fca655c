package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// envoyFiles is Envoy without a control plane: it watches two files of its own, the nodes of one cluster and its routes.
type envoyFiles struct {
	layout layout
	dir    string
	state  state
}

func newEnvoyFiles(l layout, dir string) (*envoyFiles, error) {
	f := &envoyFiles{layout: l, dir: dir}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for _, name := range []string{"nodes.json", "routes.json"} {
		if err := f.save(name, name, state{}); err != nil {
			return nil, err
		}
	}
	b, err := f.static()
	if err != nil {
		return nil, err
	}
	return f, writeJSON(f.bootstrap(), b)
}

func (f *envoyFiles) bootstrap() string { return filepath.Join(f.dir, "envoy.json") }

func (f *envoyFiles) counted() *counter { return nil }

func (f *envoyFiles) close() {}

// prepare writes the file that the edit changes; renaming it is the edit.
func (f *envoyFiles) prepare(s state) (func() error, error) {
	name := "nodes.json"
	if s.route != f.state.route {
		name = "routes.json"
	}
	if err := f.save("next.json", name, s); err != nil {
		return nil, err
	}
	return func() error {
		f.state = s
		return os.Rename(filepath.Join(f.dir, "next.json"), filepath.Join(f.dir, name))
	}, nil
}

// save writes one of the watched files, under this or another name.
func (f *envoyFiles) save(as, name string, s state) error {
	var m proto.Message = f.nodes(s)
	if name == "routes.json" {
		m = f.routes(s)
	}
	packed, err := anypb.New(m)
	if err != nil {
		return err
	}
	return writeJSON(filepath.Join(f.dir, as), &discoveryv3.DiscoveryResponse{Resources: []*anypb.Any{packed}})
}

func (f *envoyFiles) nodes(s state) *endpointv3.ClusterLoadAssignment {
	return &endpointv3.ClusterLoadAssignment{ClusterName: "probed", Endpoints: []*endpointv3.LocalityLbEndpoints{{
		LbEndpoints: []*endpointv3.LbEndpoint{{HostIdentifier: &endpointv3.LbEndpoint_Endpoint{
			Endpoint: &endpointv3.Endpoint{Address: socketAddress(f.layout.backends[s.node])},
		}}},
	}}}
}

func (f *envoyFiles) routes(s state) *routev3.RouteConfiguration {
	host := &routev3.VirtualHost{Name: "all", Domains: []string{"*"}}
	for _, path := range []string{"/probe", paths[s.route]} {
		host.Routes = append(host.Routes, &routev3.Route{
			Match: &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Path{Path: path}},
			Action: &routev3.Route_Route{Route: &routev3.RouteAction{
				ClusterSpecifier: &routev3.RouteAction_Cluster{Cluster: "probed"},
			}},
		})
	}
	return &routev3.RouteConfiguration{Name: "routes", VirtualHosts: []*routev3.VirtualHost{host}}
}

// static is the bootstrap: a listener and a cluster that take the rest from the files.
func (f *envoyFiles) static() (*bootstrapv3.Bootstrap, error) {
	router, err := anypb.New(&routerv3.Router{})
	if err != nil {
		return nil, err
	}
	manager, err := anypb.New(&hcmv3.HttpConnectionManager{
		StatPrefix: "http",
		RouteSpecifier: &hcmv3.HttpConnectionManager_Rds{Rds: &hcmv3.Rds{
			RouteConfigName: "routes", ConfigSource: f.watched("routes.json"),
		}},
		HttpFilters: []*hcmv3.HttpFilter{{
			Name: "router", ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: router},
		}},
	})
	if err != nil {
		return nil, err
	}
	return &bootstrapv3.Bootstrap{
		Node: &corev3.Node{Id: "bench", Cluster: "bench"},
		StaticResources: &bootstrapv3.Bootstrap_StaticResources{
			Listeners: []*listenerv3.Listener{{
				Name: "http", Address: socketAddress(f.layout.listener),
				FilterChains: []*listenerv3.FilterChain{{Filters: []*listenerv3.Filter{{
					Name: "http", ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: manager},
				}}}},
			}},
			Clusters: []*clusterv3.Cluster{{
				Name: "probed", ClusterDiscoveryType: &clusterv3.Cluster_Type{Type: clusterv3.Cluster_EDS},
				EdsClusterConfig: &clusterv3.Cluster_EdsClusterConfig{EdsConfig: f.watched("nodes.json")},
			}},
		},
	}, nil
}

func (f *envoyFiles) watched(name string) *corev3.ConfigSource {
	return &corev3.ConfigSource{
		ResourceApiVersion: corev3.ApiVersion_V3,
		ConfigSourceSpecifier: &corev3.ConfigSource_PathConfigSource{
			PathConfigSource: &corev3.PathConfigSource{Path: filepath.Join(f.dir, name)},
		},
	}
}

func socketAddress(address string) *corev3.Address {
	host, text, err := net.SplitHostPort(address)
	port, failed := strconv.ParseUint(text, 10, 16)
	if err != nil || failed != nil {
		panic(fmt.Sprintf("%q is no address of a socket", address)) // the bench has made it
	}
	return &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
		Address: host, PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: uint32(port)},
	}}}
}

func writeJSON(path string, m proto.Message) error {
	text, err := protojson.Marshal(m)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.WriteFile(path, text, 0o644)
}
