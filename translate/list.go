package translate

import (
	"cmp"
	"slices"
	"strings"

	xdsmatcherv3 "github.com/cncf/xds/go/xds/type/matcher/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"github.com/weirproxy/weir/model"
)

// The APIs of a domain are found by the request's path, so that finding one does not grow with their number: a map from
// the literal prefixes of their paths to lists of routes, of which Envoy takes the longest key with which ":path" starts.
//
// A list is final: when none of its routes fits, the answer is 404, without a look at a shorter key. So each key's list
// holds, in the order of "Matching", every API that can match a path that starts with the key. Two more traps: a key is a
// prefix of bytes, not of segments ("/orders" is one of "/orders-old"), and ":path" holds the query string. Therefore the
// map only narrows the choice; each route of the list still matches its path and methods itself.
//
// In ordinary configurations the lists repeat little: what takes every path of a domain, and the templates beside an exact
// path. But m templates such as /{tenant}/x can match below each of n literal paths, and m times n routes are too many.
// Where the lists would grow beyond maxCopies, the domain becomes a tree of nested matchers instead (tree.go), which holds
// each API once. It is not the only form because it costs Envoy three times the bytes and the time: 10,000 exact paths
// take 1.5 MB and 0.4 s to load as lists, 4.8 MB and 1.3 s as a tree.

// maxCopies is how many routes the lists of a domain may hold for each of its APIs. At three, both forms cost the same.
const maxCopies = 3

// entry is an API with its service: what one route is made of.
type entry struct {
	service *model.Service
	api     *model.API
}

// name is the name of the route.
func (e entry) name() string { return e.service.Name + "/" + e.api.Name }

// compareEntries is the order in which the APIs of one domain are asked.
func compareEntries(a, b entry) int {
	return cmp.Or(comparePaths(a.api.Path, b.api.Path), compareConditions(a.api, b.api), cmp.Compare(a.name(), b.name()))
}

// routeMatcher is the matcher of a virtual host. A request that nothing in it fits is answered with 404.
func routeMatcher(entries []entry, u use) *xdsmatcherv3.Matcher {
	entries = withPreflights(entries)
	if lists := routeLists(entries, maxCopies*len(entries), u); lists != nil {
		return lists
	}
	return routeTree(entries, u)
}

// routeLists is the form for ordinary domains. It is nil where the lists together would hold more routes than the limit,
// or an API with a rate limit twice: each of its routes would count requests for itself.
func routeLists(entries []entry, limit int, u use) *xdsmatcherv3.Matcher {
	byPrefix := map[string][]entry{}
	for _, e := range entries {
		prefix := literalPrefix(e.api.Path)
		byPrefix[prefix] = append(byPrefix[prefix], e)
	}
	copies := 0
	keys := map[string]*xdsmatcherv3.Matcher_OnMatch{}
	for prefix := range byPrefix {
		if prefix == "" {
			continue // of the APIs that take every path
		}
		list := listOf(prefix, byPrefix)
		if copies += len(list); copies > limit {
			return nil
		}
		if slices.ContainsFunc(list, func(e entry) bool { return e.api.RateLimit != nil && literalPrefix(e.api.Path) != prefix }) {
			return nil
		}
		keys[prefix] = routeList(list, u)
	}
	var otherwise *xdsmatcherv3.Matcher_OnMatch
	if everyPath := byPrefix[""]; len(everyPath) > 0 {
		otherwise = routeList(slices.SortedFunc(slices.Values(everyPath), compareEntries), u)
	}
	if len(keys) == 0 {
		return &xdsmatcherv3.Matcher{OnNoMatch: otherwise}
	}
	return prefixTree(pathInput, keys, otherwise)
}

// listOf is every API that can match a path that starts with the key and with no longer one, in order, up to the first
// that leaves nothing to those behind it.
func listOf(key string, byPrefix map[string][]entry) []entry {
	list := slices.Clone(byPrefix[""])
	for i := range len(key) {
		if key[i] != '/' {
			continue
		}
		shorter := []string{key[:i+1]} // templates below this directory
		if i > 0 {
			shorter = append(shorter, key[:i]) // the prefix that is this directory
		}
		for _, prefix := range shorter {
			if prefix == key {
				continue
			}
			for _, e := range byPrefix[prefix] {
				if reaches(e.api.Path, key) {
					list = append(list, e)
				}
			}
		}
	}
	list = append(list, byPrefix[key]...)
	slices.SortFunc(list, compareEntries)
	last := slices.IndexFunc(list, func(e entry) bool { return takesAll(e.api, key) })
	return list[:cmp.Or(last+1, len(list))]
}

// reaches reports whether p, whose literal prefix is shorter than the key, can match a path that starts with the key.
func reaches(p model.Path, key string) bool {
	switch p.Kind {
	case model.PrefixPath:
		return isBelow(key, p.Text)
	case model.TemplatePath:
		pattern, segments := strings.Split(p.Text, "/"), strings.Split(key, "/")
		if len(segments) > len(pattern) {
			return false
		}
		last := len(segments) - 1 // the path may go on within this one
		for i, segment := range segments[:last] {
			if pattern[i] != segment && (!isVariable(pattern[i]) || segment == "") {
				return false
			}
		}
		return isVariable(pattern[last]) || strings.HasPrefix(pattern[last], segments[last])
	}
	return false // an exact path is no longer than its literal prefix
}

// takesAll reports whether every request whose path starts with the key fits the API.
func takesAll(api *model.API, key string) bool {
	if len(api.Methods) > 0 || hasConditions(api) {
		return false
	}
	return isEvery(api.Path) || api.Path.Kind == model.PrefixPath && isBelow(key, api.Path.Text)
}

// isBelow reports whether every path that starts with the key is below the prefix, in whole segments.
func isBelow(key, prefix string) bool { return strings.HasPrefix(key, prefix+"/") }

// routeList ends the search with a list of routes.
func routeList(entries []entry, u use) *xdsmatcherv3.Matcher_OnMatch {
	list := &routev3.RouteList{}
	for _, e := range entries {
		list.Routes = append(list.Routes, route(e, u))
	}
	return action("routes", list)
}
