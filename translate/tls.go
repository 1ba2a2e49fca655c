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
	name      string   // the one name to send and to check; empty: each node's own
	addresses []string // IP addresses, one of which the certificate must carry; no SNI is sent
	ca        []byte   // nil: the CAs of Envoy's machine
	insecure  bool     // check nothing
	http2     bool     // offer HTTP/2, which servers speak over TLS only where it is agreed on
}

// upstreamTLS is what Envoy says to nodes, and asks of them.
func upstreamTLS(v verification) *tlsv3.UpstreamTlsContext {
	context := &tlsv3.UpstreamTlsContext{CommonTlsContext: &tlsv3.CommonTlsContext{}}
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
	switch checks := validationContext(v); {
	case v.ca != nil:
		context.CommonTlsContext.ValidationContextType = &tlsv3.CommonTlsContext_ValidationContext{ValidationContext: checks}
	default:
		context.CommonTlsContext.ValidationContextType = &tlsv3.CommonTlsContext_CombinedValidationContext{
			CombinedValidationContext: &tlsv3.CommonTlsContext_CombinedCertificateValidationContext{
				DefaultValidationContext:         checks,
				ValidationContextSdsSecretConfig: &tlsv3.SdsSecretConfig{Name: SystemCA},
			},
		}
	}
	return context
}

// validationContext holds the CA, unless it is the system's, and the addresses.
func validationContext(v verification) *tlsv3.CertificateValidationContext {
	context := &tlsv3.CertificateValidationContext{}
	if v.ca != nil {
		context.TrustedCa = inline(v.ca)
	}
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
