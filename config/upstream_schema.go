package config

import "github.com/weirproxy/weir/config/lang"

// The blocks inside an upstream.

var nodeSchema = lang.Schema{
	Hints: nodeHints,
	Attributes: []lang.Attribute{
		description,
		{Name: "address", Type: lang.String},
		{Name: "weight", Type: lang.Int},
	},
}

var upstreamTLSSchema = lang.Schema{
	Hints: upstreamTLSHints,
	Attributes: []lang.Attribute{
		{Name: "ca_file", Type: lang.String},
		{Name: "sni", Type: lang.String},
		{Name: "client_certificate_file", Type: lang.String},
		{Name: "client_key_file", Type: lang.String},
		{Name: "min_version", Type: lang.String},
		{Name: "insecure_skip_verify", Type: lang.Bool},
	},
}

var retrySchema = lang.Schema{
	Hints: retryHints,
	Attributes: []lang.Attribute{
		{Name: "on", Type: lang.StringList},
		{Name: "per_try_timeout", Type: lang.Duration},
	},
	Blocks: []lang.BlockType{
		{Type: "back_off", Max: 1, Schema: &backOffSchema},
		{Type: "budget", Max: 1, Schema: &budgetSchema},
	},
}

var backOffSchema = lang.Schema{
	Attributes: []lang.Attribute{
		{Name: "base", Type: lang.Duration},
		{Name: "max", Type: lang.Duration},
	},
}

var budgetSchema = lang.Schema{
	Attributes: []lang.Attribute{
		{Name: "percent", Type: lang.Int},
		{Name: "min_concurrency", Type: lang.Int},
	},
}

var circuitBreakerSchema = lang.Schema{
	Hints: circuitBreakerHints,
	Attributes: []lang.Attribute{
		{Name: "max_connections", Type: lang.Int},
		{Name: "max_pending_requests", Type: lang.Int},
		{Name: "max_requests", Type: lang.Int},
		{Name: "max_retries", Type: lang.Int},
	},
}

var tcpKeepaliveSchema = lang.Schema{
	Hints: tcpKeepaliveHints,
	Attributes: []lang.Attribute{
		{Name: "time", Type: lang.Duration},
		{Name: "interval", Type: lang.Duration},
		{Name: "probes", Type: lang.Int},
	},
}

var http2KeepaliveSchema = lang.Schema{
	Attributes: []lang.Attribute{
		{Name: "interval", Type: lang.Duration, Required: true},
		{Name: "timeout", Type: lang.Duration},
	},
}

var healthCheckSchema = lang.Schema{
	Hints: healthCheckHints,
	Attributes: []lang.Attribute{
		{Name: "type", Type: lang.String},
		{Name: "path", Type: lang.String},
		{Name: "host", Type: lang.String},
		{Name: "service", Type: lang.String},
		{Name: "expected_statuses", Type: lang.StringList},
		{Name: "interval", Type: lang.Duration},
		{Name: "timeout", Type: lang.Duration},
		{Name: "healthy_threshold", Type: lang.Int},
		{Name: "unhealthy_threshold", Type: lang.Int},
	},
}

var outlierDetectionSchema = lang.Schema{
	Hints: outlierHints,
	Attributes: []lang.Attribute{
		{Name: "consecutive_5xx", Type: lang.Int},
		{Name: "consecutive_gateway_failure", Type: lang.Int},
		{Name: "consecutive_local_origin_failure", Type: lang.Int},
		{Name: "interval", Type: lang.Duration},
		{Name: "base_ejection_time", Type: lang.Duration},
		{Name: "max_ejection_time", Type: lang.Duration},
		{Name: "max_ejection_percent", Type: lang.Int},
	},
}

var hashKeySchema = lang.Schema{
	Hints: hashKeyHints,
	Attributes: []lang.Attribute{
		{Name: "header", Type: lang.String},
		{Name: "cookie", Type: lang.String},
		{Name: "ttl", Type: lang.Duration},
		{Name: "source_address", Type: lang.Bool},
	},
}

var slowStartSchema = lang.Schema{
	Hints: slowStartHints,
	Attributes: []lang.Attribute{
		{Name: "window", Type: lang.Duration, Required: true},
		{Name: "min_weight_percent", Type: lang.Int},
	},
}
