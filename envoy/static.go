package envoy

import (
	"errors"
	"fmt"
	"os"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	fileaccesslogv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/file/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
)

// resourceSet is the resources of one instance by type, as a static bootstrap needs them.
type resourceSet struct {
	clusters    []*clusterv3.Cluster
	listeners   []*listenerv3.Listener
	secrets     []*tlsv3.Secret
	assignments map[string]*endpointv3.ClusterLoadAssignment
	routes      map[string]*routev3.RouteConfiguration
	scopes      []*routev3.ScopedRouteConfiguration
	used        map[string]bool // assignments and routes, by type and name, that a cluster, a scope or a listener holds
	systemCA    bool            // some cluster refers to it
}

// staticBootstrap joins resources that are meant to be fetched one by one to one file that holds them all: what Envoy
// would fetch is put where it would be used. Envoy's check follows no reference to a control plane.
func staticBootstrap(resources []proto.Message) (*bootstrapv3.Bootstrap, error) {
	set := &resourceSet{
		assignments: map[string]*endpointv3.ClusterLoadAssignment{},
		routes:      map[string]*routev3.RouteConfiguration{},
		used:        map[string]bool{},
	}
	for _, resource := range resources {
		if err := set.add(proto.Clone(resource)); err != nil {
			return nil, err
		}
	}
	if err := set.fillScopes(); err != nil {
		return nil, err
	}
	for _, cluster := range set.clusters {
		if err := set.inline(cluster.ProtoReflect()); err != nil {
			return nil, fmt.Errorf("cluster %s: %w", cluster.Name, err)
		}
	}
	for _, listener := range set.listeners {
		if err := set.inline(listener.ProtoReflect()); err != nil {
			return nil, fmt.Errorf("listener %s: %w", listener.Name, err)
		}
	}
	if err := set.addUnused(); err != nil {
		return nil, err
	}
	if err := set.addSystemCA(); err != nil {
		return nil, err
	}
	return &bootstrapv3.Bootstrap{
		Node:           &corev3.Node{Id: "validate", Cluster: "validate"},
		LayeredRuntime: runtimeLayer(),
		StaticResources: &bootstrapv3.Bootstrap_StaticResources{
			Clusters: set.clusters, Listeners: set.listeners, Secrets: set.secrets,
		},
	}, nil
}

// add sorts one resource, which is the set's own copy, into the set.
func (s *resourceSet) add(resource proto.Message) error {
	switch r := resource.(type) {
	case *clusterv3.Cluster:
		s.clusters = append(s.clusters, r)
	case *listenerv3.Listener:
		s.listeners = append(s.listeners, r)
	case *tlsv3.Secret:
		s.secrets = append(s.secrets, r)
	case *endpointv3.ClusterLoadAssignment:
		s.assignments[r.ClusterName] = r
	case *routev3.RouteConfiguration:
		s.routes[r.Name] = r
	case *routev3.ScopedRouteConfiguration:
		s.scopes = append(s.scopes, r)
	default:
		return fmt.Errorf("a resource of type %s cannot be checked by Envoy", resource.ProtoReflect().Descriptor().FullName())
	}
	return nil
}

// inline walks a message, through every Any whose type is known, and replaces what refers to a control plane.
func (s *resourceSet) inline(m protoreflect.Message) error {
	switch concrete := m.Interface().(type) {
	case *anypb.Any:
		return s.inlineAny(concrete)
	case *clusterv3.Cluster:
		s.inlineEndpoints(concrete)
	case *hcmv3.HttpConnectionManager:
		if err := s.inlineRoutes(concrete); err != nil {
			return err
		}
	case *fileaccesslogv3.FileAccessLog:
		concrete.Path = os.DevNull // Envoy would open it, and it is a file of another machine
	case *tlsv3.SdsSecretConfig:
		concrete.SdsConfig = nil // then the name is that of a static secret
		s.systemCA = s.systemCA || concrete.Name == SystemCA
	}
	var errs []error
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		errs = append(errs, s.inlineField(field, value))
		return true
	})
	return errors.Join(errs...)
}

// inlineField walks the messages that a field holds.
func (s *resourceSet) inlineField(field protoreflect.FieldDescriptor, value protoreflect.Value) error {
	var errs []error
	switch {
	case field.IsMap() && field.MapValue().Message() != nil:
		value.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
			errs = append(errs, s.inline(v.Message()))
			return true
		})
	case field.IsList() && field.Message() != nil:
		for i := range value.List().Len() {
			errs = append(errs, s.inline(value.List().Get(i).Message()))
		}
	case !field.IsMap() && field.Message() != nil:
		errs = append(errs, s.inline(value.Message()))
	}
	return errors.Join(errs...)
}

// inlineAny walks the message inside an Any and packs it again. A type that this program does not know holds no
// reference that it knows of.
func (s *resourceSet) inlineAny(packed *anypb.Any) error {
	inner, err := packed.UnmarshalNew()
	if err != nil {
		return nil
	}
	if err := s.inline(inner.ProtoReflect()); err != nil {
		return err
	}
	return packed.MarshalFrom(inner)
}

