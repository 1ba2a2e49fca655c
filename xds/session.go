package xds

import (
	"context"
	"maps"
	"net"
	"slices"
	"sync"
	"time"
)

// session is one stream. It is the cache.ConfigWatcher of the go-control-plane handler that runs the stream, so that
// what the client asked for, has and refused is known in one place and dies with the stream.
type session struct {
	server  *Server
	ctx     context.Context
	cancel  context.CancelCauseFunc
	only    kind // of a stream that is not aggregated
	ads     bool
	started time.Time
	address net.Addr

	mu       sync.Mutex // never held across a send, a log line or a callback
	node     identity
	instance *instance // nil before the first request
	seen     *Snapshot // the set that again and waiting belong to
	watches  [kinds]*watch
	again    map[string]struct{} // assignments to send although their versions are known
	waiting  map[subject]*wait   // new clusters that do not serve yet: listeners and routes wait for them
	live     string              // hash of the last set that the client took wholly
	closed   bool
}

// subject is a resource whose acknowledgement is waited for.
type subject struct {
	kind kind
	name string
}

// wait ends with the acknowledgement, or at a time, but while the resource is refused it does not end: the
// routes that need it would lead nowhere, and the old ones still work.
type wait struct {
	until   time.Time
	refused bool
}

// wake looks again at what may be sent.
func (s *session) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.step()
}

// step offers, in the order of types, what the client lacks and may have by now.
func (s *session) step() {
	if s.closed || s.instance == nil {
		return
	}
	set := s.instance.current.Load()
	if set != s.seen {
		s.prune(set)
		s.seen = set
	}
	keep := !s.settled(set)
	for k, w := range s.watches {
		if w == nil {
			continue
		}
		later := kind(k) >= listeners
		if later && s.blocked() {
			break
		}
		s.offer(w, set, keep && !later)
	}
	if s.live != set.hash && s.holds(set) {
		s.live = set.hash
	}
}

// prune forgets what was waited for and is not in the set.
func (s *session) prune(set *Snapshot) {
	maps.DeleteFunc(s.waiting, func(x subject, _ *wait) bool { return !set.kinds[x.kind].has(x.name) })
	maps.DeleteFunc(s.again, func(name string, _ struct{}) bool { return !set.kinds[endpoints].has(name) })
}

// settled tells whether the client's listeners and routes are those of the set, so that nothing uses what
// is not in it.
func (s *session) settled(set *Snapshot) bool {
	if !s.ads {
		return true
	}
	for k := listeners; int(k) < kinds; k++ {
		w, es := s.watches[k], &set.kinds[k]
		switch {
		case w == nil && len(es.sorted) > 0 && time.Since(s.started) < s.server.patience:
			return false // a client that came back asks for them in a moment
		case w != nil && !w.holds(es, false):
			return false
		}
	}
	return true
}

// blocked tells whether listeners and routes must wait.
func (s *session) blocked() bool {
	now := time.Now()
	for _, w := range s.waiting {
		if w.refused || now.Before(w.until) {
			return true
		}
	}
	return false
}

// offer hands over what the client lacks of one type; with keep, nothing that it has is taken away from it.
func (s *session) offer(w *watch, set *Snapshot, keep bool) {
	if w.put == nil || w.queued != nil || len(w.flight) >= maxFlight {
		return
	}
	es := &set.kinds[w.kind]
	var again map[string]struct{}
	if w.kind == endpoints {
		again = s.again
	}
	l := w.lacks(es, again)
	if l.none() && !w.owed {
		if len(w.flight) == 0 {
			w.sent, w.acknowledged = es.version, es.version
		}
		return
	}
	l = w.withhold(l, es)
	if w.kind == clusters && !w.sotw {
		l = s.withholdDeaf(l)
	}
	if keep {
		l.removed = slices.DeleteFunc(l.removed, w.knows)
	}
	if l.none() && !w.owed {
		return
	}
	o := w.compose(l, es, keep)
	if !w.put(o) {
		return
	}
	w.queued = o
	s.announce(w, l, set)
	w.apply(o)
}

