package translate

import (
	"strings"

	xdsmatcherv3 "github.com/cncf/xds/go/xds/type/matcher/v3"
	mutationrulesv3 "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	headermutationv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_mutation/v3"
	setfilterstatev3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/set_filter_state/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	earlymutationv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/http/early_header_mutation/header_mutation/v3"
)

// Routes are scoped: the header scopeHeader names the RouteConfiguration that a request is looked up in. Every request
// starts in the one of its socket. Where that is cut into parts (partition.go), it is an index: it finds the domain and the
// beginning of the path as all routes do, by Envoy's own rules, and its route sets the header to the part and has the
// lookup done again, there. So no rule is written twice, and nothing in the listener knows the parts: when these change, no
// connection is drained.
//
// What Envoy takes from a route before the first filter runs, it takes from the index: which filters a request passes, and
// what it may be upgraded to. So the index switches on, for each part, the filters that routes of the part switch on; no
// route may switch one off; and routes that upgrade stay in the index. A filter's own settings for routes are read when it
// runs, from the route that is found in the end.
const (
	scopeHeader = "x-weir-scope"
	// setScope writes the header, and findAgain has the route looked up again when it is next asked for: filters that are
	// switched off, but where an index leads to a part.
	setScope  = "weir.set_scope"
	findAgain = "weir.find_again"
)

// scopedRoutes starts every request of a socket in its scope.
func scopedRoutes() *hcmv3.HttpConnectionManager_ScopedRoutes {
	return &hcmv3.HttpConnectionManager_ScopedRoutes{ScopedRoutes: &hcmv3.ScopedRoutes{
		Name: "weir",
		ScopeKeyBuilder: &hcmv3.ScopedRoutes_ScopeKeyBuilder{Fragments: []*hcmv3.ScopedRoutes_ScopeKeyBuilder_FragmentBuilder{{
			Type: &hcmv3.ScopedRoutes_ScopeKeyBuilder_FragmentBuilder_HeaderValueExtractor_{
				HeaderValueExtractor: &hcmv3.ScopedRoutes_ScopeKeyBuilder_FragmentBuilder_HeaderValueExtractor{
					Name:        scopeHeader,
					ExtractType: &hcmv3.ScopedRoutes_ScopeKeyBuilder_FragmentBuilder_HeaderValueExtractor_Index{},
				},
			},
		}}},
		RdsConfigSource: ads(),
		ConfigSpecifier: &hcmv3.ScopedRoutes_ScopedRds{ScopedRds: &hcmv3.ScopedRds{ScopedRdsConfigSource: ads()}},
	}}
}

// scopeOf is the scope that leads to the RouteConfiguration of its name.
func scopeOf(name string) *routev3.ScopedRouteConfiguration {
	return &routev3.ScopedRouteConfiguration{
		Name:                   name,
		RouteConfigurationName: name,
		Key: &routev3.ScopedRouteConfiguration_Key{Fragments: []*routev3.ScopedRouteConfiguration_Key_Fragment{{
			Type: &routev3.ScopedRouteConfiguration_Key_Fragment_StringKey{StringKey: name},
		}}},
	}
}

// intoScope overwrites the header, whoever set it. Names of parts hold paths, and what is between percent signs would be a
// command to Envoy.
func intoScope(name string) []*mutationrulesv3.HeaderMutation {
	return []*mutationrulesv3.HeaderMutation{{
		Action: &mutationrulesv3.HeaderMutation_Append{Append: &corev3.HeaderValueOption{
			Header:       &corev3.HeaderValue{Key: scopeHeader, Value: strings.ReplaceAll(name, "%", "%%")},
			AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
		}},
	}}
}

// startScope puts a request into the scope of its socket before Envoy looks for a route.
func startScope(name string) *corev3.TypedExtensionConfig {
	return &corev3.TypedExtensionConfig{
		Name:        "envoy.http.early_header_mutation.header_mutation",
		TypedConfig: pack(&earlymutationv3.HeaderMutation{Mutations: intoScope(name)}),
	}
}

