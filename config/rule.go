package config

import (
	"fmt"

	"github.com/weirproxy/weir/config/lang"
)

// The rules of this package, as JSON and SARIF name them. Those of the language's own mechanics are in lang.
const (
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
	ruleHealth      lang.Rule = "health"
	ruleBalancing   lang.Rule = "load_balancing"
	ruleVerify      lang.Rule = "unnamed_certificate"
	ruleInsecure    lang.Rule = "unverified_certificate"
	ruleTimeout     lang.Rule = "timeout"
	ruleDomain      lang.Rule = "domain"
	ruleMethod      lang.Rule = "method"
	rulePath        lang.Rule = "path"
	ruleCondition   lang.Rule = "condition"
	ruleHeader      lang.Rule = "header"
	ruleCORS        lang.Rule = "cors"
	ruleWebSocket   lang.Rule = "websocket"
	ruleBackend     lang.Rule = "backend"
	ruleSplit       lang.Rule = "split"
	ruleRedirect    lang.Rule = "redirect"
	ruleURL         lang.Rule = "url"
	ruleReach       lang.Rule = "unreachable_vpc"
	ruleInUse       lang.Rule = "upstream_in_use"
	ruleConflict    lang.Rule = "api_conflict"
)

// ruleTexts says each rule in one sentence, for the rule list of a SARIF log.
var ruleTexts = map[lang.Rule]string{
	lang.RuleFile:       "A configuration has at least one file, and each file is text that is not empty.",
	lang.RuleSyntax:     "A file is HCL, in native syntax, or in JSON where its name ends with .hcl.json.",
	lang.RuleName:       "A name has 1-50 characters out of a-z A-Z 0-9 _ and is unique.",
	lang.RuleUnknown:    "A block holds only blocks and attributes that it knows.",
	lang.RuleMissing:    "A block holds the blocks and attributes that it needs.",
	lang.RuleDuplicate:  "A block holds no more of a kind than it takes.",
	lang.RuleType:       "A value has the type that its attribute takes.",
	lang.RuleReference:  "A reference names a block, a local or a variable that exists.",
	lang.RuleExpression: "An expression can be evaluated.",
	lang.RuleFunction:   "A function exists and can work with its arguments.",
	lang.RuleVariable:   "A variable is declared and has a value of its type.",
	lang.RuleLocal:      "Locals do not depend on themselves.",
	lang.RuleDynamic:    "A dynamic block makes blocks that could stand in its place.",
	lang.RuleSensitive:  "A sensitive value stands only where it is not shown.",
	lang.RuleSize:       "What expressions make, and how much work they take, is bounded.",
	lang.RuleInternal:   "weir itself does not fail.",

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
	ruleHealth:      "A health check asks what nodes can answer, and what it says has a meaning.",
	ruleBalancing:   "What says how a node is chosen has a meaning for the algorithm.",
	ruleVerify:      "The certificate of an HTTPS node is checked against a name or against the node's IP address.",
	ruleInsecure:    "The certificates of HTTPS nodes are verified.",
	ruleTimeout:     "The timeout of an API leaves time for the retries of its backend.",
	ruleDomain:      "A domain is a host name, a whole-label wildcard or an IP address, without a port, once per service.",
	ruleMethod:      "A method is a known HTTP method in upper case, once per API.",
	rulePath:        "A path starts with a slash and can match a request as Envoy normalises it.",
	ruleHeader:      "Headers that are changed are ones that travel from end to end, each changed in one way.",
	ruleCORS:        "The pages that may call an API are named by origins as browsers send them.",
	ruleWebSocket:   "A WebSocket API takes GET and has nodes that speak HTTP/1.1.",
	ruleCondition:   "A condition asks one header or query parameter of a request one thing.",
	ruleBackend:     "A backend is exactly one of an upstream, a URL, a split, a redirect and a mock.",
	ruleSplit:       "A split has two or more upstreams, none of them twice, and at least one gets requests.",
	ruleRedirect:    "A redirect leads to another URL than the one that was asked for.",
	ruleURL:         "The URL of a backend is a public http(s)://host[:port], always with the same scheme.",
	ruleReach:       "An API uses a VPC upstream on a dedicated instance whose VPC is the upstream's or is joined to it by a CCN.",
	ruleInUse:       "An upstream that APIs use cannot be removed.",
	ruleConflict:    "Two APIs do not take the same requests.",
}

// fault is what is wrong with a text, before it is known where the text stands.
type fault struct {
	rule    lang.Rule
	summary string
	what    string // what the text is not: "is not a domain."
	wrong   string // the mistake of this text, and the remedy
	law     string // the rule
}

// blame reports a fault. Of a sensitive text, what is wrong with it would show a part.
func (l *loader) blame(v lang.Value[string], f *fault) {
	wrong := f.wrong
	if v.Sensitive {
		wrong = "What is wrong with it is not shown, since it is sensitive."
	}
	detail := fmt.Sprintf("%q", v.V)
	for _, part := range []string{f.what, wrong, f.law} {
		if part != "" {
			detail += " " + part
		}
	}
	l.report(f.rule, v.Range, f.summary, "%s", detail)
}
