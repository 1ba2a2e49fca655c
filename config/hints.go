package config

import (
	"fmt"
	"slices"
	"strings"
)

// What newcomers write, coming from other programs: by the block in which it stands, what to write instead. lang.Schema
// says what these are.
var (
	instanceHints = hints(map[string]string{
		"port address tls certificate_file client_ca_file idle_timeout": "This is said by a listener: listener \"NAME\" { ... }.",
		"domains services service api apis":                             "Services say on which instance they are: service \"NAME\" { instance = instance.NAME }.",
		"logging log logs access_logs":                                  "access_log",
	})
	upstreamHints = hints(map[string]string{
		"weight":                           "A weight is a node's: node \"10.0.0.1:8080\" { weight = 3 }.",
		"timeout":                          "connect_timeout limits connecting; how long an answer may take is said by each API: backend { timeout = \"15s\" }.",
		"servers nodes endpoints targets":  "Each node is a block: node \"10.0.0.1:8080\" {}.",
		"server endpoint target host_port": "node",
		"algorithm lb lb_policy lb_algorithm balance balancing strategy": "load_balancing",
		"host": "host_header",
		"ssl":  "tls",
		"keepalive keep_alive connection_keepalive":                     "idle_timeout says how long a connection is kept; tcp_keepalive and http2_keepalive ask nodes for signs of life.",
		"max_connections max_requests max_pending_requests max_retries": "Limits stand in a block: circuit_breaker { %s = ... }.",
		"ca_file sni insecure_skip_verify min_version":                  "This is said in a block: tls { %s = ... }.",
		"per_try_timeout retry_on on back_off budget":                   "This is said in a block: retry { ... }.",
		"path methods cors rate_limit ip_rules mirror split websocket":  "This is said by the API that uses the upstream.",
		"sticky sticky_session session_affinity":                        "Requests of one caller go to one node by load_balancing = \"ring_hash\" and hash_key { cookie = \"...\" }.",
	})
	nodeHints = hints(map[string]string{
		"host ip url":                        "address",
		"port":                               "A node's port is part of its address, behind a colon.",
		"enabled disabled down backup drain": "A node that is to get no request has weight = 0.",
	})
	retryHints = hints(map[string]string{
		"retries attempts num_retries max_retries count": "How many is said beside this block: retries = 5.",
		"retry_on conditions when":                       "on",
		"timeout":                                        "per_try_timeout",
		"delay interval wait pause backoff":              "back_off",
		"methods":                                        "Methods that may arrive twice are repeated more often by themselves; on holds for all.",
	})
	upstreamTLSHints = hints(map[string]string{
		"verify skip_verify insecure insecure_skip_tls_verify":                         "insecure_skip_verify",
		"ca ca_cert ca_certificate ca_certificate_file":                                "ca_file",
		"cert cert_file certificate certificate_file client_certificate client_cert":   "client_certificate_file",
		"key key_file private_key private_key_file client_key client_private_key_file": "client_key_file",
		"server_name hostname":                 "sni",
		"tls_min_version version min_protocol": "min_version",
	})
	healthCheckHints = hints(map[string]string{
		"url uri": "path",
		"port":    "A node is asked at the port that it serves at.",
		"rise":    "healthy_threshold",
		"fall":    "unhealthy_threshold",
		"status codes expect expected success_codes statuses": "expected_statuses",
		"protocol":             "type",
		"headers":              "A check sends a Host header, said in host, and no others.",
		"method":               "A check of type \"http\" is a GET.",
		"tls ssl https":        "A check is made over TLS where the upstream's protocol is https or grpcs.",
		"retries max_failures": "unhealthy_threshold",
	})
	outlierHints = hints(map[string]string{
		"consecutive_errors max_fails errors failures": "consecutive_5xx",
		"fail_timeout ejection_time":                   "base_ejection_time",
	})
	circuitBreakerHints = hints(map[string]string{
		"threshold failure_threshold error_rate": "Limits of what is under way stand here; nodes that fail are taken out by outlier_detection { consecutive_5xx = 5 }.",
		"connections":                            "max_connections", "requests": "max_requests", "pending": "max_pending_requests",
	})
	hashKeyHints = hints(map[string]string{
		"source_ip ip client_ip remote_addr": "source_address",
		"name key":                           "Say header = \"...\" or cookie = \"...\".",
	})
	slowStartHints    = hints(map[string]string{"duration time period": "window"})
	tcpKeepaliveHints = hints(map[string]string{"idle idle_time timeout": "time", "count retries": "probes"})
	listenerHints     = hints(map[string]string{
		"protocol": "A listener with a tls block takes HTTPS, one without plain HTTP; both take HTTP/1.1 and HTTP/2.",
		"certificate_file private_key_file certificate ssl": "Certificates stand in blocks: tls { certificate_file = ..., private_key_file = ... }, each on a line of its own.",
		"host ip bind": "address",
		"min_version":  "tls_min_version",
		"domains":      "Domains are a service's.",
	})
	listenerTLSHints = hints(map[string]string{
		"cert cert_file certificate": "certificate_file", "key key_file private_key": "private_key_file",
		"min_version tls_min_version":      "It is said in the listener, beside this block: tls_min_version = \"1.3\".",
		"ca_file client_ca_file client_ca": "CAs of callers are said in the listener, beside this block: client_ca_file = \"...\".",
	})
	accessLogHints = hints(map[string]string{"file output destination log": "path", "fields headers": "What a line holds is fixed; it may be format = \"json\" or \"text\"."})
	tracingHints   = hints(map[string]string{
		"endpoint collector address url otlp_endpoint": "otlp", "sample_rate rate percent ratio": "sampling",
		"zipkin jaeger datadog": "Spans are sent by OpenTelemetry's protocol, which such collectors take too: otlp = \"HOST:4317\".",
	})
	serviceHints = hints(map[string]string{
		"host hosts hostname server_name":  "domains",
		"path path_prefix methods backend": "This is said by each API: api \"NAME\" { ... }.",
		"upstream url":                     "This is said by each API: api \"NAME\" { backend { ... } }.",
		"tls certificate":                  "Certificates stand in the listener of the instance: tls { ... }.",
	})
	apiHints = hints(map[string]string{
		"tls health_check outlier_detection circuit_breaker host_header load_balancing node": "This is said by the upstream that the API uses.",
		"timeout upstream url mock redirect split mirror":                                    "This is said in the backend: backend { ... }.",
		"retries retry":             "Retries are an upstream's: retries = 5.",
		"host hosts domain domains": "Domains are the service's: domains = [...].",
		"prefix":                    "path_prefix",
		"rewrite strip_prefix":      "What nodes see is said in the backend: backend { path = \"/...\" }.",
		"headers":                   "A condition is header \"NAME\" { exact = \"...\" }; changes stand in request_headers { set = {...} } and response_headers { set = {...} }.",
		"upgrade":                   "websocket",
		"auth":                      "Who may call is said by ip_rules, and by client_ca_file of the listener; there is nothing else yet.",
	})
	headerHints = hints(map[string]string{
		"value values equals equal is eq": "exact", "regexp pattern match matches": "regex", "exists": "present", "not negate": "invert",
		"name": "The label is the header's name: header \"x-version\" { exact = \"1\" }.",
	})
	queryHints = hints(map[string]string{
		"value values equals equal is eq": "exact", "exists": "present",
		"regex regexp pattern match": "Parameters are compared as text: exact, prefix, suffix or contains.",
		"name":                       "The label is the parameter's name: query \"page\" { exact = \"1\" }.",
	})
	headerChangesHints = map[string]string{"": "Headers stand in set, add and remove. Write: set = { \"%s\" = ... }"}
	corsHints          = hints(map[string]string{"origin allowed_origins": "allow_origins", "enabled": "A cors block is on; leave it out where there is to be none."})
	rateLimitHints     = hints(map[string]string{
		"rps requests_per_second rate limit count max": "Write: requests = 10, and on its own line per = \"1s\".",
		"unit period window interval duration":         "per",
		"key by":                                       "The limit is one for all callers together; it is counted per API and Envoy.",
	})
	ipRulesHints = hints(map[string]string{
		"whitelist allowlist allowed": "allow", "blacklist blocklist denylist denied block": "deny",
		"default action": "Where allow is said, others are refused.",
	})
	backendHints = hints(map[string]string{
		"cors rate_limit ip_rules request_headers response_headers header query websocket methods": "This is said by the API, beside the backend.",
		"tls health_check outlier_detection circuit_breaker":                                       "This is said by the upstream.",
		"retries retry": "Retries are the upstream's: retries = 5.",
		"node nodes":    "Nodes are an upstream's: upstream = upstream.NAME.",
		"weight":        "Shares of several upstreams stand in split { target { ... } }.",
		"rewrite prefix_rewrite path_rewrite strip_prefix path_prefix": "path",
		"host_header host": "The Host header is the upstream's: host_header = \"...\".",
		"service":          "upstream",
	})
	splitHints    = map[string]string{"": "Each upstream of a split is a block of its own: target { ... } with upstream = upstream.NAME and weight = 90."}
	targetHints   = hints(map[string]string{"percent percentage share": "weight", "name": "upstream"})
	mirrorHints   = hints(map[string]string{"percentage weight sampling": "percent"})
	redirectHints = hints(map[string]string{
		"url to location target": "Its parts are said one by one: scheme, host, port, and path or path_prefix.",
		"code status_code":       "status",
		"permanent":              "For good is status = 301 or 308, for now 302 or 307.",
		"https https_redirect":   "From http to https: scheme = \"https\".",
	})
	mockHints = hints(map[string]string{
		"code status_code":      "status",
		"content text response": "body",
		"json":                  "Write: body = jsonencode({...}), and headers = { content-type = \"application/json\" }.",
		"content_type":          "Write: headers = { content-type = \"...\" }.",
	})
)

