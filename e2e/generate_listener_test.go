package e2e

import (
	"fmt"
	"strings"
)

// listenerSettings are what a listener may say besides its port. A refused one would refuse its whole batch, so all of
// them are in range.
func (g generator) listenerSettings() string {
	text := ""
	for _, attribute := range []string{
		fmt.Sprintf("max_request_headers_kb = %d", g.oneOf(1, 60, 96, 8192)),
		fmt.Sprintf("idle_timeout = %q", g.one("0s", "1ms", "5m", "8760h")),
		fmt.Sprintf("request_timeout = %q", g.one("0s", "1ms", "1.5s", "8760h")),
		fmt.Sprintf("xff_num_trusted_hops = %d", g.oneOf(0, 1, 100)),
		fmt.Sprintf("proxy_protocol = %v", g.often()),
	} {
		if g.seldom() {
			text += "    " + attribute + "\n"
		}
	}
	if g.seldom() {
		return text
	}
	certificates := [][]string{{"edge"}, {"other", "edge"}, {"edge", "other"}}[g.IntN(3)]
	for _, name := range certificates {
		text += fmt.Sprintf("    tls {\n      certificate_file = \"%s.crt\"\n      private_key_file = \"%s.key\"\n    }\n", name, name)
	}
	if g.seldom() {
		text += fmt.Sprintf("    tls_min_version = %q\n", g.one("1.2", "1.3"))
	}
	if g.seldom() {
		text += "    client_ca_file = \"ca.pem\"\n"
	}
	if g.often() && !strings.Contains(text, "proxy_protocol = true") {
		text += g.one("    http3 {}\n", "    http3 {\n      advertised_port = 443\n    }\n")
	}
	return text
}

// oneOf is one of the numbers.
func (g generator) oneOf(numbers ...int) int { return numbers[g.IntN(len(numbers))] }

// observation is how an instance tells of its requests.
func (g generator) observation() string {
	text := ""
	if g.seldom() {
		text += "  access_log {\n"
		if g.often() {
			text += fmt.Sprintf("    format = %q\n", g.one("json", "text"))
		}
		if g.often() {
			text += fmt.Sprintf("    path = %q\n", g.one("/dev/stdout", "/dev/stderr", "/nowhere/access %d.log", "/dev/null"))
		}
		text += "  }\n"
	}
	if g.seldom() {
		text += fmt.Sprintf("  tracing {\n    otlp = %q\n    sampling = %s\n  }\n",
			g.one("127.0.0.1:4317", "[::1]:1", "collector:65535", "Collector.internal:4317"), g.one("0", "1", "0.5", "1e-9", "null"))
	}
	return text
}
