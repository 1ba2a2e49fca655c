package translate

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	rbacrulesv3 "github.com/envoyproxy/go-control-plane/envoy/config/rbac/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	corsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/cors/v3"
	ratelimitv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/local_ratelimit/v3"
	rbacv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/weirproxy/weir/model"
)

// The filters of policies stand in every listener and are switched off there; a route that has a configuration for one
// switches it on for its own requests. So the first API that uses one changes its route, and not the listener, which would
// drain every connection; and all others pass them by.
const (
	corsFilter      = "envoy.filters.http.cors"
	rbacFilter      = "envoy.filters.http.rbac"
	rateLimitFilter = "envoy.filters.http.local_ratelimit"
	// rateLimitStats names the counters of all limits: one set, whatever the number of APIs.
	rateLimitStats = "api_rate_limit"
)

// policyFilters are those filters, in the order in which a request meets them: a preflight is answered whoever asks, and
// callers that are not let in do not count against a limit.
func policyFilters() []*hcmv3.HttpFilter {
	return []*hcmv3.HttpFilter{
		offByDefault(corsFilter, &corsv3.Cors{}),
		offByDefault(rbacFilter, &rbacv3.RBAC{}),
		offByDefault(rateLimitFilter, &ratelimitv3.LocalRateLimit{StatPrefix: rateLimitStats}),
	}
}

// policies tells which of these filters some APIs need.
type policies struct{ cors, ipRules, rateLimit bool }

// add takes more APIs.
func (p *policies) add(list []placed) {
	for _, e := range list {
		p.cors = p.cors || e.api.CORS != nil
		p.ipRules = p.ipRules || e.api.IPRules != nil
		p.rateLimit = p.rateLimit || e.api.RateLimit != nil
	}
}

// suffix names them; of none, it is nothing.
func (p policies) suffix() string {
	var out string
	for _, policy := range []struct {
		on   bool
		name string
	}{{p.cors, "+cors"}, {p.ipRules, "+ip_rules"}, {p.rateLimit, "+rate_limit"}} {
		if policy.on {
			out += policy.name
		}
	}
	return out
}

// switchedOn switches them on, for a route that is found before the one that has configurations for them (scope.go). A filter
// for which the last has none does nothing.
func (p policies) switchedOn() map[string]*anypb.Any {
	out := map[string]*anypb.Any{}
	for filter, on := range map[string]bool{corsFilter: p.cors, rbacFilter: p.ipRules, rateLimitFilter: p.rateLimit} {
		if on {
			out[filter] = switchedOn
		}
	}
	return out
}

// setPolicies writes the policies of an API into its route.
func setPolicies(r *routev3.Route, api *model.API) {
	set := func(filter string, config proto.Message) {
		if r.TypedPerFilterConfig == nil {
			r.TypedPerFilterConfig = map[string]*anypb.Any{}
		}
		r.TypedPerFilterConfig[filter] = pack(config)
	}
	if api.CORS != nil {
		set(corsFilter, corsPolicy(api.CORS))
	}
	if api.IPRules != nil {
		set(rbacFilter, &rbacv3.RBACPerRoute{Rbac: &rbacv3.RBAC{Rules: ipRules(api.IPRules)}})
	}
	if api.RateLimit != nil {
		set(rateLimitFilter, rateLimit(api.RateLimit))
	}
	request, response := api.RequestHeaders, api.ResponseHeaders
	if api.CORS != nil {
		response = varied(response)
	}
	r.RequestHeadersToAdd, r.RequestHeadersToRemove = headerOptions(request), request.Remove
	r.ResponseHeadersToAdd, r.ResponseHeadersToRemove = headerOptions(response), response.Remove
	if mock := api.Backend.Mock; mock != nil {
		r.ResponseHeadersToAdd = append(mockHeaders(mock, response), r.ResponseHeadersToAdd...)
	}
}

// headerOptions are headers to write, values as they stand: what is between percent signs would be a command to Envoy.
func headerOptions(c model.HeaderChanges) []*corev3.HeaderValueOption {
	var out []*corev3.HeaderValueOption
	add := func(headers []model.Header, action corev3.HeaderValueOption_HeaderAppendAction) {
		for _, h := range headers {
			out = append(out, &corev3.HeaderValueOption{
				Header:         &corev3.HeaderValue{Key: h.Name, Value: strings.ReplaceAll(h.Value, "%", "%%")},
				AppendAction:   action,
				KeepEmptyValue: h.Value == "",
			})
		}
	}
	add(c.Set, corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD)
	add(c.Add, corev3.HeaderValueOption_APPEND_IF_EXISTS_OR_ADD)
	return out
}

// varied tells caches that the answer is for pages of one origin: Envoy's filter names the origin that asked, also where every
// one is let in, and a cache that gave the answer to another page would have the browser refuse it. What the operator says
// of the header goes before.
func varied(c model.HeaderChanges) model.HeaderChanges {
	if slices.Contains(c.Remove, "vary") || slices.ContainsFunc(c.Set, func(h model.Header) bool { return h.Name == "vary" }) {
		return c
	}
	c.Add = append(slices.Clone(c.Add), model.Header{Name: "vary", Value: "origin"})
	return c
}