// scopeFilters are the two that lead from an index to a part. The header is set while the route is still that of the index.
func scopeFilters() []*hcmv3.HttpFilter {
	return []*hcmv3.HttpFilter{
		offByDefault(setScope, &headermutationv3.HeaderMutation{}),
		// Of the filters that can forget a route, this one does the least besides.
		offByDefault(findAgain, &setfilterstatev3.Config{ClearRouteCache: true}),
	}
}

// indexRoute leads to a part. It is an answer of 404 to whom it cannot lead there.
func indexRoute(part string, on policies) *routev3.Route {
	filters := on.switchedOn()
	filters[setScope] = pack(&headermutationv3.HeaderMutationPerRoute{Mutations: &headermutationv3.Mutations{RequestMutations: intoScope(part)}})
	filters[findAgain] = switchedOn
	return &routev3.Route{
		Name:                 part,
		Match:                &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Prefix{}},
		Action:               &routev3.Route_DirectResponse{DirectResponse: &routev3.DirectResponseAction{Status: 404}},
		TypedPerFilterConfig: filters,
	}
}

// routeIndex is the RouteConfiguration of a socket that is cut into parts.
func routeIndex(name string, shares []*share, u use) *routev3.RouteConfiguration {
	var stay []host
	for _, s := range shares {
		switch {
		case s.stays && s.paths != nil:
			stay = append(stay, host{s.hosts[0].name, s.paths.entries})
		case s.stays:
			stay = append(stay, host{s.hosts[0].name, s.hosts[0].entries})
		}
	}
	out := emptyRoutes(name)
	setResponseLimit(out, stay)
	for len(shares) > 0 {
		n := 1
		if shares[0].paths != nil {
			n = countPaths(shares)
		}
		out.VirtualHosts = append(out.VirtualHosts, indexHost(shares[:n], u))
		shares = shares[n:]
	}
	return out
}

// countPaths is how many of the first shares are of one domain that is cut.
func countPaths(shares []*share) int {
	n := 1
	for n < len(shares) && shares[n].paths != nil && shares[n].hosts[0] == shares[0].hosts[0] {
		n++
	}
	return n
}

// indexHost is a group, a domain that stays, or one that is cut.
func indexHost(shares []*share, u use) *routev3.VirtualHost {
	first := shares[0]
	switch {
	case first.paths != nil:
		domain := first.hosts[0].name
		return &routev3.VirtualHost{Name: domain, Domains: []string{domain}, Matcher: pathIndex(shares, u)}
	case first.stays:
		return virtualHost(host{first.hosts[0].name, first.hosts[0].entries}, u)
	}
	out := &routev3.VirtualHost{Name: first.part, Routes: []*routev3.Route{indexRoute(first.part, first.policies)}}
	for _, d := range first.hosts {
		out.Domains = append(out.Domains, d.name)
	}
	return out
}

// pathIndex finds the part of a path: that of the longest key with which it starts.
func pathIndex(shares []*share, u use) *xdsmatcherv3.Matcher {
	keys := map[string]*xdsmatcherv3.Matcher_OnMatch{}
	var otherwise *xdsmatcherv3.Matcher_OnMatch
	for _, s := range shares {
		found := action("route", indexRoute(s.part, s.policies))
		if s.stays {
			// A miss in there is one elsewhere too: what could match stands in it.
			if found = next(routeMatcher(entriesIn(s.paths.entries), u)); found.GetMatcher().GetMatcherType() == nil {
				found = found.GetMatcher().GetOnNoMatch()
			}
		}
		if s.paths.key == "" {
			otherwise = found
		} else {
			keys[s.paths.key] = found
		}
	}
	if len(keys) == 0 {
		return &xdsmatcherv3.Matcher{OnNoMatch: otherwise}
	}
	return prefixTree(pathInput, keys, otherwise)
}
