package e2e

import (
	"fmt"
	"strings"
)

// conditions are none for most APIs.
func (g generator) conditions() string {
	text := ""
	for i := range max(0, g.IntN(6)-3) {
		comparison := g.comparison(true)
		text += fmt.Sprintf("    header %q {\n      %s\n", fmt.Sprintf("%s%d", g.either([]string{"x-version", "X-Version", "accept", "x_y", "x!#$&'*+-.^`|~"}, []string{"x y", ":path", "ü"}), i), comparison)
		if g.IntN(4) == 0 && (!strings.HasPrefix(comparison, "present") || g.IntN(30) == 0) {
			text += "      invert = " + g.one("true", "false") + "\n"
		}
		text += "    }\n"
	}
	for i := range max(0, g.IntN(6)-4) {
		text += fmt.Sprintf("    query %q {\n      %s\n    }\n", fmt.Sprintf("%s%d", g.one("q", "a b", "ü", "a=b&c%", "[x].*"), i), g.comparison(false))
	}
	return text
}

// comparison is one that headers take or, without regular expressions, queries.
func (g generator) comparison(header bool) string {
	text := g.either([]string{"2", "a b", "ü", "a,b", "%REQ(x)%", "100%", "(x", ".*", "\"", "\\", strings.Repeat("long ", 51) + "!"},
		[]string{"", " a", "a ", "a\n", "\u0000", strings.Repeat("x", 257)})
	switch kind := g.IntN(9); {
	case kind == 0:
		return "present = " + g.one("true", "false")
	case kind == 1 && header:
		return fmt.Sprintf("regex = %q", g.either([]string{"a|b", "(?i)x.*", "[0-9]{1,3}", "\\d+\\.\\d+", "(a|b)*c", "a{400}", ".{255}", "(?:(?:a{2,20}){2,9})", "\\Qa.b\\E", "\\x41", "[[:alpha:]]+", "[^[:^digit:]x-z]"},
			[]string{"(", "a{1001}", "(?=a)", "\\1", "(?<n>a)", "\\pL{400}", "\\p{Greek}{20}", "\\x{1F600}", "ü", "((a{30}){30}){2}", "(?P<n>a)(?P<n>b)", "\\C", "[z-a]", "**"}))
	}
	return fmt.Sprintf("%s = %q", g.one("exact", "prefix", "suffix", "contains"), text)
}

// policies are what a service or an API says of headers, origins, limits and callers; mostly nothing. Some belong to requests
// that are forwarded.
func (g generator) policies(indent string, forwards bool) string {
	var lines []string
	add := func(format string, values ...any) { lines = append(lines, fmt.Sprintf(format, values...)) }
	if g.IntN(6) == 0 {
		add("response_headers {\n%s}", g.headerChanges())
	}
	if forwards && g.IntN(12) == 0 {
		add("request_headers {\n%s}", g.headerChanges())
	}
	if forwards && g.IntN(12) == 0 {
		add("cors {\n  allow_origins = [%q]\n  allow_headers = [%q]\n  expose_headers = [\"x-total\"]\n  max_age = %q\n%s}",
			g.either([]string{"*", "https://shop.test", "https://*.shop.test:8443", "http://[::1]:3000", "http://10.0.0.1", "chrome-extension://abc", "https://*.a_b.test"}, []string{"https://*", "null", "https://a.test/", "HTTPS://a.test"}),
			g.either([]string{"*", "content-type", "X-Token", "x!#$"}, []string{"a b", ""}), g.either([]string{"0s", "1h", "24h"}, []string{"1ms", "25h"}),
			g.one("", "", "  allow_credentials = true\n", "  allow_methods = [\"GET\", \"PROPFIND\"]\n", "  allow_methods = [\"OPTIONS\"]\n  allow_credentials = false\n"))
	}
	if g.IntN(8) == 0 {
		add("rate_limit {\n  requests = %s\n  per = %q\n  burst = %s\n}", g.either([]string{"1", "100", "2147483647"}, []string{"0", "4294967295"}),
			g.either([]string{"1s", "1m", "24h", "1500ms"}, []string{"10ms", "25h"}), g.either([]string{"1", "7", "2147483647"}, []string{"-1"}))
	}
	if g.IntN(8) == 0 {
		add("ip_rules {\n  %s = [%q, \"192.0.2.0/24\"]\n}", g.one("allow", "deny"),
			g.either([]string{"0.0.0.0/0", "::/0", "10.0.0.1", "2001:db8::1", "10.8.0.0/16", "::1/128"}, []string{"10.0.0.1/8", "10.0.0.0/33", "x", "fe80::1%eth0"}))
	}
	if forwards && len(indent) > 2 && g.IntN(15) == 0 {
		add("websocket = true")
	}
	text := ""
	for _, line := range lines {
		text += indent + strings.ReplaceAll(line, "\n", "\n"+indent) + "\n"
	}
	return text
}

func (g generator) headerChanges() string {
	text := ""
	names := []string{"x-a", "X-B", "x_c", "x!#$&'*+-.^`|~", "server", "date", "authorization", "content-type", "x-forwarded-for", "cookie", "accept-encoding"}
	odd := []string{"host", "connection", ":path", "x-envoy-retry-on", "a b", "content-length", ""}
	values := []string{"", "a", "100%", "%REQ(:path)%", "%%", "%", "ünïcode", "a\tb", "\"", "\\", strings.Repeat("x", 4096)}
	for _, way := range []string{"set", "add"} {
		if g.IntN(2) == 0 {
			text += fmt.Sprintf("  %s = { %q = %q }\n", way, g.either(names, odd)+way, strings.ReplaceAll(g.either(values, []string{"a\nb", " a", "a\x00"}), "%{", "%"))
		}
	}
	return text + fmt.Sprintf("  remove = [%q]\n", g.either(names, odd))
}
