package xds

import (
	"cmp"
	"maps"
	"slices"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/types/known/anypb"
)

// Versions that no resource has.
const (
	absent  = "-" // it does not exist, and the client was told so
	unknown = ""  // the client may have it, at a version that cannot be told
)

// maxFlight bounds the responses of one type that a client has not answered. More than one is needed: Envoy
// withholds the acknowledgement of clusters while one of them warms.
const maxFlight = 32

// watch is what one client asked for of one type, and what it has of it.
type watch struct {
	kind     kind
	sotw     bool                // state of the world, else delta
	wildcard bool                // all resources, besides names
	names    map[string]struct{} // go-control-plane's: to be read only while put is set
	put      func(*offer) bool   // hands an offer to the stream's goroutine; nil while the request is being changed

	owed    bool              // an answer is due even if it holds nothing
	known   map[string]string // versions that the client has once it took everything that was sent
	last    map[string]*entry // state of the world, wildcard: what the last response held
	refused map[string]string // versions that were refused together; none of them changed since
	queued  *offer            // handed over, not yet sent
	flight  []*offer          // sent, not yet answered

	sent, acknowledged string
	refusal            *Refused
}

// offer is one response.
type offer struct {
	serial  int // counts the session's offers
	version string
	nonce   string
	changed []*entry // state of the world, wildcard: all that there is
	removed []string
	kept    []*entry // state of the world: gone, but not to be taken away yet
}

// holds tells whether a resource of that name is sent.
func (o *offer) holds(name string) bool { return named(o.changed, name) }

// named finds a name in a sorted list.
func named(sorted []*entry, name string) bool {
	_, found := slices.BinarySearchFunc(sorted, name, func(e *entry, name string) int { return cmp.Compare(e.name, name) })
	return found
}

// without is a new list of those of which out is not true.
func without(list []*entry, out func(*entry) bool) []*entry {
	var rest []*entry
	for _, e := range list {
		if !out(e) {
			rest = append(rest, e)
		}
	}
	return rest
}

// lack is what a client does not have as it should.
type lack struct {
	changed []*entry
	removed []string
}

func (l lack) none() bool { return len(l.changed) == 0 && len(l.removed) == 0 }

// lacks compares what the client has with what it asked for. The names in again count as changed.
func (w *watch) lacks(es *entries, again map[string]struct{}) lack {
	var l lack
	check := func(e *entry) {
		if _, repeat := again[e.name]; repeat || w.known[e.name] != e.version {
			l.changed = append(l.changed, e)
		}
	}
	if w.wildcard {
		for _, e := range es.sorted {
			check(e)
		}
		for name, v := range w.known {
			if v != absent && !es.has(name) {
				l.removed = append(l.removed, name)
			}
		}
	}
	for name := range w.names {
		e, exists := es.byName[name]
		v, told := w.known[name]
		switch {
		case exists && !w.wildcard:
			check(e)
		case !exists && !told:
			l.removed = append(l.removed, name)
		case !exists && v != absent && !w.wildcard && !w.sotw: // by name, state of the world has no way to say it
			l.removed = append(l.removed, name)
		}
	}
	slices.SortFunc(l.changed, func(a, b *entry) int { return cmp.Compare(a.name, b.name) })
	slices.Sort(l.removed)
	return l
}

// withhold takes from l what was refused. Envoy refuses a whole response, mostly without naming the culprit: once one
// of its resources changes, all of them are due again.
func (w *watch) withhold(l lack, es *entries) lack {
	for name, v := range w.refused {
		if es.want(name) != v {
			w.refused = nil
			return l
		}
	}
	if len(w.refused) == 0 {
		return l
	}
	l.changed = without(l.changed, func(e *entry) bool { return w.refuses(e.name) })
	l.removed = slices.DeleteFunc(l.removed, w.refuses)
	if w.sotw && w.wildcard && len(l.changed) == 0 {
		l.removed = nil // the list without them would hold what was refused
	}
	return l
}

// knows tells whether something was said about a name.
func (w *watch) knows(name string) bool {
	_, ok := w.known[name]
	return ok
}

func (w *watch) refuses(name string) bool {
	_, ok := w.refused[name]
	return ok
}

// compose makes the response that gives the client what it lacks.
func (w *watch) compose(l lack, es *entries, keep bool) *offer {
	o := &offer{version: es.version, changed: l.changed, removed: l.removed}
	if w.sotw && w.wildcard {
		o.changed = es.sorted
		for name, e := range w.last {
			if keep && !es.has(name) {
				o.kept = append(o.kept, e)
			}
		}
		slices.SortFunc(o.kept, func(a, b *entry) int { return cmp.Compare(a.name, b.name) })
	}
	return o
}

