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
	watches  [kinds]*watch
	again    map[string]struct{} // assignments to send although their versions are known
	waiting  map[string]*warming // by cluster: listeners and routes wait for them
	serial   int                 // of the last offer
	live     string              // hash of the last set that the client took wholly
	closed   bool
}

// warming is a cluster that the client got as a new one and that is not known to serve yet. It ends with the
// acknowledgement of its endpoints, and where it has none with its own, which Envoy withholds until the cluster is warm; or
// with time. While the client refuses one of the two it does not end: routes would lead nowhere, and the old ones work.
type warming struct {
	since   int       // serial of the offer that brought it: only what was sent since then counts
	assigns string    // name of its ClusterLoadAssignment, "" for none
	spare   *entry    // that assignment as it was then: the client needs it even if the set moves on
	until   time.Time // enough waited
	refused [kinds]bool
}

// wake looks again at what may be sent.
func (s *session) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.step()
}

// retry forgets what the client refused, so that it is offered again.
func (s *session) retry() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.watches {
		if w != nil {
			w.refused = nil
		}
	}
	s.step()
}

// step offers, in the order of types, what the client lacks and may have by now.
func (s *session) step() {
	if s.closed || s.instance == nil {
		return
	}
	set := s.instance.current.Load()
	keep, ready := !s.settled(set), true
	for k, w := range s.watches {
		later := kind(k) >= listeners
		if later && (!ready || s.blocked(set)) {
			break
		}
		if w == nil {
			continue
		}
		if offered := s.offer(w, set, keep && !later); !offered && kind(k) == clusters {
			ready = false
		}
	}
	if s.live != set.hash && s.holds(set) {
		s.live = set.hash
	}
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

// blocked tells whether listeners and routes must wait for a cluster of the set.
func (s *session) blocked(set *Snapshot) bool {
	now := time.Now()
	for name, c := range s.waiting {
		if set.kinds[clusters].has(name) && (c.refused[clusters] || c.refused[endpoints] || now.Before(c.until)) {
			return true
		}
	}
	return false
}

// offer hands over what the client lacks of one type; with keep, nothing that it has is taken away from it. It tells
// whether all that is new to the client is on its way: else it was refused before, or the next answer of the client, or the
// end of the send that is under way, calls step again.
func (s *session) offer(w *watch, set *Snapshot, keep bool) (complete bool) {
	if w.put == nil || w.queued != nil || len(w.flight) >= maxFlight {
		return false
	}
	es := &set.kinds[w.kind]
	var again map[string]struct{}
	if w.kind == endpoints {
		es, again = s.assignments(es), s.again
	}
	lacks := w.lacks(es, again)
	if lacks.none() && !w.owed {
		if len(w.flight) == 0 {
			w.sent, w.acknowledged = es.version, es.version
		}
		return true
	}
	due := w.withhold(lacks, es)
	if w.kind == clusters && !w.sotw {
		due = s.withholdDeaf(due, set)
	}
	if keep {
		due.removed = slices.DeleteFunc(due.removed, w.knows)
	}
	complete = !slices.ContainsFunc(lacks.changed, func(e *entry) bool { return !w.knows(e.name) && !named(due.changed, e.name) })
	if due.none() && !w.owed {
		return complete
	}
	o := w.compose(due, es, keep)
	if !w.put(o) {
		return false
	}
	s.serial++
	w.queued, o.serial = o, s.serial
	s.announce(w, due, set)
	w.apply(o)
	return complete
}

// assignments are those of the set and those of clusters that the client warms although the set has moved on: without them
// Envoy would warm for initial_fetch_timeout, and acknowledge no clusters until then.
func (s *session) assignments(es *entries) *entries {
	var more *entries
	for _, c := range s.waiting {
		if c.spare == nil || es.has(c.assigns) {
			continue
		}
		if more == nil {
			more = &entries{version: es.version, sorted: slices.Clone(es.sorted), byName: maps.Clone(es.byName)}
		}
		more.byName[c.assigns] = c.spare
		more.sorted = append(more.sorted, c.spare) // lacks sorts again
	}
	if more != nil {
		return more
	}
	return es
}

// withholdDeaf takes out the clusters whose endpoints are refused: Envoy would put a cluster without any endpoint
// in the place of the one that serves.
func (s *session) withholdDeaf(l lack, set *Snapshot) lack {
	if w := s.watches[endpoints]; w != nil {
		l.changed = without(l.changed, func(e *entry) bool {
			return s.watches[clusters].knows(e.name) && w.refuses(e.waits) && w.refused[e.waits] == set.kinds[endpoints].want(e.waits)
		})
	}
	return l
}

// announce notes what follows from an offer of clusters, respectively endpoints. Endpoints are sent again after each
// change of their cluster, or Envoy warms it for initial_fetch_timeout. Listeners and routes wait for new clusters.
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
	maps.DeleteFunc(s.again, func(name string, _ struct{}) bool { return !set.kinds[endpoints].has(name) })
	until, fresh := time.Now().Add(s.server.patience), false
	for _, e := range l.changed {
		c := &warming{since: s.serial, until: until}
		if e.waits != "" && set.kinds[endpoints].has(e.waits) {
			c.assigns, c.spare = e.waits, set.kinds[endpoints].byName[e.waits]
			s.again[e.waits] = struct{}{}
		}
		if w.knows(e.name) && s.waiting[e.name] == nil {
			continue // the one that serves goes on until this one is warm
		}
		s.waiting[e.name], fresh = c, true
	}
	if fresh {
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
		w.accept(o)
		s.accepted(w, o)
	}
	if len(w.refused) == 0 {
		w.refusal = nil
	}
	return nil
}

// accepted ends the waiting for what o brought, or took away.
func (s *session) accepted(w *watch, o *offer) {
	switch w.kind {
	case clusters:
		for _, e := range o.changed {
			if c := s.waiting[e.name]; c != nil && c.assigns == "" && o.serial >= c.since {
				delete(s.waiting, e.name)
			}
		}
		for _, name := range o.removed {
			if c := s.waiting[name]; c != nil && o.serial >= c.since {
				delete(s.waiting, name)
			}
		}
	case endpoints:
		for cluster, c := range s.waiting {
			if c.assigns != "" && o.serial >= c.since && o.holds(c.assigns) && !c.refused[clusters] {
				delete(s.waiting, cluster)
			}
		}
	}
}

// refused notes that the client refused o, and what listeners and routes have to wait for because of it.
func (s *session) refused(w *watch, o *offer, message string) *Refusal {
	w.refuse(o)
	for name, c := range s.waiting {
		about := w.kind == clusters && o.holds(name) || w.kind == endpoints && o.holds(c.assigns)
		if about && o.serial >= c.since {
			c.refused[w.kind] = true
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
