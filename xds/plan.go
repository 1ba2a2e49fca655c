package xds

import (
	"cmp"
	"slices"
)

// The stages in which a client is brought from what it has to a set, so that whatever is used is there.
const (
	making   = iota // what may be used: new and changed clusters, their endpoints, secrets
	opening         // what nothing leads to yet: new scopes and routes, once the new clusters serve
	turning         // what leads there: listeners, and what is changed of scopes and routes, once the new scopes have their routes
	breaking        // what nothing uses any more, once listeners, scopes and routes were taken
	stages   = iota
)

// batch is what one response is to hold.
type batch struct {
	kind    kind
	items   []item
	removed []string
}

func (b *batch) none() bool { return len(b.items) == 0 && len(b.removed) == 0 }

// plan decides what of a client's debts goes in which stage, and in which order there. Endpoints are sent again, whether they
// changed or not, after each change of their cluster: Envoy warms it for initial_fetch_timeout otherwise. Repeat finds them.
//
// A listener that is gone goes once those that come were taken: where one of these is refused, all stays as it is. A scope too:
// the routes of one scope may lead requests into another (by setting the header that keys are made of), and until that is
// changed both are needed. So no two listeners, of whichever sets, may share an address under two names, and no two scopes a key.
func plan(owed *[kinds]debts, repeat func(assignment string) *Resource) (out [stages][]batch) {
	put := func(stage int, k kind, items []item, removed ...string) {
		if b := (batch{k, items, removed}); !b.none() {
			out[stage] = append(out[stage], b)
		}
	}
	put(making, clusters, owed[clusters].changed, owed[clusters].denied...)
	put(making, endpoints, withRepeated(owed, repeat), owed[endpoints].denied...)
	put(making, secrets, owed[secrets].changed, owed[secrets].denied...)
	newScopes, scopesThere := apart(owed[scopes].changed)
	newRoutes, routesThere := apart(owed[routes].changed)
	put(opening, scopes, newScopes)
	put(opening, routes, newRoutes)
	put(turning, listeners, owed[listeners].changed, owed[listeners].denied...)
	put(turning, scopes, scopesThere, owed[scopes].denied...)
	put(turning, routes, routesThere, owed[routes].denied...)
	for _, k := range []kind{listeners, scopes, routes, clusters, endpoints, secrets} {
		put(breaking, k, nil, owed[k].removed...)
	}
	return out
}

// apart are the items that the client has nothing of, and the others.
func apart(items []item) (fresh, others []item) {
	for _, x := range items {
		if x.fresh {
			fresh = append(fresh, x)
		} else {
			others = append(others, x)
		}
	}
	return fresh, others
}

// withRepeated are the endpoints that changed, and those of clusters that changed.
func withRepeated(owed *[kinds]debts, repeat func(assignment string) *Resource) []item {
	out := slices.Clone(owed[endpoints].changed)
	for _, c := range owed[clusters].changed {
		if c.waits == "" {
			continue
		}
		if r := repeat(c.waits); r != nil {
			out = append(out, item{Resource: r, had: r})
		}
	}
	slices.SortStableFunc(out, func(a, b item) int { return cmp.Compare(a.name, b.name) })
	return slices.CompactFunc(out, func(a, b item) bool { return a.name == b.name })
}
