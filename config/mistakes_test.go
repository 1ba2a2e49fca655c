package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weirproxy/weir/config/lang"
)

// where are the places of a configuration at which TestMistakes puts a newcomer's text.
var where = map[string]string{
	"instance": "", "upstream": "", "grpc": "", "https": "", "service": "", "api": "", "backend": "upstream = upstream.orders",
}

const mistaken = `vpc "main" {}
instance "edge" {
  vpc = vpc.main
  listener "http" { port = 8080 }
<instance>
}
upstream "orders" {
  vpc      = vpc.main
  protocol = "http"
<upstream>
  node "10.0.0.1:80" {}
}
upstream "calls" {
  vpc      = vpc.main
  protocol = "grpc"
<grpc>
  node "10.0.0.1:80" {}
}
upstream "secure" {
  vpc      = vpc.main
  protocol = "https"
<https>
  node "a.test:80" {}
}
service "shop" {
  instance = instance.edge
<service>
  api "all" {
    path_prefix = "/shop"
<api>
    backend {
<backend>
    }
  }
}
`

// TestMistakes makes the mistakes of somebody who comes from elsewhere, one at a time: there is one message, at the text that is
// wrong, and it says what to write.
func TestMistakes(t *testing.T) {
	root := writeFiles(t, nil)
	for _, m := range []struct{ where, text, at, remedy string }{
		{"upstream", `load_balancing = "round_robin"`, `"round_robin"`, `Did you mean "weighted_round_robin"?`},
		{"upstream", `load_balancing = "roundrobin"`, `"roundrobin"`, `Did you mean "weighted_round_robin"?`},
		{"upstream", `load_balancing = "least_conn"`, `"least_conn"`, `Did you mean "least_request"?`},
		{"upstream", `load_balancing = "Random"`, `"Random"`, `Did you mean "random"?`},
		{"upstream", `load_balancing = "ip_hash"`, `"ip_hash"`, `Write "maglev", and hash_key { source_address = true }.`},
		{"upstream", `lb_policy = "random"`, `lb_policy`, `Did you mean "load_balancing"?`},
		{"upstream", `timeout = "2s"`, `timeout`, `backend { timeout = "15s" }`},
		{"upstream", `weight = 3`, `weight`, `node "10.0.0.1:8080" { weight = 3 }`},
		{"upstream", `servers = ["10.0.0.1:80"]`, `servers`, `node "10.0.0.1:8080" {}`},
		{"upstream", `max_connections = 3`, `max_connections`, `circuit_breaker { max_connections = ... }`},
		{"upstream", `connect_timeout = "2"`, `"2"`, `Write: "2s"`},
		{"upstream", `connect_timeout = "2 sec"`, `"2 sec"`, `Write: "2s"`},
		{"upstream", `connect_timeout = "1 min 30 s"`, `"1 min 30 s"`, `Write: "1m30s"`},
		{"upstream", `max_connection_duration = "1d"`, `"1d"`, `Write: "24h"`},
		{"upstream", `retries = "3x"`, `"3x"`, `Write: 3`},
		{"upstream", "retry {\n on = [\"5XX\"]\n}", `"5XX"`, `Did you mean "5xx"?`},
		{"upstream", "retry {\n on = [\"connect_failure\"]\n}", `"connect_failure"`, `Did you mean "connect-failure"?`},
		{"upstream", "retry {\n on = [\"502-504\"]\n}", `"502-504"`, `Name each status by itself`},
		{"upstream", "retry {\n on = [\"timeout\"]\n}", `"timeout"`, `per_try_timeout`},
		{"upstream", "retry {\n on = \"5xx\"\n}", `"5xx"`, `Write brackets around it: ["5xx"]`},
		{"upstream", "retry {\n attempts = 3\n}", `attempts`, `beside this block: retries = 5`},
		{"upstream", "retry {\n timeout = \"3s\"\n}", `timeout`, `Did you mean "per_try_timeout"?`},
		{"upstream", "health_check {\n type = \"https\"\n}", `"https"`, `made over TLS where the upstream's protocol is "https"`},
		{"upstream", "health_check {\n url = \"/health\"\n}", `url`, `Did you mean "path"?`},
		{"upstream", "health_check {\n path = \"health\"\n}", `"health"`, `Write "/health".`},
		{"upstream", "health_check {\n expected_statuses = [\"2xx\"]\n}", `"2xx"`, `Write "200-299".`},
		{"upstream", "health_check {\n rise = 3\n}", `rise`, `Did you mean "healthy_threshold"?`},
		{"upstream", "health_check {\n}}", `}`, `on a line of its own`},
		{"upstream", "health_check {}\npanic_threshold = \"50%\"", `"50%"`, `Write: 50`},
		{"upstream", "outlier_detection {\n consecutive_errors = 3\n}", `consecutive_errors`, `Did you mean "consecutive_5xx"?`},
		{"upstream", "circuit_breaker {\n max_requests = 0\n}", `0`, `leave it out`},
		{"upstream", "circuit_breaker {\n threshold = 5\n}", `threshold`, `outlier_detection`},
		{"upstream", "slow_start {\n duration = \"30s\"\n}", `duration`, `Did you mean "window"?`},
		{"upstream", "tcp_keepalive {\n idle = \"60s\"\n}", `idle`, `Did you mean "time"?`},
		{"upstream", "http2_keepalive {\n interval = \"30s\"\n}", `http2_keepalive`, `Write tcp_keepalive`},
		{"upstream", "load_balancing = \"maglev\"\nhash_key {\n source_ip = true\n}", `source_ip`, `Did you mean "source_address"?`},
		{"grpc", "http2_keepalive {}", `http2_keepalive`, `An http2_keepalive block needs the attribute "interval"`},
		{"https", "tls {\n min_version = \"TLSv1.2\"\n}", `"TLSv1.2"`, `Did you mean "1.2"?`},
		{"https", "tls {\n min_version = \"1.1\"\n}", `"1.1"`, `not to be had`},
		{"https", "tls {\n ca = \"tls/ca.crt\"\n}", `ca`, `Did you mean "ca_file"?`},
		{"https", "tls {\n server_name = \"a.test\"\n}", `server_name`, `Did you mean "sni"?`},
		{"https", "tls {\n verify = false\n}", `verify`, `Did you mean "insecure_skip_verify"?`},
		{"instance", "listener \"s\" {\n port = 81\n protocol = \"https\"\n}", `protocol`, `with a tls block takes HTTPS`},
		{"instance", "listener \"s\" {\n port = 81\n tls = true\n}", `tls`, `Write: tls { ... }`},
		{"instance", "listener \"s\" {\n port = \"81/tcp\"\n}", `"81/tcp"`, `Write: 81`},
		{"instance", "access_log {\n path = \"stdout\"\n}", `"stdout"`, `Write "/dev/stdout".`},
		{"instance", "access_log {\n format = \"JSON\"\n}", `"JSON"`, `Did you mean "json"?`},
		{"instance", "access_log {\n file = \"/x\"\n}", `file`, `Did you mean "path"?`},
		{"instance", "tracing {\n endpoint = \"a.test:4317\"\n}", `endpoint`, `Did you mean "otlp"?`},
		{"instance", "tracing {\n otlp = \"a.test:4317\"\n sampling = \"10%\"\n}", `"10%"`, `Write: 0.1`},
		{"instance", `port = 80`, `port`, `listener "NAME" { ... }`},
		{"upstream", "cors {\n allow_origins = [\"*\"]\n}", `cors`, `the API that uses the upstream`},
		{"api", "health_check {}", `health_check`, `the upstream that the API uses`},
		{"backend", "upstream = upstream.orders\nrate_limit {\n requests = 1\n}", `rate_limit`, `beside the backend`},
		{"service", `host = "a.test"`, `host`, `Did you mean "domains"?`},
		{"service", `path = "/x"`, `path`, `api "NAME" { ... }`},
		{"service", `domains = "a.test"`, `"a.test"`, `Write brackets around it: ["a.test"]`},
		{"api", `header "x-v" = "1"`, `=`, `Write: header "x-v" { NAME = ... }`},
		{"api", "header \"x-v\" {\n value = \"1\"\n}", `value`, `Did you mean "exact"?`},
		{"api", `headers = { x-v = "1" }`, `headers`, `header "NAME" { exact = "..." }`},
		{"api", "query \"a\" {\n regex = \"1\"\n}", `regex`, `exact, prefix, suffix or contains`},
		{"api", `request_headers { x-a = "b" }`, `x-a`, `Write: set = { "x-a" = ... }`},
		{"api", "request_headers {\n \"x-a\" = \"b\"\n}", `"`, `NAME = { "x-a" = VALUE }`},
		{"api", "request_headers {\n add {\n x-a = \"b\"\n}\n}", `add`, `Write: add = { ... }`},
		{"api", "cors {\n origins = [\"*\"]\n}", `origins`, `Did you mean "allow_origins"?`},
		{"api", "cors {\n allow_origins = [\"null\"]\n}", `"null"`, `Only "*" lets them in.`},
		{"api", "rate_limit {\n requests = \"10/s\"\n}", `"10/s"`, `Write: 10`},
		{"api", "rate_limit {\n requests = 10\n unit = \"minute\"\n}", `unit`, `Did you mean "per"?`},
		{"api", "ip_rules {\n whitelist = [\"10.0.0.0/8\"]\n}", `whitelist`, `Did you mean "allow"?`},
		{"api", "ip_rules {\n allow = [\"10.0.0.*\"]\n}", `"10.0.0.*"`, `Write "10.0.0.0/24".`},
		{"api", "ip_rules {\n allow = [\"10.0.0.1-10.0.0.9\"]\n}", `"10.0.0.1-10.0.0.9"`, `said by networks`},
		{"api", "ip_rules {\n deny = [\"*\"]\n}", `"*"`, `["0.0.0.0/0", "::/0"]`},
		{"api", `websocket = "yes"`, `"yes"`, `Write: true`},
		{"api", `timeout = "5s"`, `timeout`, `said in the backend`},
		{"backend", "upstream = upstream.orders\nretries = 3", `retries`, `the upstream's: retries = 5`},
		{"backend", "upstream = upstream.orders\nrewrite = \"/x\"", `rewrite`, `Did you mean "path"?`},
		{"backend", "redirect {\n url = \"https://a.test\"\n}", `url`, `scheme, host, port, and path or path_prefix`},
		{"backend", "redirect {\n https = true\n}", `https`, `scheme = "https"`},
		{"backend", "redirect {\n host = \"a.test\"\n code = 302\n}", `code`, `Did you mean "status"?`},
		{"backend", "split {\n target {\n upstream = upstream.orders\n percent = 9\n}\ntarget {\n upstream = upstream.calls\n}\n}", `percent`, `Did you mean "weight"?`},
		{"backend", "upstream = upstream.orders\nmirror {\n upstream = upstream.calls\n weight = 9\n}", `weight`, `Did you mean "percent"?`},
		{"backend", "mock {\n json = {}\n}", `json`, `jsonencode`},
		{"backend", "mock {\n status = \"200 OK\"\n}", `"200 OK"`, `Write: 200`},
	} {
		text := mistaken
		for name, usual := range where {
			if name == m.where {
				usual = m.text
			}
			text = strings.Replace(text, "<"+name+">", usual, 1)
		}
		r := FromText("weir.hcl", []byte(text), root, Options{Now: testNow})
		if len(r.Diagnostics) != 1 {
			t.Errorf("%s: %d messages: %v", m.text, len(r.Diagnostics), r.Diagnostics)
			continue
		}
		d := r.Diagnostics[0]
		if got := string(d.Subject.SliceBytes([]byte(text))); got != m.at || d.Subject.Start.Byte < strings.Index(text, m.text) {
			t.Errorf("%s: the message is about %s, not %s", m.text, got, m.at)
		}
		if said := fmt.Sprintf("%s: %s", d.Summary, d.Detail); !strings.Contains(said, m.remedy) {
			t.Errorf("%s: the remedy %q is missing in\n%s", m.text, m.remedy, said)
		}
	}
}

// TestHints holds that a hint of one word is a name that stands in the block, and that no hint is for such a name.
func TestHints(t *testing.T) {
	var walk func(at string, s *lang.Schema)
	walk = func(at string, s *lang.Schema) {
		names := map[string]bool{}
		for _, a := range s.Attributes {
			names[a.Name] = true
		}
		for _, b := range s.Blocks {
			names[b.Type] = true
			walk(at+"."+b.Type, b.Schema)
		}
		for name, hint := range s.Hints {
			if names[name] {
				t.Errorf("%s: there is a hint for %s, which stands there", at, name)
			}
			if !strings.Contains(hint, " ") && !names[hint] {
				t.Errorf("%s: the hint for %s is %s, which does not stand there", at, name, hint)
			}
		}
	}
	for kind, schema := range schemas {
		walk(kind, schema)
	}
}
