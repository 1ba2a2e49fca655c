package config

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/model"
)

// The reference page's limits.
const (
	maxNodes   = 200
	maxWeight  = 65535
	maxRetries = 100
)

type upstream struct {
	model    *model.Upstream
	vpc      lang.Value[lang.Ref]
	protocol lang.Value[model.Protocol]
	retries  lang.Value[int]
	head     hcl.Range
}

// node is a node with what the rules over all nodes of an upstream need.
type node struct {
	model  model.Node
	weight lang.Value[int]
	at     hcl.Range // where the address stands
	text   string    // the address as it was written
	good   bool      // the address is known
}

func (l *loader) decodeUpstream(block *lang.Block, body *lang.Body) *upstream {
	host := body.String("host_header")
	out := &upstream{
		head:     block.DefRange,
		vpc:      body.Ref("vpc"),
		retries:  l.decodeRetries(body.Int("retries")),
		protocol: choice(l, body.String("protocol"), "", model.HTTP, model.HTTPS, model.GRPC, model.GRPCS),
	}
	if body.String("protocol").State == lang.Absent {
		l.report(lang.RuleMissing, block.DefRange, "Missing attribute \"protocol\"",
			"Upstream %q does not say how its nodes are called. Write protocol = \"http\" or protocol = \"https\", or \"grpc\" or \"grpcs\" where they speak HTTP/2.", block.Name)
	}
	out.model = &model.Upstream{
		Name:        block.Name,
		Description: body.String("description").Or(""),
		VPC:         out.vpc.V.Name,
		Protocol:    out.protocol.V,
		HostHeader:  host.Or(""),
		Retries:     out.retries.V,
		Retry:       model.DefaultRetry(),
		Connections: l.decodeConnections(body),
		Place:       block.Place(),
	}
	if host.Valid() {
		if wrong := mend(host.V, wrongHostPort); wrong != "" {
			l.blame(host, &fault{ruleValue, "Invalid Host header", "is not a Host header.", wrong,
				"A Host header is a DNS name or an IP address, and a port after a colon where one is needed."})
			host.State = lang.Invalid
		}
	}
	for _, inner := range body.Blocks("retry") {
		l.decodeRetry(inner, out)
	}
	l.checkRetryLimits(body, out)
	l.decodePings(body, out)
	l.decodeHealth(body, out)
	for _, inner := range body.Blocks("tls") {
		out.model.TLS = l.decodeUpstreamTLS(inner, out.protocol)
	}
	nodes := l.decodeNodes(body, out)
	l.decodeBalancing(body, out, nodes)
	l.checkRare(out, nodes)
	l.checkNames(out, nodes, host)
	return out
}

// decodeNodes reads the nodes and holds the rules over all of them.
func (l *loader) decodeNodes(body *lang.Body, up *upstream) []node {
	bodies := body.Blocks("node")
	nodes := make([]node, 0, len(bodies))
	labels := map[string]hcl.Range{}
	for _, inner := range bodies {
		one := l.decodeNode(inner, labels, up.protocol.V)
		nodes = append(nodes, one)
		up.model.Nodes = append(up.model.Nodes, one.model)
	}
	if len(nodes) > maxNodes {
		l.report(ruleNode, bodies[maxNodes].DefRange, "Too many nodes",
			"Upstream %q has %d nodes, and an upstream has at most %d; this is the first one too many. Split the upstream, or put a name that resolves to several addresses in place of some nodes.", up.model.Name, len(nodes), maxNodes)
	}
	l.checkTwice(nodes)
	l.checkOutside(up, nodes)
	l.checkWeights(up, nodes)
	l.setWeights(up, nodes)
	return nodes
}

