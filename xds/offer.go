package xds

import (
	"slices"
	"time"
)

// offer sends a batch. It tells whether that can be.
func (s *stream) offer(stage int, b batch, probe bool) bool {
	w, t := s.watches[b.kind], s.base.trees[b.kind]
	if w.state && stage == breaking {
		if b = w.withoutSettled(b); b.none() {
			return true
		}
	}
	if len(w.flight) >= maxFlight {
		return false
	}
	s.serial++
	o := &offer{
		kind: b.kind, serial: s.serial, set: s.base, version: s.base.versions[b.kind], nonce: s.nonceOf(),
		items: b.items, removed: b.removed, probe: probe,
	}
	switch b.kind {
	case clusters:
		s.announce(o)
	case listeners:
		if len(o.items) > 0 {
			s.repeatScopes()
		}
	case scopes:
		s.expect(o)
	}
	s.begun = true
	w.accept(t, o)
	w.flight = append(w.flight, o)
	w.sent, w.nonce = o.version, o.nonce
	if w.state {
		s.outbox = append(s.outbox, o.stateResponse(s.list(w, o, stage)))
	} else {
		s.outbox = append(s.outbox, o.deltaResponse())
	}
	return true
}

// withoutSettled leaves out what state of the world has said already by a list that is without it, and of names, of which it
// has no way to say that they are gone, all.
func (w *watch) withoutSettled(b batch) batch {
	b.removed = slices.DeleteFunc(b.removed, func(name string) bool {
		if !w.wild {
			w.settle(name)
		}
		_, owed := w.odd[name]
		return !owed
	})
	return b
}

// list is what a state-of-the-world response holds: of names those that changed, else all that there is, with what is not to
// be sent as the client has it, and with what is not to be taken away yet.
func (s *stream) list(w *watch, o *offer, stage int) []*Resource {
	var out []*Resource
	if !w.wild {
		for _, x := range o.items {
			out = append(out, x.Resource)
		}
		return out
	}
	t := s.base.trees[w.kind]
	t.walk(func(r *Resource) bool {
		if _, sent := o.find(r.name); !sent && s.held(r) {
			r = w.has(t, r.name).Resource
		}
		if r != nil {
			out = append(out, r)
		}
		return true
	})
	if stage == breaking {
		return out
	}
	var kept []*Resource
	for name, h := range w.odd {
		switch {
		case t.get(name) != nil:
		case h.Resource != nil:
			kept = append(kept, h.Resource)
		default:
			w.settle(name) // the list is without it
		}
	}
	if len(kept) > 0 {
		o.version += "+" // a client that comes back with this version has more than the set
		slices.SortFunc(kept, byName)
	}
	return append(out, kept...)
}

// announce notes what follows from an offer of clusters: their endpoints are sent again, and listeners and routes wait for
// those that are new.
func (s *stream) announce(o *offer) {
	if !s.ads {
		return
	}
	until := time.Now().Add(s.server.patience)
	w, t := s.watches[clusters], s.base.trees[clusters]
	for _, x := range o.items {
		c := &warming{since: o.serial, until: until.Add(x.warmth.takes)}
		if !x.warmth.more && s.base.has(endpoints, x.waits) {
			c.assigns = x.waits
		}
		switch r := s.repeat(x.waits); {
		case r != nil:
			s.watches[endpoints].again(s.base.trees[endpoints], r)
		case s.watches[endpoints] == nil && x.waits != "":
			s.again = insert(s.again, x.waits)
		}
		if w.has(t, x.name).version != none && s.waiting[x.name] == nil {
			continue // the one that serves goes on until this one is warm
		}
		s.await(x.name, c)
	}
}
