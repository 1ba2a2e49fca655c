package e2e

import (
	"fmt"
	"strings"
)

// upstreamSettings are attributes and blocks of an upstream beyond those that it must have.
func (g generator) upstreamSettings() string {
	var b strings.Builder
	for _, setting := range []func(*strings.Builder){g.retry, g.limits, g.health, g.outliers, g.balancing} {
		if g.seldom() {
			setting(&b)
		}
	}
	return b.String()
}

// some are a few of the words, or none.
func (g generator) some(words ...string) string {
	var drawn []string
	for _, word := range words {
		if g.seldom() {
			drawn = append(drawn, fmt.Sprintf("%q", word))
		}
	}
	return "[" + strings.Join(drawn, ", ") + "]"
}

// span is a duration that weir takes.
func (g generator) span() string { return g.one("1ms", "5ms", "1500us", "1s", "7m", "8760h") }

// maybe writes an attribute, or does not.
func (g generator) maybe(b *strings.Builder, name, format string, value any) {
	if g.IntN(2) == 0 {
		fmt.Fprintf(b, "    %s = "+format+"\n", name, value)
	}
}

func (g generator) retry(b *strings.Builder) {
	b.WriteString("  retry {\n")
	g.maybe(b, "on", "%s", g.some("connect-failure", "refused-stream", "reset", "reset-before-request", "gateway-error", "5xx",
		"retriable-4xx", "envoy-ratelimited", "400", "404", "503", "599"))
	g.maybe(b, "per_try_timeout", "%q", g.span())
	if g.seldom() {
		b.WriteString("    back_off {\n")
		g.maybe(b, "base", "%q", g.one("1ms", "5ms", "1500us"))
		g.maybe(b, "max", "%q", g.one("50ms", "60ms", "8760h"))
		b.WriteString("    }\n")
	}
	if g.seldom() {
		b.WriteString("    budget {\n")
		g.maybe(b, "percent", "%d", 1+g.IntN(100))
		g.maybe(b, "min_concurrency", "%d", 1+g.IntN(1<<31-1))
		b.WriteString("    }\n")
	}
	b.WriteString("  }\n")
}

func (g generator) limits(b *strings.Builder) {
	g.maybe(b, "connect_timeout", "%q", g.span())
	g.maybe(b, "idle_timeout", "%q", g.one("0s", g.span()))
	g.maybe(b, "max_connection_duration", "%q", g.one("0s", g.span()))
	g.maybe(b, "max_requests_per_connection", "%d", 1+g.IntN(1<<31-1))
	if g.seldom() {
		b.WriteString("  circuit_breaker {\n")
		for _, name := range []string{"max_connections", "max_pending_requests", "max_requests", "max_retries"} {
			g.maybe(b, name, "%s", g.one("1", "2147483647", "1024"))
		}
		b.WriteString("  }\n")
	}
	if g.seldom() {
		b.WriteString("  tcp_keepalive {\n")
		g.maybe(b, "time", "%q", g.one("1s", "32767s"))
		g.maybe(b, "interval", "%q", g.one("1s", "32767s"))
		g.maybe(b, "probes", "%d", 1+g.IntN(127))
		b.WriteString("  }\n")
	}
	if g.IntN(8) == 0 {
		fmt.Fprintf(b, "  http2_keepalive {\n    interval = %q\n", g.span())
		g.maybe(b, "timeout", "%q", g.span())
		b.WriteString("  }\n")
	}
}

func (g generator) health(b *strings.Builder) {
	b.WriteString("  health_check {\n")
	kind := g.one("http", "http", "http", "http", "tcp", "tcp", "grpc")
	g.maybe(b, "interval", "%q", g.span())
	g.maybe(b, "timeout", "%q", g.span())
	g.maybe(b, "healthy_threshold", "%d", 1+g.IntN(1<<31-1))
	g.maybe(b, "unhealthy_threshold", "%d", 1+g.IntN(1<<31-1))
	if kind != "http" || g.seldom() {
		fmt.Fprintf(b, "    type = %q\n", kind)
	}
	if kind == "http" {
		g.maybe(b, "path", "%q", g.either([]string{"/", "/health?a=b&c", "/%20", "//"}, []string{"health", "/a b", "/#"}))
		g.maybe(b, "expected_statuses", "%s", g.one(`["200"]`, `["100-599", "204"]`, `[200, 301]`, `["599"]`))
	}
	if kind != "tcp" {
		g.maybe(b, "host", "%q", g.one("a.internal", "[::1]:80", "10.0.0.1"))
	}
	if kind == "grpc" {
		g.maybe(b, "service", "%q", g.one("", "a.b.C", "ü"))
	}
	b.WriteString("  }\n")
	g.maybe(b, "panic_threshold", "%d", g.IntN(101))
}

func (g generator) outliers(b *strings.Builder) {
	b.WriteString("  outlier_detection {\n")
	for _, name := range []string{"consecutive_5xx", "consecutive_gateway_failure", "consecutive_local_origin_failure"} {
		g.maybe(b, name, "%s", g.one("0", "1", "2147483647"))
	}
	g.maybe(b, "interval", "%q", g.span())
	g.maybe(b, "base_ejection_time", "%q", g.one("1ms", "7m"))
	g.maybe(b, "max_ejection_time", "%q", g.one("7m", "8760h"))
	g.maybe(b, "max_ejection_percent", "%d", 1+g.IntN(100))
	b.WriteString("  }\n")
}

func (g generator) balancing(b *strings.Builder) {
	algorithm := g.one("weighted_round_robin", "weighted_round_robin", "least_request", "least_request", "random", "ring_hash", "ring_hash", "maglev", "maglev")
	fmt.Fprintf(b, "  load_balancing = %q\n", algorithm)
	if hashes := algorithm == "ring_hash" || algorithm == "maglev"; hashes && g.often() || g.IntN(20) == 0 {
		fmt.Fprintf(b, "  hash_key {\n    %s\n  }\n", g.one(`header = "X-User"`, `cookie = "a.b-c_d"`, "source_address = true",
			"cookie = \"c\"\n    ttl = \"0s\"", "cookie = \"c\"\n    ttl = \"8760h\""))
	}
	if strings.HasSuffix(algorithm, "n") && g.seldom() || algorithm == "least_request" && g.seldom() {
		fmt.Fprintf(b, "  slow_start {\n    window = %q\n", g.span())
		g.maybe(b, "min_weight_percent", "%d", 1+g.IntN(100))
		b.WriteString("  }\n")
	}
}