func (l *loader) decodeNode(body *lang.Body, labels map[string]hcl.Range, protocol model.Protocol) node {
	address := body.String("address")
	out := node{weight: body.Int("weight"), at: body.Label.Range, model: model.Node{
		Description: body.String("description").Or(""),
		Place:       body.Place(),
	}}
	text := body.Label
	if address.Said() {
		l.checkNodeLabel(body.Label, labels)
		text, out.at = address, address.Range
	}
	if out.weight.Valid() && (out.weight.V < 0 || out.weight.V > maxWeight) {
		l.report(ruleWeight, out.weight.Range, "Invalid weight", "%d is not a weight. A weight is a whole number, 0-%d; 0 lists the node, but disables it.", out.weight.V, maxWeight)
		out.weight.State = lang.Invalid
	}
	if !text.Valid() {
		return out
	}
	out.text = text.V
	parsed, _ := parseNode(text.V, protocol)
	wrong := mend(text.V, func(text string) slip {
		_, wrong := parseNode(text, protocol)
		return wrong
	})
	if wrong != "" {
		l.blame(text, &fault{ruleNode, "Invalid node address", "is not the address of a node.", wrong,
			"A node is host:port; the host is an IP address (IPv6 in brackets) or a DNS name, the port 1-65535."})
		return out
	}
	out.good = true
	out.model.Host, out.model.Port = parsed.host, parsed.port
	return out
}

// checkNodeLabel holds rule 1 for the label of a node whose body has the address: it is a name, once per upstream.
func (l *loader) checkNodeLabel(label lang.Value[string], labels map[string]hcl.Range) {
	if !label.Valid() {
		return
	}
	if first, taken := labels[label.V]; taken {
		l.report(lang.RuleName, label.Range, "Node declared twice", "A node named %q stands in this upstream already (%s). Where a node says address, its label is a name that it has alone. Change one of the two.", label.V, place(first))
		return
	}
	labels[label.V] = label.Range
	if !isName(label.V) {
		l.report(lang.RuleName, label.Range, "Invalid node name",
			"%q is not a name. Where a node says address, its label is a name: 1-50 characters out of a-z A-Z 0-9 _. Change it, or remove address to have the label be the address.", label.V)
	}
}

func isName(text string) bool {
	return text != "" && len(text) <= 50 && strings.IndexFunc(text, func(r rune) bool { return !isAlphanumeric(r) && r != '_' }) < 0
}

func parseNode(text string, protocol model.Protocol) (hostPort, slip) {
	parsed, wrong := parseHostPort(text)
	if wrong.wrong != "" {
		return hostPort{}, wrong
	}
	if why := uncallable(parsed.host); why != "" {
		return hostPort{}, slip{wrong: why}
	}
	switch {
	case !parsed.hasPort && protocol == "": // nor is it known which is likely
		return hostPort{}, slip{wrong: "The port is missing; write it behind the host, after a colon."}
	case !parsed.hasPort && isName(text) && strings.Trim(text, "0123456789") != "":
		return hostPort{}, slip{fmt.Sprintf("The port is missing. (If %q is to be a name only, say address = \"HOST:PORT\" in the block.)", text), withPort(parsed, protocol)}
	case !parsed.hasPort:
		return hostPort{}, slip{"The port is missing.", withPort(parsed, protocol)}
	}
	return parsed, slip{}
}

func wrongHostPort(text string) slip {
	_, wrong := parseHostPort(text)
	return wrong
}

// wrongServerName judges a name to check certificates against, which has no brackets and no port.
func wrongServerName(text string) slip {
	_, wrong := canonicalHost(text)
	if wrong.wrong == "" {
		return wrong
	}
	parsed, other := parseHostPort(text)
	switch {
	case other.wrong == "" && parsed.hasPort:
		return slip{"A port is no part of it.", parsed.host}
	case other.wrong == "":
		return slip{"It stands here without brackets.", parsed.host}
	case text == "" || strings.HasPrefix(text, ":") || wrong.instead != "":
		return wrong
	}
	return other
}

// withPort is an address with the port that its protocol has where none is said.
func withPort(h hostPort, protocol model.Protocol) string {
	h.hasPort, h.port = true, 80
	if protocol.Secure() {
		h.port = 443
	}
	return h.String()
}