// inlineEndpoints turns a cluster that fetches its endpoints into one that holds them; without any, into an empty one.
func (s *resourceSet) inlineEndpoints(c *clusterv3.Cluster) {
	if c.GetType() != clusterv3.Cluster_EDS {
		return
	}
	name := c.GetEdsClusterConfig().GetServiceName()
	if name == "" {
		name = c.Name
	}
	assignment := s.assignments[name]
	if assignment == nil {
		assignment = &endpointv3.ClusterLoadAssignment{ClusterName: name}
	}
	s.used["endpoints "+name] = true
	c.ClusterDiscoveryType = &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STATIC}
	c.EdsClusterConfig = nil
	c.LoadAssignment = assignment
}

// fillScopes puts the route configurations into the scopes that refer to them.
func (s *resourceSet) fillScopes() error {
	for _, scope := range s.scopes {
		name := scope.RouteConfigurationName
		routes, ok := s.routes[name]
		if !ok {
			return fmt.Errorf("scope %s: its route configuration %q is not among the resources", scope.Name, name)
		}
		s.used["routes "+name] = true
		scope.RouteConfiguration, scope.RouteConfigurationName = routes, ""
	}
	return nil
}

// inlineRoutes turns a listener's reference to a route configuration, or to scopes, into what it refers to.
func (s *resourceSet) inlineRoutes(manager *hcmv3.HttpConnectionManager) error {
	if scoped := manager.GetScopedRoutes(); scoped.GetScopedRds() != nil {
		scoped.RdsConfigSource = nil
		scoped.ConfigSpecifier = &hcmv3.ScopedRoutes_ScopedRouteConfigurationsList{
			ScopedRouteConfigurationsList: &hcmv3.ScopedRouteConfigurationsList{ScopedRouteConfigurations: s.scopes},
		}
		return nil
	}
	rds := manager.GetRds()
	if rds == nil {
		return nil
	}
	routes, ok := s.routes[rds.RouteConfigName]
	if !ok {
		return fmt.Errorf("its route configuration %q is not among the resources", rds.RouteConfigName)
	}
	s.used["routes "+rds.RouteConfigName] = true
	manager.RouteSpecifier = &hcmv3.HttpConnectionManager_RouteConfig{RouteConfig: routes}
	return nil
}

// addUnused gives load assignments without a cluster and routes without a listener one each, or nobody would look at them.
func (s *resourceSet) addUnused() error {
	for name, assignment := range s.assignments {
		if !s.used["endpoints "+name] {
			s.clusters = append(s.clusters, &clusterv3.Cluster{
				Name:                 "unused/" + name,
				ClusterDiscoveryType: &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STATIC},
				LoadAssignment:       assignment,
			})
		}
	}
	for name, routes := range s.routes {
		if s.used["routes "+name] {
			continue
		}
		listener, err := listenerFor(routes)
		if err != nil {
			return fmt.Errorf("route configuration %s: %w", name, err)
		}
		s.listeners = append(s.listeners, listener)
	}
	return nil
}

// listenerFor is a listener that does nothing but hold routes.
func listenerFor(routes *routev3.RouteConfiguration) (*listenerv3.Listener, error) {
	router, err := anypb.New(&routerv3.Router{})
	if err != nil {
		return nil, err
	}
	manager, err := anypb.New(&hcmv3.HttpConnectionManager{
		StatPrefix:     "unused",
		RouteSpecifier: &hcmv3.HttpConnectionManager_RouteConfig{RouteConfig: routes},
		HttpFilters: []*hcmv3.HttpFilter{{
			Name:       "envoy.filters.http.router",
			ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: router},
		}},
	})
	if err != nil {
		return nil, err
	}
	return &listenerv3.Listener{
		Name:    "unused/" + routes.Name,
		Address: socketAddress("127.0.0.1", 0),
		FilterChains: []*listenerv3.FilterChain{{Filters: []*listenerv3.Filter{{
			Name:       "envoy.filters.network.http_connection_manager",
			ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: manager},
		}}}},
	}, nil
}

// addSystemCA defines the secret that the bootstrap of a real Envoy defines. Its CAs are made up: the check asks whether
// the configuration is right, not which CAs the machine of the check has.
func (s *resourceSet) addSystemCA() error {
	if !s.systemCA {
		return nil
	}
	for _, secret := range s.secrets {
		if secret.Name == SystemCA {
			return nil
		}
	}
	pem, err := throwawayCA()
	if err != nil {
		return fmt.Errorf("make a CA: %w", err)
	}
	s.secrets = append(s.secrets, &tlsv3.Secret{
		Name: SystemCA,
		Type: &tlsv3.Secret_ValidationContext{ValidationContext: &tlsv3.CertificateValidationContext{
			TrustedCa: &corev3.DataSource{Specifier: &corev3.DataSource_InlineBytes{InlineBytes: pem}},
		}},
	})
	return nil
}
