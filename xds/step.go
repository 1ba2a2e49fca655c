package xds

import (
	"slices"
	"time"
)

// warming is a cluster that the client got as a new one and that is not known to serve yet. It ends with the acknowledgement
// of its endpoints, and where it has none, or they are not all that it needs, with its own, which Envoy withholds until the
// cluster is warm; or with time.
type warming struct {
	since   int       // serial of the offer that brought it: only what was sent since then counts
	assigns string    // the ClusterLoadAssignment whose acknowledgement ends it, "" for none
	until   time.Time // enough waited
}

// step offers what the client lacks and may have by now. While something is being sent nothing is added to it: whoever reads
// slowly gets the newest afterwards.
func (s *stream) step() {
	if s.instance == nil || !s.sending.IsZero() {
		return
	}
	if s.retry.Swap(false) {
		s.refused, s.search = nil, search{}
	}
	newest := s.instance.current.Load()
	s.take(newest)
	if !s.search.on() && (!s.begun || s.base.hash == newest.hash || s.arrived()) {
		s.move(s.target(newest), newest)
	} else if !s.search.on() && s.passes(newest) {
		s.move(newest, newest)
		s.begun = true
	}
	s.advance()
	s.take(newest)
}

// target is the set to bring the client to: the newest, unless it refused a part of it. Then it is the last that it took, and
// for a client that never took one the newest without that part.
func (s *stream) target(newest *Set) *Set {
	for key, version := range s.refused {
		if s.good != nil && newest.holds(key, version) {
			return s.good
		}
	}
	return newest
}

// move has the client brought to another set. What it refused is remembered while it is published.
func (s *stream) move(to, newest *Set) {
	forgot := false
	for key, version := range s.refused {
		if !newest.holds(key, version) && !to.holds(key, version) {
			delete(s.refused, key)
			forgot = true
		}
	}
	if forgot {
		s.server.remember(s)
	}
	from := s.base
	s.base = to
	if from.hash == to.hash {
		return // the same content; where it came from may be told better
	}
	s.begun = false
	for k, w := range s.watches {
		if w != nil {
			w.rebase(from.trees[k], to.trees[k])
		}
	}
}

// passes tells whether a set may take the place of the base while listeners and routes wait for clusters: it has the same ones,
// takes nothing away, and adds nothing that would be waited for. So a new node does not wait for a name that does not resolve.
func (s *stream) passes(to *Set) bool {
	if s.target(to) != to {
		return false
	}
	for k := listeners; int(k) < kinds; k++ {
		if s.base.versions[k] != to.versions[k] {
			return false
		}
	}
	passes := true
	for k := clusters; k < listeners; k++ {
		diff(s.base.trees[k], to.trees[k], func(before, after *Resource) {
			added := before == nil && k == clusters
			if after == nil || added || k == clusters && s.waiting[after.name] != nil {
				passes = false
			}
		})
	}
	return passes
}

// served ends the waiting for a cluster.
func (s *stream) served(name string) {
	delete(s.waiting, name)
	if len(s.waiting) == 0 {
		s.waiting = nil // a map does not shrink
	}
}

// arrived tells whether the transition to the base is over, but for acknowledgements of clusters, which Envoy withholds
// while one of them warms. Until then the client is not brought elsewhere, so that edits that come faster than clusters get
// warm hold up nothing for ever.
func (s *stream) arrived() bool {
	if s.search.on() {
		return false
	}
	for k, w := range s.watches {
		if w == nil {
			continue
		}
		d := w.debts(s.base.trees[k], s.held)
		if s.clings() {
			d.removed = nil
		}
		if !d.none() || w.owed || kind(k) != clusters && len(w.flight) > 0 {
			return false
		}
	}
	return true
}

// clings tells whether the client keeps listeners, scopes or routes that are not those of the base, since it refuses these.
// What they use cannot be taken away.
func (s *stream) clings() bool {
	for k := listeners; int(k) < kinds; k++ {
		if w := s.watches[k]; w != nil {
			for name := range w.odd {
				if r := s.base.trees[k].get(name); r != nil && s.held(r) {
					return true
				}
			}
		}
	}
	return false
}