// apply notes that the client will have what o holds.
func (w *watch) apply(o *offer) {
	for _, e := range o.changed {
		w.known[e.name] = e.version
	}
	for _, name := range o.removed {
		if _, named := w.names[name]; named {
			w.known[name] = absent
		} else {
			delete(w.known, name)
		}
	}
	w.owed = false
	if w.sotw && w.wildcard {
		w.last = map[string]*entry{}
		for _, e := range slices.Concat(o.changed, o.kept) {
			w.last[e.name] = e
		}
	}
}

// forget notes that it cannot be told whether the client has what o holds.
func (w *watch) forget(o *offer) {
	for _, e := range o.changed {
		if w.known[e.name] == e.version {
			w.known[e.name] = unknown
		}
	}
	for _, name := range o.removed {
		if v, ok := w.known[name]; !ok || v == absent {
			w.known[name] = unknown
		}
	}
}

// refuse notes that the client refused o.
func (w *watch) refuse(o *offer) {
	w.forget(o)
	if w.refused == nil {
		w.refused = map[string]string{}
	}
	for _, e := range o.changed {
		w.refused[e.name] = e.version
	}
	for _, name := range o.removed {
		w.refused[name] = absent
	}
}

// accept notes that the client took o: if it refused the same before, that is over.
func (w *watch) accept(o *offer) {
	for _, e := range o.changed {
		if w.refused[e.name] == e.version {
			delete(w.refused, e.name)
			if w.known[e.name] == unknown {
				w.known[e.name] = e.version
			}
		}
	}
	w.acknowledged = o.version
}

// idle tells whether nothing is under way to the client.
func (w *watch) idle() bool { return w.put != nil && w.queued == nil && len(w.flight) == 0 }

// holds tells whether the client has, and took, all that it asked for; with all, whether that is all that there is.
func (w *watch) holds(es *entries, all bool) bool {
	if !w.idle() || !w.lacks(es, nil).none() {
		return false
	}
	if all && !w.wildcard {
		for _, e := range es.sorted {
			if w.known[e.name] != e.version {
				return false
			}
		}
	}
	return true
}

// answered finds the offer that a nonce answers and takes it, with those sent before it, out of flight. A nonce
// that is not in flight is an answer to nothing.
func (w *watch) answered(nonce string) []*offer {
	i := slices.IndexFunc(w.flight, func(o *offer) bool { return o.nonce == nonce })
	if i < 0 {
		return nil
	}
	done := slices.Clone(w.flight[:i+1])
	w.flight = slices.Delete(w.flight, 0, i+1)
	return done
}

// resubscribe follows a delta client's change of names. A name that is asked for again is due again, because the client may
// have forgotten it: https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#subscribing-to-resources
func (w *watch) resubscribe(subscribed, unsubscribed []string) {
	for _, name := range subscribed {
		delete(w.known, name)
		delete(w.refused, name)
	}
	for _, name := range unsubscribed {
		delete(w.refused, name)
		if w.wildcard {
			w.known[name] = unknown // to be sent, or said to be gone, once more
		} else {
			delete(w.known, name)
		}
	}
	if slices.Contains(unsubscribed, "*") {
		w.dropUnnamed()
	}
}

// dropUnnamed forgets what the client no longer asks for.
func (w *watch) dropUnnamed() {
	if w.wildcard {
		return
	}
	unnamed := func(name, _ string) bool { _, named := w.names[name]; return !named }
	maps.DeleteFunc(w.known, unnamed)
	maps.DeleteFunc(w.refused, unnamed)
}

// deltaResponse is o as a delta stream carries it.
func (o *offer) deltaResponse(k kind) *discoveryv3.DeltaDiscoveryResponse {
	r := &discoveryv3.DeltaDiscoveryResponse{
		SystemVersionInfo: o.version,
		TypeUrl:           typeURLs[k],
		RemovedResources:  o.removed,
		Resources:         make([]*discoveryv3.Resource, 0, len(o.changed)),
	}
	for _, e := range o.changed {
		r.Resources = append(r.Resources, e.delta)
	}
	return r
}

// response is o as a state-of-the-world stream carries it.
func (o *offer) response(k kind) *discoveryv3.DiscoveryResponse {
	r := &discoveryv3.DiscoveryResponse{
		VersionInfo: o.version,
		TypeUrl:     typeURLs[k],
		Resources:   make([]*anypb.Any, 0, len(o.changed)+len(o.kept)),
	}
	if len(o.kept) > 0 {
		r.VersionInfo += "+" // a client that comes back with this version has more than the set
	}
	for _, e := range slices.Concat(o.changed, o.kept) {
		r.Resources = append(r.Resources, e.any)
	}
	return r
}

// claim notes that a client which comes back has all of the set.
func (w *watch) claim(es *entries) {
	for _, e := range es.sorted {
		w.known[e.name] = e.version
	}
	w.last, w.owed = es.byName, false
}
