package translate

import (
	"regexp"
	"slices"
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

// routeConfiguration is the routes of one listener: a virtual host per domain, with the APIs of all services of the
// instance that are mounted on the listener under it. Without any the listener answers 404.
//
// A domain whose services have no APIs is a virtual host all the same: its requests are not for the services of another.
func routeConfiguration(l *model.Listener, u use) *routev3.RouteConfiguration {
	domains := map[string][]entry{}
	limit := directResponseLimit
	for _, service := range u.services {
		if !slices.Contains(service.Listeners, l.Name) {
			continue
		}
		for _, domain := range domainsOf(service) {
			domains[domain] = append(domains[domain], serviceEntries(service)...)
		}
		for _, api := range service.APIs {
			if api.Backend.Mock != nil {
				limit = max(limit, len(api.Backend.Mock.Body))
			}
		}
	}
	out := &routev3.RouteConfiguration{
		Name: routesName(l),
		// Never strip_*_host_port, which would change the Host that nodes see.
		IgnorePortInHostMatching: true,
	}
	if limit > directResponseLimit {
		out.MaxDirectResponseBodySizeBytes = wrapperspb.UInt32(uint32(limit))
	}
	for _, domain := range sortedKeys(domains) {
		host := &routev3.VirtualHost{Name: domain, Domains: []string{domain}}
		if len(domains[domain]) > 0 {
			host.Matcher = routeMatcher(domains[domain], u)
		}
		out.VirtualHosts = append(out.VirtualHosts, host)
	}
	return out
}

// serviceEntries are the APIs of a service by name.
func serviceEntries(s *model.Service) []entry {
	var out []entry
	for _, api := range sortedValues(s.APIs) {
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
		r.Action = &routev3.Route_Route{Route: forward}
	}
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
