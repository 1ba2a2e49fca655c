package config

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/model"
)

// maxRatePer and maxRate are far from what Envoy can count.
const (
	maxRatePer = 24 * time.Hour
	maxRate    = math.MaxInt32
)

// decodePolicies reads what a service and an API say alike.
func (l *loader) decodePolicies(body *lang.Body) model.Policies {
	out := model.Policies{
		RequestHeaders:  l.decodeHeaderChanges(body, "request_headers"),
		ResponseHeaders: l.decodeHeaderChanges(body, "response_headers"),
	}
	for _, inner := range body.Blocks("cors") {
		out.CORS = l.decodeCORS(inner)
	}
	for _, inner := range body.Blocks("rate_limit") {
		out.RateLimit = l.decodeRateLimit(inner)
	}
	for _, inner := range body.Blocks("ip_rules") {
		out.IPRules = l.decodeIPRules(inner)
	}
	return out
}

// setPolicies gives an API its own policies and, where it says nothing, its service's.
func (l *loader) setPolicies(a *api, body *lang.Body, service model.Policies) {
	own := l.decodePolicies(body)
	backend := a.model.Backend
	if backend.Mock != nil || backend.Redirect != nil {
		service.CORS = nil
		if blocks := body.Blocks("request_headers"); len(blocks) > 0 {
			l.report(ruleBackend, blocks[0].DefRange, "Changes that nobody sees",
				"API %q is answered by the gateway itself, so there is no node that could see the changed request. Remove request_headers; response_headers changes the answer.", a.model.Name)
		}
		if own.CORS != nil {
			l.report(ruleCORS, body.Blocks("cors")[0].DefRange, "CORS without nodes",
				"API %q is answered by the gateway itself, and Envoy's CORS filter passes over such answers. Write what browsers are to see: response_headers { set = { \"access-control-allow-origin\" = \"*\" } }, and an API with methods = [\"OPTIONS\"] for preflights.", a.model.Name)
		}
	}
	own.RequestHeaders = over(own.RequestHeaders, service.RequestHeaders)
	own.ResponseHeaders = over(own.ResponseHeaders, service.ResponseHeaders)
	if own.CORS == nil && service.CORS != nil {
		inherited := *service.CORS
		own.CORS = &inherited
	}
	if own.CORS != nil && len(own.CORS.AllowMethods) == 0 {
		own.CORS.AllowMethods = corsMethods(a.model.Methods)
	}
	if own.RateLimit == nil {
		own.RateLimit = service.RateLimit
	}
	if own.IPRules == nil {
		own.IPRules = service.IPRules
	}
	a.model.Policies = own
}

func (l *loader) decodeRateLimit(body *lang.Body) *model.RateLimit {
	requests, per, burst := body.Int("requests"), body.Duration("per"), body.Int("burst")
	out := &model.RateLimit{Requests: requests.V, Per: per.Or(time.Second), Burst: burst.Or(requests.V)}
	for name, v := range map[string]lang.Value[int]{"requests": requests, "burst": burst} {
		if v.Valid() && (v.V < 1 || v.V > maxRate) {
			l.report(ruleValue, v.Range, "Invalid number of requests", "%d is no number for %s, which is 1-%d. To let nobody in, use ip_rules.", v.V, name, maxRate)
		}
	}
	if per.Valid() && (per.V < time.Second || per.V > maxRatePer) {
		l.report(ruleValue, per.Range, "Invalid time", "%s is no time to count requests in. It is 1s to 24h.", per.V)
	}
	return out
}

func (l *loader) decodeIPRules(body *lang.Body) *model.IPRules {
	out := &model.IPRules{
		Allow: l.decodeCallers(body.StringList("allow"), "allow", "every caller that is not denied"),
		Deny:  l.decodeCallers(body.StringList("deny"), "deny", "nobody away"),
	}
	if !body.StringList("allow").Said() && !body.StringList("deny").Said() && !body.Broken() {
		l.report(lang.RuleMissing, body.DefRange, "IP rules that say nothing", "ip_rules says allow, deny or both. To lift those of the service for one API, write allow = [\"0.0.0.0/0\", \"::/0\"].")
	}
	return out
}

