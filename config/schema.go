package config

import "github.com/weirproxy/weir/config/lang"

// kinds are the top-level blocks of the language, the nouns of docs/language.md, in the order in which they build
// on each other. Each takes one label, its name.
var kinds = []string{kindVPC, kindCCN, kindInstance, kindUpstream, kindService}

const (
	kindVPC      = "vpc"
	kindCCN      = "ccn"
	kindInstance = "instance"
	kindUpstream = "upstream"
	kindService  = "service"
)

// description is free text that every block with a name takes.
var description = lang.Attribute{Name: "description", Type: lang.String}

// schemas says what may stand in each noun. What holds for an attribute beyond its type is in the decoder of the noun.
var schemas = map[string]*lang.Schema{
	kindVPC: {
		Attributes: []lang.Attribute{
			description,
			{Name: "cidr_blocks", Type: lang.StringList},
		},
	},

	kindCCN: {
		Attributes: []lang.Attribute{
			description,
			{Name: "vpcs", Type: lang.ReferenceList, Kind: kindVPC, Required: true},
		},
	},

	kindInstance: {
		Hints: instanceHints,
		Attributes: []lang.Attribute{
			description,
			{Name: "type", Type: lang.String},
			{Name: "vpc", Type: lang.Reference, Kind: kindVPC},
		},
		Blocks: []lang.BlockType{
			{Type: "listener", Label: lang.NameLabel, Min: 1, Schema: &listenerSchema},
			{Type: "access_log", Max: 1, Schema: &accessLogSchema},
			{Type: "tracing", Max: 1, Schema: &tracingSchema},
		},
	},

	kindUpstream: {
		Hints: upstreamHints,
		Attributes: []lang.Attribute{
			description,
			{Name: "vpc", Type: lang.Reference, Kind: kindVPC, Required: true},
			{Name: "load_balancing", Type: lang.String},
			{Name: "protocol", Type: lang.String}, // required; the decoder names the choices
			{Name: "host_header", Type: lang.String},
			{Name: "retries", Type: lang.Int},
			{Name: "panic_threshold", Type: lang.Int},
			{Name: "connect_timeout", Type: lang.Duration},
			{Name: "idle_timeout", Type: lang.Duration},
			{Name: "max_connection_duration", Type: lang.Duration},
			{Name: "max_requests_per_connection", Type: lang.Int},
		},
		Blocks: []lang.BlockType{
			{Type: "tls", Max: 1, Schema: &upstreamTLSSchema},
			{Type: "node", Label: lang.FreeLabel, Min: 1, Schema: &nodeSchema},
			{Type: "retry", Max: 1, Schema: &retrySchema},
			{Type: "hash_key", Max: 1, Schema: &hashKeySchema},
			{Type: "slow_start", Max: 1, Schema: &slowStartSchema},
			{Type: "health_check", Max: 1, Schema: &healthCheckSchema},
			{Type: "outlier_detection", Max: 1, Schema: &outlierDetectionSchema},
			{Type: "circuit_breaker", Max: 1, Schema: &circuitBreakerSchema},
			{Type: "tcp_keepalive", Max: 1, Schema: &tcpKeepaliveSchema},
			{Type: "http2_keepalive", Max: 1, Schema: &http2KeepaliveSchema},
		},
	},

	kindService: {
		Hints: serviceHints,
		Attributes: []lang.Attribute{
			description,
			{Name: "instance", Type: lang.Reference, Kind: kindInstance, Required: true},
			{Name: "domains", Type: lang.StringList},
			{Name: "listeners", Type: lang.StringList},
		},
		Blocks: append([]lang.BlockType{
			{Type: "api", Label: lang.NameLabel, Schema: &apiSchema},
		}, policies...),
	},
}

var listenerSchema = lang.Schema{
	Hints: listenerHints,
	Attributes: []lang.Attribute{
		description,
		{Name: "address", Type: lang.String},
		{Name: "port", Type: lang.Int, Required: true},
		{Name: "tls_min_version", Type: lang.String},
		{Name: "client_ca_file", Type: lang.String},
		{Name: "max_request_headers_kb", Type: lang.Int},
		{Name: "idle_timeout", Type: lang.Duration},
		{Name: "request_timeout", Type: lang.Duration},
		{Name: "xff_num_trusted_hops", Type: lang.Int},
		{Name: "proxy_protocol", Type: lang.Bool},
	},
	Blocks: []lang.BlockType{
		{Type: "tls", Schema: &listenerTLSSchema},
		{Type: "http3", Max: 1, Schema: &http3Schema},
	},
}

