package config

import "github.com/weirproxy/weir/config/lang"

// policies are the blocks that a service and an API take alike.
var policies = []lang.BlockType{
	{Type: "request_headers", Max: 1, Schema: &headerChangesSchema},
	{Type: "response_headers", Max: 1, Schema: &headerChangesSchema},
	{Type: "cors", Max: 1, Schema: &corsSchema},
	{Type: "rate_limit", Max: 1, Schema: &rateLimitSchema},
	{Type: "ip_rules", Max: 1, Schema: &ipRulesSchema},
}

var headerChangesSchema = lang.Schema{
	Hints: headerChangesHints,
	Attributes: []lang.Attribute{
		{Name: "set", Type: lang.StringMap},
		{Name: "add", Type: lang.StringMap},
		{Name: "remove", Type: lang.StringList},
	},
}

var corsSchema = lang.Schema{
	Hints: corsHints,
	Attributes: []lang.Attribute{
		{Name: "allow_origins", Type: lang.StringList, Required: true},
		{Name: "allow_methods", Type: lang.StringList},
		{Name: "allow_headers", Type: lang.StringList},
		{Name: "expose_headers", Type: lang.StringList},
		{Name: "allow_credentials", Type: lang.Bool},
		{Name: "max_age", Type: lang.Duration},
	},
}

var rateLimitSchema = lang.Schema{
	Hints: rateLimitHints,
	Attributes: []lang.Attribute{
		{Name: "requests", Type: lang.Int, Required: true},
		{Name: "per", Type: lang.Duration},
		{Name: "burst", Type: lang.Int},
	},
}

var ipRulesSchema = lang.Schema{
	Hints: ipRulesHints,
	Attributes: []lang.Attribute{
		{Name: "allow", Type: lang.StringList},
		{Name: "deny", Type: lang.StringList},
	},
}