// checkTwice finds nodes that are one address, however it was written.
func (l *loader) checkTwice(nodes []node) {
	first := map[string]hcl.Range{}
	for _, n := range nodes {
		if !n.good {
			continue
		}
		address := hostPort{host: n.model.Host, port: n.model.Port, hasPort: true}.String()
		if at, taken := first[address]; taken {
			l.report(ruleNode, n.at, "Node listed twice",
				"%q is the same address as that of another node of this upstream (%s). An upstream lists a node once; to send more to it, give it a larger weight.", n.text, place(at))
			continue
		}
		first[address] = n.at
	}
}

// checkOutside holds rule 3 for the nodes: an IP node lies in its VPC.
func (l *loader) checkOutside(up *upstream, nodes []node) {
	network := l.vpc(up.vpc.V.Name)
	if !up.vpc.Valid() || network == nil {
		return
	}
	for _, n := range nodes {
		addr, isIP := n.model.IP()
		if !n.good || !isIP || network.contains(addr) {
			continue
		}
		blocks := make([]string, 0, len(network.cidrs))
		for _, c := range network.cidrs {
			blocks = append(blocks, c.V.String())
		}
		l.report(ruleOutside, n.at, "Node outside its VPC",
			"%q does not lie in VPC %q of upstream %q, whose cidr_blocks are %s (%s). An IP node lies in its upstream's VPC. %s",
			n.text, network.model.Name, up.model.Name, list(blocks, "and"), place(network.cidrs[0].Range), l.otherHome(addr, network))
	}
}

// otherHome names the VPC that has the address, as the likely remedy.
func (l *loader) otherHome(addr netip.Addr, not *vpc) string {
	for _, v := range l.vpcs() {
		if v != not && v.declares(addr) {
			return fmt.Sprintf("It lies in VPC %q: correct the address, or the upstream's vpc.", v.model.Name)
		}
	}
	return "Correct the address, or add its network to the VPC's cidr_blocks."
}

// checkWeights holds rule 2: all enabled nodes say a weight or none does, and at least one is enabled.
func (l *loader) checkWeights(up *upstream, nodes []node) {
	var silent []node
	said, enabled, whole := 0, 0, true
	for _, n := range nodes {
		switch {
		case !n.weight.Said():
			silent = append(silent, n)
			enabled++
		case !n.weight.Valid():
			enabled++
			whole = false
		case n.weight.V > 0:
			said++
			enabled++
		}
	}
	switch {
	case enabled == 0 && len(nodes) > 0:
		l.report(ruleNode, up.head, "No enabled node",
			"All nodes of upstream %q have weight = 0, which disables them. At least one node is enabled. To take an upstream out of service, remove the APIs that use it.", up.model.Name)
	case said > 0 && len(silent) > 0 && whole:
		l.report(ruleWeight, silent[0].at, "Nodes with and without a weight",
			"Upstream %q says a weight for %s and none for %s, of which this is the first. Either all enabled nodes say a weight or none does, which gives equal shares; weight = 0, a disabled node, may always be said. Add weight = 1-%d here, or remove the weights.",
			up.model.Name, count(said, "enabled node"), count(len(silent), "node"), maxWeight)
	}
}

// setWeights fills in the equal shares of nodes that say no weight.
func (l *loader) setWeights(up *upstream, nodes []node) {
	for i, n := range nodes {
		up.model.Nodes[i].Weight = uint32(n.weight.Or(1))
	}
}

// checkNames warns, after rule 2, where the certificate of an IP node can be checked against nothing but the IP.
func (l *loader) checkNames(up *upstream, nodes []node, host lang.Value[string]) {
	tls := up.model.TLS
	if !up.model.Protocol.Secure() || host.Said() || tls != nil && (tls.SNI != "" || tls.InsecureSkipVerify) {
		return
	}
	for _, n := range nodes {
		if _, isIP := n.model.IP(); n.good && isIP {
			l.diags = append(l.diags, lang.Warning(ruleVerify, n.at, "Certificates must carry the IP address",
				fmt.Sprintf("Upstream %q speaks %s to IP addresses and says no name, so each node's certificate is checked against its IP address and must carry it (subject alternative name). Most certificates carry names only: say the name in host_header, or in tls { sni = \"...\" }.", up.model.Name, up.model.Protocol)))
			return
		}
	}
}
