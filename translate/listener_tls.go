package translate

import (
	"slices"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/weirproxy/weir/model"
)

// setFilterChains gives a listener its connection manager: one chain without TLS or with one certificate; with more of
// them a chain each, chosen by SNI, and the first again for callers that name no server or an unknown one. Several
// certificates in one context would need no further chains, but Envoy compares their names with an SNI as it was sent,
// and those of a chain without regard to case (RFC 6066, section 3). A further certificate then also leaves the
// connections of the others alone. All chains lead to the same routes, so a connection that serves several names
// (HTTP/2 coalesces them) sees one set of routes.
//
// The socket speaks TLS over TCP, or within QUIC.
func setFilterChains(out *listenerv3.Listener, instance string, l *model.Listener, m *hcmv3.HttpConnectionManager,
	socket func(*tlsv3.DownstreamTlsContext) *corev3.TransportSocket) {
	manager := &listenerv3.Filter{
		Name:       "envoy.filters.network.http_connection_manager",
		ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: pack(m)},
	}
	certificates := distinctCertificates(l)
	if len(certificates) == 0 {
		out.FilterChains = []*listenerv3.FilterChain{{Filters: []*listenerv3.Filter{manager}}}
		return
	}
	chains := make([]*listenerv3.FilterChain, len(certificates))
	for i, certificate := range certificates {
		chains[i] = &listenerv3.FilterChain{
			Filters:                       []*listenerv3.Filter{manager},
			TransportSocket:               socket(downstreamTLS(instance, l, certificate)),
			TransportSocketConnectTimeout: durationpb.New(slowStart),
		}
	}
	if len(chains) == 1 {
		out.FilterChains = chains
		return
	}
	out.DefaultFilterChain = chains[0]
	for i, certificate := range certificates {
		if names := chosenBy(certificate); len(names) > 0 {
			out.FilterChains = append(out.FilterChains, &listenerv3.FilterChain{
				FilterChainMatch:              &listenerv3.FilterChainMatch{ServerNames: names},
				Filters:                       chains[i].Filters,
				TransportSocket:               chains[i].TransportSocket,
				TransportSocketConnectTimeout: chains[i].TransportSocketConnectTimeout,
			})
		}
	}
}

// chosenBy are the names of a certificate by which Envoy can choose: a wildcard stands for whole labels.
func chosenBy(c model.Certificate) []string {
	return slices.DeleteFunc(slices.Clone(c.ServerNames), func(name string) bool {
		return strings.Contains(strings.TrimPrefix(name, "*."), "*")
	})
}

// downstreamTLS is what a TLS listener offers to callers, and asks of them, with one of its certificates. TLS 1.2 is the
// oldest version that Envoy takes unless told otherwise.
func downstreamTLS(instance string, l *model.Listener, certificate model.Certificate) *tlsv3.DownstreamTlsContext {
	common := &tlsv3.CommonTlsContext{
		AlpnProtocols: []string{"h2", "http/1.1"},
		TlsCertificateSdsSecretConfigs: []*tlsv3.SdsSecretConfig{{
			Name: secretName(instance, l.Name, certificate), SdsConfig: ads(),
		}},
	}
	out := &tlsv3.DownstreamTlsContext{CommonTlsContext: common}
	if l.TLS.MinVersion == model.TLS13 {
		common.TlsParams = &tlsv3.TlsParameters{TlsMinimumProtocolVersion: tlsv3.TlsParameters_TLSv1_3}
	}
	if l.TLS.ClientCA != nil {
		out.RequireClientCertificate = wrapperspb.Bool(true)
		common.ValidationContextType = &tlsv3.CommonTlsContext_ValidationContextSdsSecretConfig{
			ValidationContextSdsSecretConfig: &tlsv3.SdsSecretConfig{Name: clientCAName(instance, l.Name), SdsConfig: ads()},
		}
	}
	return out
}

// secretName names a listener's certificate by its file. Its host names would do less well: they change when the
// certificate is renewed, and a new name of a secret is a new listener.
func secretName(instance, listener string, c model.Certificate) string {
	return "tls/" + instance + "/" + listener + "/" + c.CertificateFile
}

// distinctCertificates leaves out what is said twice, since a file has one certificate.
func distinctCertificates(l *model.Listener) []model.Certificate {
	var out []model.Certificate
	for _, c := range l.Certificates {
		same := func(other model.Certificate) bool { return other.CertificateFile == c.CertificateFile }
		if !slices.ContainsFunc(out, same) {
			out = append(out, c)
		}
	}
	return out
}

// certificateSecret carries a certificate and its key to Envoy.
func certificateSecret(name string, c model.Certificate) *tlsv3.Secret {
	return &tlsv3.Secret{Name: name, Type: &tlsv3.Secret_TlsCertificate{TlsCertificate: &tlsv3.TlsCertificate{
		CertificateChain: inline(c.Chain),
		PrivateKey:       inline(c.PrivateKey),
	}}}
}

// clientCAName names the secret with the CAs of a listener's callers. It is a secret, and not a part of the listener, so
// that a renewed file leaves the listener and its connections alone.
func clientCAName(instance, listener string) string { return "client_ca/" + instance + "/" + listener }

// caSecret carries CAs to Envoy.
func caSecret(name string, ca []byte) *tlsv3.Secret {
	return &tlsv3.Secret{Name: name, Type: &tlsv3.Secret_ValidationContext{
		ValidationContext: &tlsv3.CertificateValidationContext{TrustedCa: inline(ca)},
	}}
}
