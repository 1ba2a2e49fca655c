package translate

import (
	"fmt"
	"time"

	mutationrulesv3 "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	headermutationv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_mutation/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	quicv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/quic/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/weirproxy/weir/model"
)

// advertisedFor is how long callers may remember that there is HTTP/3. One whose next connection over UDP fails takes TCP.
const advertisedFor = 24 * time.Hour

// signOfLife is how often an open connection says so while a request is under way.
const signOfLife = 10 * time.Second

// quicName names the listener on the UDP port of the same number. No socket of TCP is named so.
func quicName(l *model.Listener) string { return socketName(l) + "/udp" }

// quicListener is the Envoy listener of a listener's HTTP/3. Routes, filters, limits and certificates are those on TCP.
//
// What does not stand in its filter chains never changes, so it has no stat_prefix, which would follow the listener's name:
// Envoy cuts every connection when anything else of a QUIC listener is edited, while other filter chains let open ones end.
func quicListener(instance *model.Instance, l *model.Listener) *listenerv3.Listener {
	m := connectionManager(instance, l)
	m.CodecType = hcmv3.HttpConnectionManager_HTTP3
	m.Http2ProtocolOptions, m.Http3ProtocolOptions = nil, http3Options()
	out := &listenerv3.Listener{
		Name:    quicName(l),
		Address: socketAddress(l.Address, l.Port),
		UdpListenerConfig: &listenerv3.UdpListenerConfig{
			QuicOptions: &listenerv3.QuicProtocolOptions{CryptoHandshakeTimeout: durationpb.New(slowStart)},
			// Without it Linux lost half of what callers on the same machine sent in bursts: 5 s for an upload of 1 MiB, in place
			// of 0.03 s.
			DownstreamSocketConfig: &corev3.UdpSocketConfig{PreferGro: wrapperspb.Bool(true)},
		},
	}
	out.Address.GetSocketAddress().Protocol = corev3.SocketAddress_UDP
	setFilterChains(out, instance.Name, l, m, quicSocket)
	return out
}

// http3Options are the bounds of HTTP/2. While a request waits for its answer the gateway shows signs of life: most callers
// give up a connection on which nothing came for 30 s, and no system keeps those of UDP alive.
func http3Options() *corev3.Http3ProtocolOptions {
	return &corev3.Http3ProtocolOptions{QuicProtocolOptions: &corev3.QuicProtocolOptions{
		MaxConcurrentStreams:        wrapperspb.UInt32(maxStreams),
		InitialStreamWindowSize:     wrapperspb.UInt32(streamWindow),
		InitialConnectionWindowSize: wrapperspb.UInt32(connectionWindow),
		ConnectionKeepalive: &corev3.QuicKeepAliveSettings{
			InitialInterval: durationpb.New(signOfLife), MaxInterval: durationpb.New(signOfLife),
		},
	}}
}

// quicSocket speaks TLS 1.3 within QUIC. Nothing is taken before the handshake is over: who recorded it could send it again,
// a POST too.
func quicSocket(context *tlsv3.DownstreamTlsContext) *corev3.TransportSocket {
	context.CommonTlsContext.AlpnProtocols, context.CommonTlsContext.TlsParams = []string{"h3"}, nil
	return &corev3.TransportSocket{
		Name: "envoy.transport_sockets.quic",
		ConfigType: &corev3.TransportSocket_TypedConfig{TypedConfig: pack(&quicv3.QuicDownstreamTransport{
			DownstreamTlsContext: context,
			EnableEarlyData:      wrapperspb.Bool(false),
		})},
	}
}

// advertiseHTTP3 tells callers on TCP of HTTP/3, in every answer, unless a node says something of its own. It is a filter,
// not a header of the routes: these are edited often, and their edits stay as small as they are.
func advertiseHTTP3(l *model.Listener) []*hcmv3.HttpFilter {
	if l.HTTP3 == nil {
		return nil
	}
	value := fmt.Sprintf(`h3=":%d"; ma=%.0f`, l.HTTP3.AdvertisedPort, advertisedFor.Seconds())
	return []*hcmv3.HttpFilter{httpFilter("weir.http3", &headermutationv3.HeaderMutation{Mutations: &headermutationv3.Mutations{
		ResponseMutations: []*mutationrulesv3.HeaderMutation{{Action: &mutationrulesv3.HeaderMutation_Append{Append: &corev3.HeaderValueOption{
			Header:       &corev3.HeaderValue{Key: "alt-svc", Value: value},
			AppendAction: corev3.HeaderValueOption_ADD_IF_ABSENT,
		}}}},
	}})}
}