// held tells whether a resource is not to be sent: the client refused it; or it is a changed cluster whose endpoints were
// refused, which Envoy would put, empty, in the place of the one that serves; or it is suspected.
func (s *stream) held(r *Resource) bool {
	if len(s.refused) == 0 && !s.search.on() {
		return false
	}
	if s.refuses(r) || s.search.suspects(r) {
		return true
	}
	if r.kind == clusters && r.waits != "" && s.watches[clusters].has(s.base.trees[clusters], r.name).version != none {
		return s.refuses(s.base.trees[endpoints].get(r.waits))
	}
	return false
}

func (s *stream) refuses(r *Resource) bool {
	if r == nil || len(s.refused) == 0 {
		return false
	}
	v, ok := s.refused[r.Key()]
	return ok && v == r.version
}

// advance walks the plan as far as it goes by now.
func (s *stream) advance() {
	if s.search.on() {
		s.probe()
		return
	}
	var owed [kinds]debts
	for k, w := range s.watches {
		if w != nil {
			owed[k] = w.debts(s.base.trees[k], s.held)
		}
	}
	plan := plan(&owed, s.repeat)
	if !s.offerAll(making, plan[making]) || s.blocked() {
		return
	}
	if !s.offerAll(opening, plan[opening]) || s.routing() {
		return
	}
	if !s.offerAll(turning, plan[turning]) || !s.settled() {
		return
	}
	s.offerAll(breaking, plan[breaking])
}

// repeat is an assignment that the client has, or refused to have.
func (s *stream) repeat(name string) *Resource {
	w, t := s.watches[endpoints], s.base.trees[endpoints]
	if r := t.get(name); r != nil && s.ads && w != nil && w.wants(t, name) && !s.held(r) {
		return r
	}
	return nil
}

// offerAll offers the batches of a stage, and answers that hold nothing to those who wait for one. It tells whether all of
// it is on its way; else the next answer of the client calls again.
func (s *stream) offerAll(stage int, batches []batch) bool {
	complete := true
	for _, b := range batches {
		if b.kind == endpoints && !complete { // what is only repeated for the sake of a cluster goes after it
			w := s.watches[endpoints]
			b.items = slices.DeleteFunc(b.items, func(x item) bool { _, owed := w.odd[x.name]; return !owed })
		}
		complete = (b.none() || s.offer(stage, b, false)) && complete
	}
	for k, w := range s.watches {
		if w != nil && w.owed && stage == stageOfAnswers(kind(k)) {
			complete = s.offer(stage, batch{kind: kind(k)}, false) && complete
		}
	}
	return complete
}

// stageOfAnswers is the stage in which an answer that holds nothing is due.
func stageOfAnswers(k kind) int {
	if k < listeners {
		return making
	}
	return turning
}

// resume has listeners and routes wait for clusters that a client brought along without their endpoints: its last stream ended
// in between.
func (s *stream) resume(w *watch) {
	if !s.ads || !s.returned {
		return
	}
	for name, h := range w.odd {
		if c := s.base.trees[clusters].get(name); c != nil && c.waits == name && h.version == none && s.waiting[name] == nil {
			s.await(name, &warming{since: s.serial + 1, assigns: name, until: time.Now().Add(s.server.patience)})
		}
	}
}

// await begins the waiting for a cluster.
func (s *stream) await(name string, c *warming) {
	if s.waiting == nil {
		s.waiting = map[string]*warming{}
	}
	s.waiting[name] = c
}

// blocked tells whether listeners and routes must wait for a cluster. An Envoy that came back while clusters warm asks for
// its routes, and only once these are warm, or known to be gone, for clusters.
func (s *stream) blocked() bool {
	now := time.Now()
	if s.ads && s.returned && s.watches[clusters] == nil && s.base.trees[clusters].len() > 0 && now.Before(s.started.Add(s.server.patience)) {
		return true
	}
	for name, c := range s.waiting {
		r := s.base.trees[clusters].get(name)
		if r != nil && now.Before(c.until) && !s.refuses(r) && !s.refuses(s.base.trees[endpoints].get(c.assigns)) {
			return true
		}
	}
	return false
}

// settled tells whether the client took listeners, scopes and routes of the base, so that nothing uses what is not in it.
func (s *stream) settled() bool {
	if !s.ads {
		return true
	}
	if s.clings() {
		return false
	}
	for k := listeners; int(k) < kinds; k++ {
		w, t := s.watches[k], s.base.trees[k]
		switch {
		case w == nil && t.len() > 0 && time.Since(s.started) < s.server.patience:
			return false // a client that came back asks for them in a moment
		case w != nil && len(w.flight) > 0:
			return false
		}
	}
	return true
}
