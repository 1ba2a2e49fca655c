package translate

import (
	"net/netip"
	"slices"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/weirproxy/weir/model"
)

const (
	// streamIdle ends a stream on which nothing moved. It is Envoy's default, written down because routes with a
	// longer timeout must lift it.
	streamIdle = 5 * time.Minute
	// slowStart is how long a caller may take to finish a TLS handshake, and to send its headers: against callers that
	// hold connections open by sending a byte at a time. Envoy waits for ever by default.
	slowStart = 10 * time.Second
	// What one connection of HTTP/2 and HTTP/3 may have under way: requests, and bytes that are not forwarded yet.
	maxStreams       = 100
	streamWindow     = 64 << 10
	connectionWindow = 1 << 20
)

// listener is the Envoy listener of one port.
func listener(instance *model.Instance, l *model.Listener) *listenerv3.Listener {
	manager := connectionManager(instance, l)
	manager.HttpFilters = slices.Concat(advertiseHTTP3(l), manager.HttpFilters)
	out := &listenerv3.Listener{
		Name:            socketName(l),
		StatPrefix:      l.Name,
		Address:         socketAddress(l.Address, l.Port),
		ListenerFilters: listenerFilters(l),
		// Buffers stay at Envoy's 1 MiB, not at the 32 KiB of its edge guide: a request whose body outgrows the buffer
		// can no longer be retried.
	}
	if len(out.ListenerFilters) > 0 {
		out.ListenerFiltersTimeout = durationpb.New(slowStart)
	}
	setFilterChains(out, instance.Name, l, manager, func(c *tlsv3.DownstreamTlsContext) *corev3.TransportSocket { return tlsSocket(c) })
	return out
}

// socketName names a listener's resource and its routes by its socket, not by its name. Envoy refuses a listener at an address
// that another one has, and two that change ports with each other would: so they change names instead, in place. And a
// listener that got another name would drain the connections of its old self for minutes; both must follow the same routes,
// or the old one leads to clusters that are gone.
func socketName(l *model.Listener) string { return hostPort(l.Address.String(), l.Port) }

// connectionManager holds what Envoy's guide for edge proxies advises, as far as no caller and no node is surprised.
//
// internal_address_config must stay unset: set, even to an empty message, it makes callers from private addresses
// "internal", and their x-envoy-retry-on, x-envoy-max-retries and the like are obeyed. Unset, nobody is internal, and
// with use_remote_address Envoy removes those that it would obey from every request; reserved.go removes the others.
func connectionManager(instance *model.Instance, l *model.Listener) *hcmv3.HttpConnectionManager {
	m := &hcmv3.HttpConnectionManager{
		CodecType:                     hcmv3.HttpConnectionManager_AUTO,
		StatPrefix:                    l.Name,
		RouteSpecifier:                scopedRoutes(),
		EarlyHeaderMutationExtensions: []*corev3.TypedExtensionConfig{forgetReserved(), startScope(socketName(l))},
		HttpFilters:                   httpFilters(instance),
		UseRemoteAddress:              wrapperspb.Bool(true),
		// Routes are chosen by path, so "/a/../b", "/a//b" and "/%61" may not slip past one.
		NormalizePath: wrapperspb.Bool(true),
		MergeSlashes:  true,
		// An encoded slash is data within one segment, as in /files/a%2Fb, and goes on as it came. Unescaping it, as
		// the guide advises, would change which API is meant.
		PathWithEscapedSlashesAction: hcmv3.HttpConnectionManager_KEEP_UNCHANGED,
		CommonHttpProtocolOptions:    commonHTTP(l),
		Http2ProtocolOptions: &corev3.Http2ProtocolOptions{
			MaxConcurrentStreams:        wrapperspb.UInt32(maxStreams),
			InitialStreamWindowSize:     wrapperspb.UInt32(streamWindow),
			InitialConnectionWindowSize: wrapperspb.UInt32(connectionWindow),
		},
		StreamIdleTimeout:     durationpb.New(streamIdle),
		RequestHeadersTimeout: durationpb.New(slowStart),
		// No request_timeout unless one is said: it cuts long uploads that do move; one that does not is idle.

		// The Server header is the node's own affair, and the gateway does not say what it runs on.
		ServerHeaderTransformation: hcmv3.HttpConnectionManager_PASS_THROUGH,
	}
	setListenerLimits(m, l)
	m.AccessLog = accessLog(instance.AccessLog, l)
	m.Tracing = tracing(instance)
	return m
}

// httpFilters are the filters of every listener. Those that find the route's scope go before all that ask for the route; the
// router is last.
func httpFilters(instance *model.Instance) []*hcmv3.HttpFilter {
	return slices.Concat(
		scopeFilters(),
		observation(instance),
		policyFilters(),
		[]*hcmv3.HttpFilter{
			httpFilter(idempotentFilter, idempotentRetries()),
			// No headers about itself: callers are not told what the gateway runs on, and of nodes' own none is written over.
			// X-Envoy-External-Address, which the connection manager gives to nodes, is the one that stays.
			httpFilter("envoy.filters.http.router", &routerv3.Router{SuppressEnvoyHeaders: true}),
		})
}

func httpFilter(name string, config proto.Message) *hcmv3.HttpFilter {
	return &hcmv3.HttpFilter{Name: name, ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: pack(config)}}
}

// offByDefault is a filter that only requests pass whose route has a configuration for it.
func offByDefault(name string, config proto.Message) *hcmv3.HttpFilter {
	f := httpFilter(name, config)
	f.Disabled = true
	return f
}

// switchedOn is the configuration of a route that has none of its own for a filter that is off by default.
var switchedOn = pack(&routev3.FilterConfig{Config: &anypb.Any{}})

// ads says that a resource comes over the stream that this one came over.
func ads() *corev3.ConfigSource {
	return &corev3.ConfigSource{
		ConfigSourceSpecifier: &corev3.ConfigSource_Ads{Ads: &corev3.AggregatedConfigSource{}},
		ResourceApiVersion:    corev3.ApiVersion_V3,
	}
}

// socketAddress is where a listener listens. "::" takes IPv4 callers too, as it does in most servers; Envoy would open it
// for IPv6 alone, and "every address" would leave half of the callers out.
func socketAddress(address netip.Addr, port uint16) *corev3.Address {
	a := hostAddress(address.String(), port)
	a.GetSocketAddress().Ipv4Compat = address == netip.IPv6Unspecified()
	return a
}

// hostAddress is a TCP port of a host, which is an address or, in a DNS cluster only, a name.
func hostAddress(host string, port uint16) *corev3.Address {
	return &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
		Address:       host,
		PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: uint32(port)},
	}}}
}