// hints are a table with one word per key, of one with several.
func hints(table map[string]string) map[string]string {
	out := map[string]string{}
	for words, hint := range table {
		for word := range strings.FieldsSeq(words) {
			out[word] = strings.ReplaceAll(hint, "%s", word)
		}
	}
	return out
}

// otherValues are values of other programs, in lower case, with what stands for them here.
var otherValues = map[string]string{
	"ip_hash":         "Write \"maglev\", and hash_key { source_address = true }.",
	"source":          "Write \"maglev\", and hash_key { source_address = true }.",
	"consistent_hash": "Write \"ring_hash\" or \"maglev\", and a hash_key.",
	"weighted":        "Write \"weighted_round_robin\".",
	"h2":              "HTTP/2 is spoken with \"grpc\", over TLS with \"grpcs\", whether it is gRPC or not.",
	"h2c":             "HTTP/2 is spoken with \"grpc\", over TLS with \"grpcs\", whether it is gRPC or not.",
	"http2":           "HTTP/2 is spoken with \"grpc\", over TLS with \"grpcs\", whether it is gRPC or not.",
	"tcp":             "Nodes are called by HTTP; there is no forwarding of TCP.",
	"websocket":       "WebSocket goes over \"http\" and \"https\": say websocket = true in the API.",
	"https":           "Checks of type \"http\" are made over TLS where the upstream's protocol is \"https\".",
	"1.0":             "Older versions of TLS are broken, and not to be had.",
	"1.1":             "Older versions of TLS are broken, and not to be had.",
	"combined":        "A line of \"text\" holds about the same.",
	"common":          "A line of \"text\" holds about the same.",
}

// valueHint is what a value that is none of a few words is most likely meant for, or empty.
func valueHint(given string, candidates []string) string {
	lower := strings.ToLower(given)
	if hint := otherValues[lower]; hint != "" && !slices.Contains(candidates, lower) {
		return hint
	}
	if strings.HasPrefix(lower, "tls") { // TLSv1.2, tls1_2
		version := strings.ReplaceAll(strings.TrimLeft(lower, "tlsv_- "), "_", ".")
		if slices.Contains(candidates, version) {
			return fmt.Sprintf("Did you mean %q?", version)
		}
	}
	return suggest(given, candidates)
}
