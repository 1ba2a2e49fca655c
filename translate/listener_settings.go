package translate

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	proxyprotocolv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/proxy_protocol/v3"
	tlsinspectorv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/tls_inspector/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/weirproxy/weir/model"
)

// listenerFilters look at a connection before a filter chain is chosen for it.
func listenerFilters(l *model.Listener) []*listenerv3.ListenerFilter {
	var out []*listenerv3.ListenerFilter
	add := func(name string, config proto.Message) {
		out = append(out, &listenerv3.ListenerFilter{
			Name:       name,
			ConfigType: &listenerv3.ListenerFilter_TypedConfig{TypedConfig: pack(config)},
		})
	}
	if l.ProxyProtocol {
		// A connection without the header is closed: who may leave it out may also make one up.
		add("envoy.filters.listener.proxy_protocol", &proxyprotocolv3.ProxyProtocol{})
	}
	if len(l.Certificates) > 0 { // also where nothing is to be chosen: the access log has the SNI from it
		add("envoy.filters.listener.tls_inspector", &tlsinspectorv3.TlsInspector{})
	}
	return out
}

// commonHTTP are the options of callers' connections, whatever the version of HTTP.
func commonHTTP(l *model.Listener) *corev3.HttpProtocolOptions {
	return &corev3.HttpProtocolOptions{
		IdleTimeout: durationpb.New(l.Limits.IdleTimeout),
		// Nothing trusts a header by its name, so names with underscores, which applications do use, may pass.
		HeadersWithUnderscoresAction: corev3.HttpProtocolOptions_ALLOW,
	}
}

// setListenerLimits puts into a connection manager what the operator said of its listener. What is Envoy's default
// stays unsaid.
func setListenerLimits(m *hcmv3.HttpConnectionManager, l *model.Listener) {
	if l.Limits.MaxRequestHeadersKB != envoyHeadersKB {
		m.MaxRequestHeadersKb = wrapperspb.UInt32(uint32(l.Limits.MaxRequestHeadersKB))
	}
	if l.Limits.RequestTimeout > 0 {
		m.RequestTimeout = durationpb.New(l.Limits.RequestTimeout)
	}
	m.XffNumTrustedHops = uint32(l.XFFNumTrustedHops)
	if l.TLS.ClientCA != nil {
		// Nodes learn who the caller is, and never from the caller's own words.
		m.ForwardClientCertDetails = hcmv3.HttpConnectionManager_SANITIZE_SET
		m.SetCurrentClientCertDetails = &hcmv3.HttpConnectionManager_SetCurrentClientCertDetails{
			Subject: wrapperspb.Bool(true), Dns: true, Uri: true,
		}
	}
}

// envoyHeadersKB is Envoy's default for the headers of a request.
const envoyHeadersKB = 60
