package translate

import (
	"net"
	"net/netip"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/proto"

	"github.com/weirproxy/weir/model"
)

// SystemCA is the name of the secret with the CAs of Envoy's machine. The bootstrap defines it, because their place is a
// fact of that machine.
const SystemCA = "system_ca"

// verification is how the nodes of an https upstream prove who they are. Envoy checks nothing unless told, and two of
// its settings check nothing where they look as if they did: auto_sni_san_validation when no SNI is sent, and
// auto_host_sni on an endpoint without a host name. So names and addresses never share a context.
type verification struct {
	name      string           // the one name to send and to check; empty: each node's own
	addresses []string         // IP addresses, one of which the certificate must carry; no SNI is sent
	ca        string           // the secret with the CAs; empty: those of Envoy's machine
	client    string           // the secret with what is shown to nodes; empty: nothing
	version   model.TLSVersion // the oldest
	insecure  bool             // check nothing
	http2     bool             // offer HTTP/2, which servers speak over TLS only where it is agreed on
}

// upstreamTLS is what Envoy says to nodes, and asks of them.
func upstreamTLS(v verification) *tlsv3.UpstreamTlsContext {
	context := &tlsv3.UpstreamTlsContext{CommonTlsContext: &tlsv3.CommonTlsContext{}}
	// Unlike a server, an Envoy that calls one takes nothing newer than TLS 1.2 by itself.
	context.CommonTlsContext.TlsParams = &tlsv3.TlsParameters{TlsMaximumProtocolVersion: tlsv3.TlsParameters_TLSv1_3}
	if v.version == model.TLS13 {
		context.CommonTlsContext.TlsParams.TlsMinimumProtocolVersion = tlsv3.TlsParameters_TLSv1_3
	}
	if v.client != "" {
		context.CommonTlsContext.TlsCertificateSdsSecretConfigs = []*tlsv3.SdsSecretConfig{{Name: v.client, SdsConfig: ads()}}
	}
	if v.http2 {
		context.CommonTlsContext.AlpnProtocols = []string{"h2"}
	}
	switch {
	case len(v.addresses) > 0: // an address is no SNI (RFC 6066, 3)
	case v.name != "":
		context.Sni = v.name
	default:
		context.AutoHostSni = true
	}
	if v.insecure {
		return context
	}
	context.AutoSniSanValidation = len(v.addresses) == 0
	trusted := &tlsv3.SdsSecretConfig{Name: SystemCA}
	if v.ca != "" {
		trusted = &tlsv3.SdsSecretConfig{Name: v.ca, SdsConfig: ads()}
	}
	context.CommonTlsContext.ValidationContextType = &tlsv3.CommonTlsContext_CombinedValidationContext{
		CombinedValidationContext: &tlsv3.CommonTlsContext_CombinedCertificateValidationContext{
			DefaultValidationContext:         validationContext(v),
			ValidationContextSdsSecretConfig: trusted,
		},
	}
	return context
}

// validationContext is what is checked besides the CA: the addresses.
func validationContext(v verification) *tlsv3.CertificateValidationContext {
	context := &tlsv3.CertificateValidationContext{}
	for _, address := range v.addresses {
		context.MatchTypedSubjectAltNames = append(context.MatchTypedSubjectAltNames, &tlsv3.SubjectAltNameMatcher{
			SanType: tlsv3.SubjectAltNameMatcher_IP_ADDRESS,
			Matcher: &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Exact{Exact: address}},
		})
	}
	return context
}

// checkedName is the one name that all nodes of an upstream must prove, or "" when each has its own. An address is in the
// form in which Envoy compares it.
func checkedName(u *model.Upstream) string {
	name := hostOf(u.HostHeader)
	if u.TLS != nil && u.TLS.SNI != "" {
		name = u.TLS.SNI
	}
	if address, err := netip.ParseAddr(name); err == nil {
		return address.String()
	}
	return strings.ToLower(name)
}

// hostOf is a Host header without its port, and without the brackets of an IPv6 address.
func hostOf(header string) string {
	if host, _, err := net.SplitHostPort(header); err == nil {
		return host
	}
	return strings.Trim(header, "[]")
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// tlsSocket is a transport socket that speaks TLS.
func tlsSocket(context proto.Message) *corev3.TransportSocket {
	return &corev3.TransportSocket{
		Name:       "envoy.transport_sockets.tls",
		ConfigType: &corev3.TransportSocket_TypedConfig{TypedConfig: pack(context)},
	}
}

func inline(data []byte) *corev3.DataSource {
	return &corev3.DataSource{Specifier: &corev3.DataSource_InlineBytes{InlineBytes: data}}
}