// withholdDeaf takes out the clusters whose endpoints are refused: Envoy would put a new cluster without any endpoint
// in the place of the one that serves.
func (s *session) withholdDeaf(l lack) lack {
	w := s.watches[endpoints]
	if w == nil || len(w.refused) == 0 {
		return l
	}
	var may []*entry
	for _, e := range l.changed {
		if e.waits == "" || !w.refuses(e.waits) {
			may = append(may, e)
		}
	}
	l.changed = may
	return l
}

// announce notes what follows from an offer of clusters, respectively endpoints. Endpoints are sent again after each
// change of their cluster, or Envoy warms it for initial_fetch_timeout. Listeners and routes wait for new clusters:
// for the acknowledgement of their endpoints, and where they have none for their own, which Envoy withholds until they are warm.
func (s *session) announce(w *watch, l lack, set *Snapshot) {
	switch {
	case w.kind == endpoints:
		for _, e := range l.changed {
			delete(s.again, e.name)
		}
		return
	case w.kind != clusters || !s.ads:
		return
	}
	until := time.Now().Add(s.server.patience)
	before := len(s.waiting)
	for _, e := range l.changed {
		assigned := e.waits != "" && set.kinds[endpoints].has(e.waits)
		if assigned {
			s.again[e.waits] = struct{}{}
		}
		own := subject{clusters, e.name}
		_, had := w.known[e.name]
		_, stuck := s.waiting[own]
		if had && !stuck {
			continue
		}
		delete(s.waiting, own)
		if assigned {
			s.waiting[subject{endpoints, e.waits}] = &wait{until: until}
		} else {
			s.waiting[own] = &wait{until: until}
		}
	}
	if len(s.waiting) > before {
		time.AfterFunc(s.server.patience, s.wake)
	}
}

// holds tells whether the client took everything.
func (s *session) holds(set *Snapshot) bool {
	for k := range set.kinds {
		w, es := s.watches[k], &set.kinds[k]
		switch {
		case w == nil && s.ads && len(es.sorted) > 0, w != nil && !w.holds(es, s.ads):
			return false
		}
	}
	return true
}

// answer takes an acknowledgement or, with a message, a refusal.
func (s *session) answer(k kind, nonce string, refused bool, message string) *Refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.watches[k]
	if w == nil || nonce == "" {
		return nil
	}
	done := w.answered(nonce)
	if len(done) == 0 {
		return nil
	}
	if refused {
		return s.refused(w, done[len(done)-1], message)
	}
	for _, o := range done {
		for _, e := range o.changed {
			delete(s.waiting, subject{k, e.name})
		}
		w.acknowledged = o.version
	}
	if len(w.refused) == 0 {
		w.refusal = nil
	}
	return nil
}

// refused notes that the client refused o, and what listeners and routes have to wait for because of it.
func (s *session) refused(w *watch, o *offer, message string) *Refusal {
	w.refuse(o)
	for _, e := range o.changed {
		switch own := (subject{w.kind, e.name}); {
		case s.waiting[own] != nil:
			s.waiting[own].refused = true
		case w.kind == clusters && s.waiting[subject{endpoints, e.waits}] != nil:
			delete(s.waiting, subject{endpoints, e.waits})
			s.waiting[own] = &wait{refused: true}
		}
	}
	message = clip(message, maxMessage)
	w.refusal = &Refused{
		Version: o.version, Nonce: o.nonce, Message: message,
		Resources: culprits(message, o), At: time.Now(),
	}
	return &Refusal{
		Node: s.node.id, Instance: s.node.cluster, Type: typeURLs[w.kind],
		Version: o.version, Message: message, Resources: w.refusal.Resources, At: w.refusal.At,
	}
}

// dispatched notes that the offer that was queued is being sent.
func (s *session) dispatched(typeURL, nonce string) {
	k, ok := kindOf(typeURL)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.watches[k]
	if w == nil || w.queued == nil {
		return
	}
	o := w.queued
	w.queued = nil
	o.nonce = nonce
	w.flight = append(w.flight, o)
	w.sent = o.version
	s.step()
}

// close ends the session. Nothing is offered afterwards.
func (s *session) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel(nil)
	s.server.leave(s)
}
