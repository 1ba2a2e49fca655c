package config

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/weirproxy/weir/config/lang"
)

// The rules of this package, as JSON and SARIF name them. Those of the language's own mechanics are in lang.
const (
	ruleFile        lang.Rule = "file"
	ruleValue       lang.Rule = "value"
	ruleCIDR        lang.Rule = "cidr"
	ruleOverlap     lang.Rule = "vpc_overlap"
	ruleOutside     lang.Rule = "node_outside_vpc"
	ruleInstance    lang.Rule = "instance_vpc"
	ruleListener    lang.Rule = "listener"
	rulePort        lang.Rule = "listener_conflict"
	ruleCertificate lang.Rule = "certificate"
	ruleNode        lang.Rule = "node"
	ruleWeight      lang.Rule = "weight"
	ruleRetries     lang.Rule = "retries"
	ruleVerify      lang.Rule = "unnamed_certificate"
	ruleDomain      lang.Rule = "domain"
	ruleMethod      lang.Rule = "method"
	rulePath        lang.Rule = "path"
	ruleBackend     lang.Rule = "backend"
	ruleURL         lang.Rule = "url"
	ruleReach       lang.Rule = "unreachable_vpc"
	ruleInUse       lang.Rule = "upstream_in_use"
	ruleConflict    lang.Rule = "api_conflict"
)

// ruleTexts says each rule in one sentence, for the rule list of a SARIF log.
var ruleTexts = map[lang.Rule]string{
	ruleFile:        "A configuration has at least one file, and no file is empty.",
	ruleValue:       "A value is one of those that its attribute takes.",
	ruleCIDR:        "A CIDR block is a network address and a prefix length, without host bits.",
	ruleOverlap:     "The VPCs of one CCN have no addresses in common.",
	ruleOutside:     "An IP node lies in the CIDR blocks of its upstream's VPC.",
	ruleInstance:    "A dedicated instance lives in one VPC, a shared one in none, and each has a listener.",
	ruleListener:    "A service names listeners that its instance has.",
	rulePort:        "Two listeners of an instance do not share an address and port.",
	ruleCertificate: "A certificate can be read, is valid now, and belongs to its key.",
	ruleNode:        "An upstream has 1 to 200 nodes, each host:port, none of them twice, at least one enabled.",
	ruleWeight:      "Either all enabled nodes of an upstream say a weight, 1-65535, or none does.",
	ruleRetries:     "Retries are a whole number, 1-100.",
	ruleVerify:      "The certificate of an HTTPS node is checked against a name or against the node's IP address.",
	ruleDomain:      "A domain is a host name, a whole-label wildcard or an IP address, without a port, once per service.",
	ruleMethod:      "A method is a known HTTP method in upper case, once per API.",
	rulePath:        "A path starts with a slash and can match a request as Envoy normalises it.",
	ruleBackend:     "A backend is exactly one of an upstream, a URL and a mock.",
	ruleURL:         "The URL of a backend is a public http(s)://host[:port], always with the same scheme.",
	ruleReach:       "An API uses a VPC upstream on a dedicated instance whose VPC is the upstream's or is joined to it by a CCN.",
	ruleInUse:       "An upstream that APIs use cannot be removed.",
	ruleConflict:    "Two APIs do not take the same requests.",
}

// fault is what is wrong with a value, before it is known where the value stands.
type fault struct {
	rule    lang.Rule
	summary string
	detail  string // what is wrong, the rule, the remedy
}

func (f *fault) at(r hcl.Range) *hcl.Diagnostic { return lang.Error(f.rule, r, f.summary, f.detail) }
