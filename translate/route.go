package translate

import (
	"regexp"
	"strings"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/weirproxy/weir/model"
)

// directResponseLimit is Envoy's default for the body of a direct response. A longer one is refused, with the whole
// RouteConfiguration.
const directResponseLimit = 4096

// host is a domain with the APIs of all services that are mounted on one socket under it.
type host struct {
	domain  string
	entries []placed
}

// routeConfiguration is routes of one socket: a virtual host per domain. Without any it answers 404.
//
// A domain whose services have no APIs is a virtual host all the same: its requests are not for the services of another.
func routeConfiguration(name string, hosts []host, u use) *routev3.RouteConfiguration {
	out := emptyRoutes(name)
	for _, h := range hosts {
		out.VirtualHosts = append(out.VirtualHosts, virtualHost(h, u))
	}
	setResponseLimit(out, hosts)
	return out
}

// setResponseLimit lifts the limit where a mock is longer.
func setResponseLimit(out *routev3.RouteConfiguration, hosts []host) {
	limit := directResponseLimit
	for _, h := range hosts {
		for _, e := range h.entries {
			if mock := e.api.Backend.Mock; mock != nil {
				limit = max(limit, len(mock.Body))
			}
		}
	}
	if limit > directResponseLimit {
		out.MaxDirectResponseBodySizeBytes = wrapperspb.UInt32(uint32(limit))
	}
}

// emptyRoutes has what all routes of a socket have.
func emptyRoutes(name string) *routev3.RouteConfiguration {
	return &routev3.RouteConfiguration{
		Name: name,
		// Never strip_*_host_port, which would change the Host that nodes see.
		IgnorePortInHostMatching: true,
		RequestHeadersToRemove:   []string{scopeHeader},
	}
}

// virtualHost is one domain.
func virtualHost(h host, u use) *routev3.VirtualHost {
	out := &routev3.VirtualHost{Name: h.domain, Domains: []string{h.domain}}
	if len(h.entries) > 0 {
		out.Matcher = routeMatcher(entriesIn(h.entries), u)
	}
	return out
}

func entriesIn(list []placed) []entry {
	entries := make([]entry, len(list))
	for i, e := range list {
		entries[i] = e.entry
	}
	return entries
}

// entriesOf are the APIs of a service; of none, none.
func entriesOf(s *model.Service) []entry {
	if s == nil {
		return nil
	}
	out := make([]entry, 0, len(s.APIs))
	for _, api := range s.APIs {
		out = append(out, entry{s, api})
	}
	return out
}

// domainsOf are the domains of a service as Envoy spells them. Envoy's choice among them is the contract's: exact, then
// the longest wildcard, then "*".
func domainsOf(s *model.Service) []string {
	if len(s.Domains) == 0 {
		return []string{"*"}
	}
	return s.Domains
}

// route is one API. Its match is whole, wherever it stands: Envoy asks it again at the end of a tree.
func route(e entry, u use) *routev3.Route {
	r := &routev3.Route{Name: e.name(), Match: routeMatch(e.api)}
	switch b := e.api.Backend; {
	case b.Mock != nil:
		r.Action = &routev3.Route_DirectResponse{DirectResponse: directResponse(b.Mock)}
	case b.Redirect != nil:
		r.Action = &routev3.Route_Redirect{Redirect: redirectAction(b.Redirect, e.api.Path)}
	default:
		forward := routeAction(b, u)
		rewritePath(forward, e.api)
		setFromUpstreams(r, forward, b, u)
		setWebSocket(forward, e.api)
		r.Action = &routev3.Route_Route{Route: forward}
	}
	setPolicies(r, e.api)
	return r
}

