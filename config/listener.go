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
		if wrong != "" {
			l.report(ruleCertificate, file.Range, "Unusable CA file", "%s cannot be used to verify callers. %s", file.V, wrong)
		}
		l.warnOfCA(file, certificates, "every caller is refused")
		out.ClientCA = chain
	}
	return out
}

// decodeHTTP3 reads how a listener speaks HTTP/3, and holds that it can.
func (l *loader) decodeHTTP3(listener, body *lang.Body, port uint16) *model.HTTP3 {
	if len(listener.Blocks("tls")) == 0 {
		l.report(ruleValue, body.DefRange, "HTTP/3 without TLS",
			"HTTP/3 is always encrypted, and this listener has no tls block. Add one with a certificate, or remove http3.")
	}
	if proxied := listener.Bool("proxy_protocol"); proxied.Or(false) {
		l.report(ruleValue, body.DefRange, "HTTP/3 behind a PROXY protocol",
			"proxy_protocol (%s) says who the caller of a TCP connection is, and HTTP/3 comes over UDP, where there is no such header: whoever reached that port would do without it. Remove http3, or proxy_protocol.", place(proxied.Range))
	}
	out := &model.HTTP3{AdvertisedPort: port, Place: body.Place()}
	if advertised := body.Int("advertised_port"); advertised.Valid() {
		if advertised.V < 1 || advertised.V > 65535 {
			l.report(ruleValue, advertised.Range, "Invalid port", "%d is not a port. A port is a whole number, 1-65535.", advertised.V)
		}
		out.AdvertisedPort = uint16(advertised.V)
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
