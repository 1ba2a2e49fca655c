package translate

import (
	"slices"

	xdsmatcherv3 "github.com/cncf/xds/go/xds/type/matcher/v3"

	"github.com/weirproxy/weir/model"
)

// The tree is the form of a domain whose lists (list.go) would repeat too much. It holds each API once and grows with
// their number and no faster:
//
//	:path, longest key first            exact paths and templates, by their literal prefix
//	  the key's patterns, in order        does the whole path fit?
//	    methods and conditions, in order    do those of an API with conditions fit? The route
//	    :method                             the route
//	otherwise :path, longest key first  prefixes, likewise
//	otherwise                           APIs that take every path
//
// A miss of a nested matcher, unlike one in a list, falls back to the next shorter key, and then to the next stage; so an
// API whose method does not fit is passed over. Longest key first is the order of "Matching": where two templates match one
// path, the one with the longer literal prefix has a literal where the other has its first variable. A prefix never goes
// before a template, whichever is longer, and so it stands in a later stage.

// routeTree is the matcher of a virtual host as a tree of nested matchers.
func routeTree(entries []entry, u use) *xdsmatcherv3.Matcher {
	entries = slices.SortedFunc(slices.Values(entries), compareEntries)
	var stages [3][]entry
	for _, e := range entries {
		switch {
		case isEvery(e.api.Path):
			stages[2] = append(stages[2], e)
		case e.api.Path.Kind == model.PrefixPath:
			stages[1] = append(stages[1], e)
		default:
			stages[0] = append(stages[0], e)
		}
	}
	var tree *xdsmatcherv3.Matcher
	if len(stages[2]) > 0 {
		tree = &xdsmatcherv3.Matcher{OnNoMatch: byCondition(stages[2], u)}
	}
	for _, stage := range [][]entry{stages[1], stages[0]} {
		if len(stage) > 0 {
			tree = pathTree(stage, u, next(tree))
		}
	}
	return tree
}

// pathTree is one stage: from the literal prefix of a path to the patterns that start with it.
func pathTree(entries []entry, u use, onNoMatch *xdsmatcherv3.Matcher_OnMatch) *xdsmatcherv3.Matcher {
	byKey := map[string][]entry{}
	for _, e := range entries {
		key := literalPrefix(e.api.Path)
		byKey[key] = append(byKey[key], e)
	}
	keys := make(map[string]*xdsmatcherv3.Matcher_OnMatch, len(byKey))
	for key, entries := range byKey {
		keys[key] = patterns(entries, u)
	}
	return prefixTree(pathInput, keys, onNoMatch)
}

// patterns asks the patterns of one key in their order, each once, whatever the number of its methods.
func patterns(entries []entry, u use) *xdsmatcherv3.Matcher_OnMatch {
	var list []*xdsmatcherv3.Matcher_MatcherList_FieldMatcher
	for len(entries) > 0 {
		n := sameShape(entries)
		list = append(list, &xdsmatcherv3.Matcher_MatcherList_FieldMatcher{
			Predicate: pathPredicate(entries[0].api.Path),
			OnMatch:   byCondition(entries[:n], u),
		})
		entries = entries[n:]
	}
	return next(matcherList(list))
}

// sameShape is how many of the first entries have the first one's pattern. They stand side by side.
func sameShape(entries []entry) int {
	first := shape(entries[0].api.Path)
	for n, e := range entries {
		if e.api.Path.Kind != entries[0].api.Path.Kind || shape(e.api.Path) != first {
			return n
		}
	}
	return len(entries)
}

// byCondition chooses among APIs of one pattern, of which those with conditions go first. An API with a rate limit goes
// with them where it has several methods, so that it has one route, which counts all of its requests.
func byCondition(entries []entry, u use) *xdsmatcherv3.Matcher_OnMatch {
	var asked, plain []entry
	for _, e := range entries {
		if hasConditions(e.api) || e.api.RateLimit != nil && len(e.api.Methods) > 1 {
			asked = append(asked, e)
		} else {
			plain = append(plain, e)
		}
	}
	var rest *xdsmatcherv3.Matcher_OnMatch
	if len(plain) > 0 {
		rest = byMethod(plain, u)
	}
	if len(asked) == 0 {
		return rest
	}
	var list []*xdsmatcherv3.Matcher_MatcherList_FieldMatcher
	for _, e := range asked {
		list = append(list, &xdsmatcherv3.Matcher_MatcherList_FieldMatcher{
			Predicate: conditionPredicate(e.api),
			OnMatch:   action("route", route(e, u)),
		})
	}
	tree := matcherList(list)
	tree.OnNoMatch = rest
	return next(tree)
}

// byMethod chooses among APIs of one pattern without conditions. At most one of them takes a given method.
func byMethod(entries []entry, u use) *xdsmatcherv3.Matcher_OnMatch {
	methods := map[string]*xdsmatcherv3.Matcher_OnMatch{}
	var anyMethod *xdsmatcherv3.Matcher_OnMatch
	for _, e := range entries {
		onMatch := action("route", route(e, u))
		if len(e.api.Methods) == 0 {
			anyMethod = onMatch
		}
		for _, method := range e.api.Methods {
			methods[method] = onMatch
		}
	}
	if len(methods) == 0 {
		return anyMethod
	}
	return next(exactTree(methodInput, methods, anyMethod))
}
