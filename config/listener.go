package config

import (
	"time"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/model"
)

// What a listener does where nothing else is said. They are Envoy's own values.
const (
	defaultRequestHeadersKB = 60
	defaultIdleTimeout      = time.Hour
)

// The bounds of a listener's numbers. Envoy holds more hops, and nobody means them.
const (
	maxRequestHeadersKB = 8192
	maxTrustedHops      = 100
)

// decodeListenerTLS reads what a listener asks of callers over TLS.
func (l *loader) decodeListenerTLS(body *lang.Body) model.ListenerTLS {
	version, file := body.String("tls_min_version"), body.String("client_ca_file")
	out := model.ListenerTLS{
		MinVersion:   choice(l, version, model.TLS12, model.TLS12, model.TLS13).V,
		ClientCAFile: file.Or(""),
	}
	if len(body.Blocks("tls")) == 0 {
		for name, said := range map[string]lang.Value[string]{"tls_min_version": version, "client_ca_file": file} {
			if said.Said() {
				l.report(ruleValue, said.Range, "TLS setting of a listener without TLS",
					"%s means nothing on a listener without a tls block, which takes plain HTTP. Add a tls block with a certificate, or remove %s.", name, name)
			}
		}
		return out
	}
	if text, ok := l.read(file, "client_ca_file"); ok {
		chain, certificates, wrong := l.parseChain(text)
		if wrong == "" {
			wrong = wrongCA(certificates, l.now)
		}
		if wrong != "" {
			l.report(ruleCertificate, file.Range, "Unusable CA file", "%s cannot be used to verify callers. %s", file.V, wrong)
		}
		out.ClientCA = chain
	}
	return out
}

// decodeListenerSettings reads the limits of a listener, and whom it believes about a caller's address.
func (l *loader) decodeListenerSettings(body *lang.Body, out *model.Listener) {
	out.Limits = model.ListenerLimits{
		MaxRequestHeadersKB: l.number(body.Int("max_request_headers_kb"), "max_request_headers_kb", defaultRequestHeadersKB, 1, maxRequestHeadersKB),
		IdleTimeout:         l.span(body.Duration("idle_timeout"), "idle_timeout", defaultIdleTimeout, true),
		RequestTimeout:      l.span(body.Duration("request_timeout"), "request_timeout", 0, true),
	}
	out.XFFNumTrustedHops = l.number(body.Int("xff_num_trusted_hops"), "xff_num_trusted_hops", 0, 0, maxTrustedHops)
	out.ProxyProtocol = body.Bool("proxy_protocol").Or(false)
}
