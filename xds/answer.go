package xds

import "time"

// answer takes an acknowledgement or, with a message, a refusal.
func (s *stream) answer(k kind, nonce string, refused bool, message string) {
	w := s.watches[k]
	if w == nil {
		return
	}
	done := w.answered(nonce)
	for i, o := range done {
		if refused && i == len(done)-1 {
			s.refusal(w, o, message)
			return
		}
		s.accepted(w, o)
	}
}

// accepted ends the waiting for what o brought, or took away.
func (s *stream) accepted(w *watch, o *offer) {
	w.acknowledged = o.version
	if o.probe {
		s.search.answered = true
	}
	switch w.kind {
	case clusters:
		for _, x := range o.items {
			if c := s.waiting[x.name]; c != nil && c.assigns == "" && o.serial >= c.since {
				s.served(x.name)
			}
		}
		for _, name := range o.removed {
			if c := s.waiting[name]; c != nil && o.serial >= c.since {
				s.served(name)
			}
		}
	case routes:
		for _, x := range o.items {
			delete(s.unrouted, x.name)
		}
	case endpoints:
		for cluster, c := range s.waiting {
			if _, held := o.find(c.assigns); held && o.serial >= c.since {
				s.served(cluster)
			}
		}
	}
}

// take notes how far the client is.
func (s *stream) take(newest *Set) {
	all, asked := true, true
	for k, w := range s.watches {
		t := s.base.trees[k]
		if w == nil {
			all = all && (!s.ads || t.len() == 0)
			continue
		}
		idle := w.idle() && w.odd == nil
		if idle {
			w.sent, w.acknowledged = s.base.versions[k], s.base.versions[k]
		}
		if idle && !s.refusedOf(kind(k), newest) {
			w.refusal = nil
		}
		all, asked = all && idle && (!s.ads || w.covers(t)), asked && idle
	}
	switch {
	case s.search.on():
	case all:
		s.good, s.live = s.base, s.base.hash
		s.full()
	case asked && time.Since(s.started) > s.server.patience: // it will not ask for more
		s.good = s.base
	}
}
