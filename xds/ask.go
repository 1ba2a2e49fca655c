package xds

import (
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// What clients ask for: https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol.

const wildcard = "*"

// Bounds on the names that a stream may ask for of one type.
const (
	maxNames   = 100_000 // altogether, and in one request
	maxUnheard = 10_000  // that do not exist
)

func tooMany(n, most int) error {
	if n > most {
		return status.Errorf(codes.ResourceExhausted, "%d names of one type on one stream: at most %d are served", n, most)
	}
	return nil
}

// bounded tells whether the client asks for no more names than may be.
func (w *watch) bounded(t *tree) error {
	if err := tooMany(w.len(t), maxNames); err != nil {
		return err
	}
	if w.dense {
		return tooMany(len(w.asked), maxUnheard)
	}
	return tooMany(len(w.asked)-t.len(), maxUnheard)
}

// newDelta is a delta client's first request for a type: names, and what it has from another stream.
func newDelta(k kind, t *tree, names []string, initial map[string]string) *watch {
	w := &watch{kind: k, legacy: len(names) == 0 && !k.byName()}
	w.wild = w.legacy || slices.Contains(names, wildcard)
	for _, name := range names {
		if name != wildcard {
			w.add(t, name)
		}
	}
	w.owed = w.wild && len(initial) == 0
	w.compact(t)
	if w.wild {
		t.walk(func(r *Resource) bool { w.note(t, r.name, claimed(initial, r.name)); return true })
		for name := range initial {
			w.note(t, name, claimed(initial, name))
		}
	}
	for name := range w.names(t) {
		if t.get(name) == nil {
			w.owe(name, claimed(initial, name))
		} else {
			w.note(t, name, claimed(initial, name))
		}
	}
	return w
}

// claimed is what a client says that it has.
func claimed(initial map[string]string, name string) have {
	if v, ok := initial[name]; ok && v != none {
		return have{version: v}
	}
	return have{version: none}
}

// resubscribe follows a delta client's change of names. A name that is asked for again is due again, because the client may
// have forgotten it: https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#subscribing-to-resources
func (w *watch) resubscribe(t *tree, subscribed, unsubscribed []string) {
	for _, name := range subscribed {
		if name == wildcard {
			if !w.wild {
				w.widen(t)
			}
			continue
		}
		w.add(t, name)
		w.owe(name, have{version: none})
	}
	for _, name := range unsubscribed {
		if name == wildcard {
			w.wild = false
			w.dropUnnamed(t)
			continue
		}
		if !w.named(t, name) {
			continue
		}
		w.drop(t, name)
		if w.wild {
			w.doubt(name, w.has(t, name).Resource) // to be sent, or said to be gone, once more
		} else {
			w.settle(name)
		}
	}
	w.compact(t)
}

// widen makes the client ask for everything.
func (w *watch) widen(t *tree) {
	had := func(name string) have { return w.has(t, name) }
	var fresh []string
	t.walk(func(r *Resource) bool {
		if had(r.name).version == none {
			fresh = append(fresh, r.name)
		}
		return true
	})
	w.wild, w.owed = true, w.owed || t.len() == 0
	for _, name := range fresh {
		w.note(t, name, have{version: none})
	}
}

// dropUnnamed forgets what the client no longer asks for.
func (w *watch) dropUnnamed(t *tree) {
	for name := range w.odd {
		if !w.wants(t, name) {
			w.settle(name)
		}
	}
}

// newState is a state-of-the-world client's first request for a type. The version is that of what it has from another
// stream; of names it does not tell which of them the client has.
func newState(k kind, s *Set, names []string, version string) *watch {
	t := s.trees[k]
	w := &watch{kind: k, state: true, legacy: len(names) == 0 && !k.byName(), owed: true}
	w.wild = w.legacy || slices.Contains(names, wildcard)
	if w.wild && version == s.versions[k] {
		w.owed = false
	} else if w.wild {
		t.walk(func(r *Resource) bool { w.note(t, r.name, have{version: none}); return true })
	}
	w.rename(t, names)
	return w
}

// rename follows the list of names that a state-of-the-world client gives with each request.
func (w *watch) rename(t *tree, names []string) {
	wild := slices.Contains(names, wildcard) || w.legacy && len(names) == 0
	w.legacy = w.legacy && len(names) == 0
	if wild && !w.wild {
		w.widen(t)
	}
	given := 0
	for _, name := range names {
		if name == wildcard {
			continue
		}
		given++
		if !w.named(t, name) {
			w.add(t, name)
			if !w.wild {
				w.owe(name, have{version: none})
			}
		}
	}
	if w.wild = wild; given != w.len(t) {
		w.retain(t, names)
	}
	w.dropUnnamed(t)
	w.compact(t)
}

// retain drops all names but those given.
func (w *watch) retain(t *tree, names []string) {
	given := make(map[string]bool, len(names))
	for _, name := range names {
		given[name] = true
	}
	var gone []string
	for name := range w.names(t) {
		if !given[name] {
			gone = append(gone, name)
		}
	}
	for _, name := range gone {
		w.drop(t, name)
	}
}