// mockHeaders are what a mock itself says, as a node would: changes are made to it. Envoy makes both in one go, and takes
// away before it adds.
func mockHeaders(m *model.Mock, c model.HeaderChanges) []*corev3.HeaderValueOption {
	kept := slices.DeleteFunc(slices.Clone(m.Headers), func(h model.Header) bool {
		return slices.Contains(c.Remove, h.Name) || slices.ContainsFunc(c.Set, func(set model.Header) bool { return set.Name == h.Name })
	})
	return headerOptions(model.HeaderChanges{Set: kept})
}

// corsPolicy is the answer to browsers. Preflights of other origins are answered too, without a permission: they are no
// affair of the nodes.
func corsPolicy(c *model.CORS) *corsv3.CorsPolicy {
	out := &corsv3.CorsPolicy{
		AllowMethods:                 strings.Join(c.AllowMethods, ", "),
		AllowHeaders:                 strings.Join(c.AllowHeaders, ", "),
		ExposeHeaders:                strings.Join(c.ExposeHeaders, ", "),
		ForwardNotMatchingPreflights: wrapperspb.Bool(false),
	}
	if c.AllowCredentials {
		out.AllowCredentials = wrapperspb.Bool(true)
	}
	if c.MaxAge >= 0 {
		out.MaxAge = strconv.Itoa(int(c.MaxAge / time.Second))
	}
	if c.AnyOrigin {
		out.AllowOriginStringMatch = []*matcherv3.StringMatcher{{MatchPattern: &matcherv3.StringMatcher_Exact{Exact: "*"}}}
	}
	for _, origin := range c.AllowOrigins {
		match := &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Exact{Exact: origin}}
		if scheme, rest, wildcard := strings.Cut(origin, "://*."); wildcard {
			match.MatchPattern = &matcherv3.StringMatcher_SafeRegex{SafeRegex: regexMatcher(
				regexp.QuoteMeta(scheme) + `://[a-z0-9._-]+\.` + regexp.QuoteMeta(rest))}
		}
		out.AllowOriginStringMatch = append(out.AllowOriginStringMatch, match)
	}
	return out
}

// withPreflights adds to the APIs of a domain what answers the preflights of those that do not take them: a request
// OPTIONS for a method of the API. Preflights carry no header of the request to come, so no condition on headers is asked.
// The filter answers them all, so the backend is never asked; but it looks at routes that lead to one only.
func withPreflights(entries []entry) []entry {
	out := entries
	for _, e := range entries {
		if e.api.CORS == nil || len(e.api.Methods) == 0 && len(e.api.Headers) == 0 {
			continue
		}
		preflight := &model.API{
			Name:    e.api.Name,
			Methods: []string{"OPTIONS"},
			Path:    e.api.Path,
			Headers: []model.Condition{{Name: "origin", Match: model.MatchPresent}, {Name: "access-control-request-method", Match: model.MatchPresent}},
			Query:   e.api.Query,
			Backend: e.api.Backend,
		}
		if len(e.api.Methods) > 0 {
			preflight.Headers[1].Match, preflight.Headers[1].Text = model.MatchRegex, strings.Join(e.api.Methods, "|")
		}
		preflight.CORS = e.api.CORS
		out = append(slices.Clip(out), entry{e.service, preflight})
	}
	return out
}

// rateLimit is a bucket of tokens, one a request, of this route alone.
func rateLimit(l *model.RateLimit) *ratelimitv3.LocalRateLimit {
	always := &corev3.RuntimeFractionalPercent{DefaultValue: &typev3.FractionalPercent{Numerator: 100}}
	return &ratelimitv3.LocalRateLimit{
		StatPrefix: rateLimitStats,
		TokenBucket: &typev3.TokenBucket{
			MaxTokens:     uint32(l.Burst),
			TokensPerFill: wrapperspb.UInt32(uint32(l.Requests)),
			FillInterval:  durationpb.New(l.Per),
		},
		FilterEnabled:          always,
		FilterEnforced:         always,
		EnableRetryAfterHeader: true,
	}
}

// ipRules let callers in by the address that the listener takes for theirs.
func ipRules(r *model.IPRules) *rbacrulesv3.RBAC {
	var all []*rbacrulesv3.Principal
	if len(r.Allow) > 0 {
		all = append(all, anyAddress(r.Allow))
	}
	if len(r.Deny) > 0 {
		all = append(all, &rbacrulesv3.Principal{Identifier: &rbacrulesv3.Principal_NotId{NotId: anyAddress(r.Deny)}})
	}
	return &rbacrulesv3.RBAC{
		Action: rbacrulesv3.RBAC_ALLOW,
		Policies: map[string]*rbacrulesv3.Policy{"ip_rules": {
			Permissions: []*rbacrulesv3.Permission{{Rule: &rbacrulesv3.Permission_Any{Any: true}}},
			Principals: []*rbacrulesv3.Principal{{Identifier: &rbacrulesv3.Principal_AndIds{
				AndIds: &rbacrulesv3.Principal_Set{Ids: all},
			}}},
		}},
	}
}

func anyAddress(prefixes []netip.Prefix) *rbacrulesv3.Principal {
	set := &rbacrulesv3.Principal_Set{}
	for _, p := range prefixes {
		set.Ids = append(set.Ids, &rbacrulesv3.Principal{Identifier: &rbacrulesv3.Principal_RemoteIp{RemoteIp: &corev3.CidrRange{
			AddressPrefix: p.Addr().String(),
			PrefixLen:     wrapperspb.UInt32(uint32(p.Bits())),
		}}})
	}
	return &rbacrulesv3.Principal{Identifier: &rbacrulesv3.Principal_OrIds{OrIds: set}}
}
