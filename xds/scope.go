package xds

import "time"

// unrouted is the RouteConfiguration of a scope that the client got as a new one: it asks for it by name once it took the
// scope, and has no routes there before it took that too.
type unrouted struct {
	scope string
	until time.Time // enough waited
}

// repeatScopes has the scopes sent again after listeners. Envoy asks for them once in the life of a stream: a listener that
// comes when no other one uses scopes any more would get none. Nor would it on the next stream, where Envoy names the scopes
// that it was sent for a listener that it refused.
func (s *stream) repeatScopes() {
	w := s.watches[scopes]
	if !s.ads || w == nil {
		return
	}
	t := s.base.trees[scopes]
	t.walk(func(r *Resource) bool {
		w.again(t, r)
		return true
	})
}

// expect notes the routes of new scopes that are not there yet.
func (s *stream) expect(o *offer) {
	w, t := s.watches[routes], s.base.trees[routes]
	for _, x := range o.items {
		if !s.ads || !x.fresh || w != nil && w.has(t, x.waits).version != none && !w.underWay(x.waits) {
			continue
		}
		if s.unrouted == nil {
			s.unrouted = map[string]*unrouted{}
		}
		s.unrouted[x.waits] = &unrouted{x.name, time.Now().Add(s.server.patience)}
	}
}

// listens tells whether the client took a listener: without one it asks for no routes.
func (s *stream) listens() bool {
	w, t := s.watches[listeners], s.base.trees[listeners]
	if w == nil {
		return false
	}
	has := false
	t.walk(func(r *Resource) bool {
		v := w.has(t, r.name).version
		has = v != none && v != unknown && !w.underWay(r.name)
		return !has
	})
	return has
}

// routing tells whether what leads to new scopes must wait for their routes.
func (s *stream) routing() bool {
	if len(s.unrouted) == 0 || !s.listens() {
		return false
	}
	now, t := time.Now(), s.base.trees
	for name, u := range s.unrouted {
		if r := t[routes].get(name); r != nil && now.Before(u.until) && !s.refuses(r) && !s.refuses(t[scopes].get(u.scope)) {
			return true
		}
		delete(s.unrouted, name)
	}
	return false
}