// routeMatch is the frontend of an API. Envoy compares paths here without their query strings.
func routeMatch(api *model.API) *routev3.RouteMatch {
	match := &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Prefix{Prefix: "/"}}
	switch path := api.Path; {
	case path.Kind == model.ExactPath:
		match.PathSpecifier = &routev3.RouteMatch_Path{Path: path.Text}
	case path.Kind == model.TemplatePath:
		match.PathSpecifier = &routev3.RouteMatch_SafeRegex{SafeRegex: regexMatcher(templateRegex(path.Text, anySegment))}
	case path.Kind == model.PrefixPath && path.Text != "/":
		match.PathSpecifier = &routev3.RouteMatch_PathSeparatedPrefix{PathSeparatedPrefix: path.Text}
	}
	if len(api.Methods) > 0 {
		match.Headers = []*routev3.HeaderMatcher{methodMatcher(api.Methods)}
	}
	match.Headers = append(match.Headers, conditionMatchers(api)...)
	return match
}

// methodMatcher holds for each of the methods.
func methodMatcher(methods []string) *routev3.HeaderMatcher {
	match := &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Exact{Exact: methods[0]}}
	if len(methods) > 1 {
		quoted := make([]string, len(methods))
		for i, method := range methods {
			quoted[i] = regexp.QuoteMeta(method)
		}
		match.MatchPattern = &matcherv3.StringMatcher_SafeRegex{SafeRegex: regexMatcher(strings.Join(quoted, "|"))}
	}
	return &routev3.HeaderMatcher{
		Name:                 ":method",
		HeaderMatchSpecifier: &routev3.HeaderMatcher_StringMatch{StringMatch: match},
	}
}

// directResponse is the answer of a mock.
func directResponse(m *model.Mock) *routev3.DirectResponseAction {
	out := &routev3.DirectResponseAction{Status: uint32(m.Status)}
	if m.Body != "" {
		out.Body = &corev3.DataSource{Specifier: &corev3.DataSource_InlineString{InlineString: m.Body}}
	}
	return out
}

// routeAction forwards to clusters.
func routeAction(b model.Backend, u use) *routev3.RouteAction {
	out := &routev3.RouteAction{
		Timeout:               durationpb.New(b.Timeout),
		IdleTimeout:           idleTimeout(b.Timeout),
		RequestMirrorPolicies: mirrorPolicies(b.Mirrors, u),
	}
	setTarget(out, b, u)
	return out
}

// idleTimeout lifts the listener's limit on idle streams where an answer may take longer than that; nil keeps it.
func idleTimeout(timeout time.Duration) *durationpb.Duration {
	switch {
	case timeout == 0:
		return durationpb.New(0) // none
	case timeout < streamIdle:
		return nil
	}
	return durationpb.New(timeout + streamIdle)
}

// rewritePath makes the backend see its own path. The query string goes on as it is.
func rewritePath(action *routev3.RouteAction, api *model.API) {
	replacement := api.Backend.Path
	if replacement == "" {
		return
	}
	switch api.Path.Kind {
	case model.ExactPath:
		action.PrefixRewrite = replacement // of the whole path: that is what the route matched
	case model.TemplatePath:
		pattern := "^" + templateRegex(api.Path.Text, "("+anySegment+")") + "$"
		action.RegexRewrite = regexRewrite(pattern, substitution(api.Path.Text, replacement))
	default:
		rewritePrefix(action, strings.TrimRight(api.Path.Text, "/"), strings.TrimRight(replacement, "/"))
	}
}

// rewritePrefix joins the replacement and what follows the prefix with exactly one slash. Both come without a trailing
// slash, so "/" is "" here; every path starts with that, and so an API that takes every path is one with the prefix "/".
func rewritePrefix(action *routev3.RouteAction, prefix, replacement string) {
	switch {
	case prefix == replacement:
	case prefix == "":
		action.PrefixRewrite = replacement + "/" // the route matched "/"
	case replacement == "":
		// An empty prefix_rewrite is none, and "/" would double the slash of what follows.
		action.RegexRewrite = regexRewrite("^"+regexp.QuoteMeta(prefix)+"/?", "/")
	default:
		action.PrefixRewrite = replacement
	}
}

func regexRewrite(pattern, substitution string) *matcherv3.RegexMatchAndSubstitute {
	return &matcherv3.RegexMatchAndSubstitute{Pattern: regexMatcher(pattern), Substitution: substitution}
}

func regexMatcher(regex string) *matcherv3.RegexMatcher {
	return &matcherv3.RegexMatcher{Regex: regex}
}