var http3Schema = lang.Schema{
	Attributes: []lang.Attribute{
		{Name: "advertised_port", Type: lang.Int},
	},
}

var listenerTLSSchema = lang.Schema{
	Hints: listenerTLSHints,
	Attributes: []lang.Attribute{
		{Name: "certificate_file", Type: lang.String, Required: true},
		{Name: "private_key_file", Type: lang.String, Required: true},
	},
}

var apiSchema = lang.Schema{
	Hints: apiHints,
	Attributes: []lang.Attribute{
		description,
		{Name: "methods", Type: lang.StringList},
		{Name: "path", Type: lang.String},
		{Name: "path_prefix", Type: lang.String},
		{Name: "websocket", Type: lang.Bool},
	},
	Blocks: append([]lang.BlockType{
		{Type: "header", Label: lang.FreeLabel, Schema: &headerSchema},
		{Type: "query", Label: lang.FreeLabel, Schema: &querySchema},
		{Type: "backend", Min: 1, Max: 1, Schema: &backendSchema},
	}, policies...),
}

var headerSchema = lang.Schema{
	Hints: headerHints,
	Attributes: []lang.Attribute{
		{Name: "exact", Type: lang.String},
		{Name: "prefix", Type: lang.String},
		{Name: "suffix", Type: lang.String},
		{Name: "contains", Type: lang.String},
		{Name: "regex", Type: lang.String},
		{Name: "present", Type: lang.Bool},
		{Name: "invert", Type: lang.Bool},
	},
}

var querySchema = lang.Schema{
	Hints: queryHints,
	Attributes: []lang.Attribute{
		{Name: "exact", Type: lang.String},
		{Name: "prefix", Type: lang.String},
		{Name: "suffix", Type: lang.String},
		{Name: "contains", Type: lang.String},
		{Name: "present", Type: lang.Bool},
	},
}

var backendSchema = lang.Schema{
	Hints: backendHints,
	Attributes: []lang.Attribute{
		{Name: "upstream", Type: lang.Reference, Kind: kindUpstream},
		{Name: "url", Type: lang.String},
		{Name: "path", Type: lang.String},
		{Name: "timeout", Type: lang.Duration},
	},
	Blocks: []lang.BlockType{
		{Type: "split", Max: 1, Schema: &splitSchema},
		{Type: "redirect", Max: 1, Schema: &redirectSchema},
		{Type: "mock", Max: 1, Schema: &mockSchema},
		{Type: "mirror", Schema: &mirrorSchema},
	},
}

var splitSchema = lang.Schema{
	Hints: splitHints,
	Blocks: []lang.BlockType{
		{Type: "target", Min: 2, Schema: &targetSchema},
	},
}

var targetSchema = lang.Schema{
	Hints: targetHints,
	Attributes: []lang.Attribute{
		{Name: "upstream", Type: lang.Reference, Kind: kindUpstream, Required: true},
		{Name: "weight", Type: lang.Int},
	},
}

var mirrorSchema = lang.Schema{
	Hints: mirrorHints,
	Attributes: []lang.Attribute{
		{Name: "upstream", Type: lang.Reference, Kind: kindUpstream, Required: true},
		{Name: "percent", Type: lang.Int},
	},
}

var redirectSchema = lang.Schema{
	Hints: redirectHints,
	Attributes: []lang.Attribute{
		{Name: "scheme", Type: lang.String},
		{Name: "host", Type: lang.String},
		{Name: "port", Type: lang.Int},
		{Name: "path", Type: lang.String},
		{Name: "path_prefix", Type: lang.String},
		{Name: "status", Type: lang.Int},
		{Name: "strip_query", Type: lang.Bool},
	},
}

var mockSchema = lang.Schema{
	Hints: mockHints,
	Attributes: []lang.Attribute{
		{Name: "status", Type: lang.Int},
		{Name: "body", Type: lang.String},
		{Name: "headers", Type: lang.StringMap},
	},
}