// decodeCallers reads networks and single addresses.
func (l *loader) decodeCallers(v lang.Value[[]lang.Value[string]], attribute, absent string) []netip.Prefix {
	texts, _ := l.words(v, attribute, absent, func(text string) (string, *fault) {
		if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
			addr = addr.Unmap()
			return netip.PrefixFrom(addr, addr.BitLen()).String(), nil
		}
		prefix, bad := parseCIDR(text)
		if bad != nil {
			bad = &fault{ruleValue, "Invalid address", "is no address of a caller, and no network.", cmp.Or(callerHint(text), bad.wrong),
				"A caller is an IP address, as in \"192.0.2.1\", a network is its address and a prefix length, as in \"10.8.0.0/16\"; names are not looked up."}
		}
		return prefix.String(), bad
	})
	var out []netip.Prefix
	for _, text := range texts {
		if prefix, err := netip.ParsePrefix(text); err == nil {
			out = append(out, prefix)
		}
	}
	slices.SortFunc(out, netip.Prefix.Compare)
	return out
}

// callerHint is what other ways to write networks mean here, or empty.
func callerHint(text string) string {
	parts := strings.Split(text, ".")
	stars := len(parts)
	for stars > 0 && parts[stars-1] == "*" {
		stars--
	}
	from, to, isRange := strings.Cut(text, "-")
	_, first := netip.ParseAddr(strings.TrimSpace(from))
	_, last := netip.ParseAddr(strings.TrimSpace(to))
	switch {
	case text == "*" || text == "all" || text == "any":
		return "Everybody is [\"0.0.0.0/0\", \"::/0\"]."
	case len(parts) == 4 && stars > 0 && stars < 4:
		return fmt.Sprintf("Write %q.", strings.Join(parts[:stars], ".")+strings.Repeat(".0", 4-stars)+fmt.Sprintf("/%d", 8*stars))
	case isRange && first == nil && last == nil:
		return "From and to is said by networks: \"10.0.0.0/24\" is 10.0.0.0 to 10.0.0.255."
	}
	return ""
}

// decodeWebSocket holds that there is somebody to speak to.
func (l *loader) decodeWebSocket(a *api, body *lang.Body) {
	v, backend := body.Bool("websocket"), a.model.Backend
	a.model.WebSocket = v.Or(false)
	a.webSocket = v
	if !a.model.WebSocket {
		return
	}
	switch {
	case backend.Mock != nil || backend.Redirect != nil:
		l.report(ruleWebSocket, v.Range, "WebSocket without a server", "API %q is answered by the gateway itself, which speaks no WebSocket. Remove websocket, or give the API an upstream, a split or a url.", a.model.Name)
	case len(a.model.Methods) > 0 && !slices.Contains(a.model.Methods, "GET"):
		l.report(ruleWebSocket, v.Range, "WebSocket without GET", "A WebSocket connection starts with a GET, which the methods of API %q do not take. Add \"GET\", or leave methods out.", a.model.Name)
	}
}

// checkWebSocket holds that the nodes can be asked to change the protocol, which is a matter of HTTP/1.1.
func (l *loader) checkWebSocket(a *api) {
	if !a.webSocket.Or(false) {
		return
	}
	for _, ref := range a.targets {
		up := l.known.upstreams[ref.V.Name]
		if ref.Valid() && up != nil && up.protocol.Valid() && up.protocol.V.HTTP2() {
			l.report(ruleWebSocket, a.webSocket.Range, "WebSocket over gRPC", "%s",
				fmt.Sprintf("Upstream %q speaks %s, and WebSocket connections go to nodes by HTTP/1.1: protocol = \"http\" or \"https\". Use another upstream, or remove websocket.", up.model.Name, up.protocol.V))
			return
		}
	}
}
