package xds

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// Bounds on what a refusal may take of our memory and time.
const (
	maxProbes   = 200  // responses that look for the culprits of refusals, between two sets
	maxRefused  = 1000 // resources that one stream refuses
	maxMemories = 4096 // proxies whose refusals are remembered while they are away
)

// search looks for the culprits among resources that were refused together, in words that name none of them: a half at a
// time. While it is on, nothing else is sent.
type search struct {
	groups   [][]*Resource // each of one kind, to be offered by itself
	asking   bool          // one is under way
	answered bool          // and was taken
	probes   int
	guilty   bool
}

func (x *search) on() bool { return x.asking || len(x.groups) > 0 }

// suspects tells whether a resource is in a group that is to be offered by itself.
func (x *search) suspects(r *Resource) bool {
	return slices.ContainsFunc(x.groups, func(g []*Resource) bool {
		_, found := slices.BinarySearchFunc(g, r, byName)
		return g[0].kind == r.kind && found
	})
}

func byName(a, b *Resource) int { return cmp.Compare(a.name, b.name) }

// halves has resources that were refused together offered in halves.
func (x *search) halves(refused []*Resource) {
	middle := len(refused) / 2
	x.groups = append(x.groups, refused[:middle], refused[middle:])
}

// probe offers the next group. After the last one the client is brought to where it should be.
func (s *stream) probe() {
	x := &s.search
	if x.asking && !x.answered {
		return
	}
	x.asking, x.answered = false, false
	for len(x.groups) > 0 {
		group := x.groups[0]
		x.groups = x.groups[1:]
		w := s.watches[group[0].kind]
		b := batch{kind: w.kind}
		for _, r := range group {
			if h, owed := w.odd[r.name]; owed && s.base.trees[w.kind].get(r.name).is(r) {
				b.items = append(b.items, item{r, h.Resource, h.version == none})
			}
		}
		if len(b.items) > 0 && s.offer(turning, b, true) {
			x.asking = true
			x.probes++
			return
		}
	}
	guilty := x.guilty
	*x = search{}
	if guilty {
		s.putBack()
	}
	s.advance()
}

// putBack brings a client that refused a part of the base to the last set that it took. Of what it took of the base since,
// it gets that set's versions again. What it now refuses of that one, it keeps as it is.
func (s *stream) putBack() {
	newest := s.instance.current.Load()
	if s.base != s.good && s.refusesAny(s.base) {
		s.move(s.target(newest), newest)
	}
}

func (s *stream) refusesAny(set *Set) bool {
	for key, version := range s.refused {
		if set.holds(key, version) {
			return true
		}
	}
	return false
}

// refusedOf tells whether the client refused something of a kind that is published.
func (s *stream) refusedOf(k kind, newest *Set) bool {
	for key, version := range s.refused {
		if key.Type == typeURLs[k] && newest.holds(key, version) {
			return true
		}
	}
	return false
}

// refusal takes a refused offer: finds the culprits in the words, or has them searched for.
func (s *stream) refusal(w *watch, o *offer, message string) {
	t := s.base.trees[w.kind]
	w.refuse(t, o)
	if o.probe {
		s.search.answered = true
	}
	var suspects []*Resource
	current := false
	for _, x := range o.items {
		suspects = append(suspects, x.Resource)
		current = current || t.get(x.name).is(x.Resource)
	}
	guilty := culprits(message, suspects)
	switch {
	case len(guilty) == 0 && current && s.search.probes < maxProbes:
		s.search.halves(suspects)
		return
	case len(guilty) == 0:
		guilty = suspects
	}
	s.convict(w, o, guilty, message)
	if s.search.on() {
		s.search.guilty = true
	} else {
		s.putBack()
	}
}

// convict notes and reports what the client refused.
func (s *stream) convict(w *watch, o *offer, guilty []*Resource, message string) {
	newest := s.instance.current.Load()
	for i, r := range guilty {
		if len(s.refused) < maxRefused {
			if s.refused == nil {
				s.refused = map[Key]string{}
			}
			s.refused[r.Key()] = r.version
		}
		if published := newest.Get(r.Key()); published.is(r) {
			guilty[i] = published // which knows best where it came from
		}
	}
	refused := Refused{
		Version: strings.TrimSuffix(o.version, "+"), Set: o.set.hash, Nonce: o.nonce, Message: message, Resources: guilty, At: time.Now(),
	}
	report := Refusal{
		Node: s.node.id, Instance: s.node.cluster, Type: typeURLs[w.kind],
		Version: refused.Version, Set: refused.Set, Message: message, Resources: guilty, At: refused.At,
	}
	if w.refusal != nil && w.refusal.Set == refused.Set {
		refused.Resources = slices.Concat(w.refusal.Resources, guilty)
		if !strings.Contains(w.refusal.Message, message) {
			refused.Message = clip(w.refusal.Message+"; "+message, maxMessage)
		}
	}
	w.refusal = &refused
	s.server.remember(s)
	s.show()
	s.server.report(report)
}

// culprits are the resources that words name, else the only one there is. Envoy says most names before a colon, others in
// quotes, in which it also says addresses, and these are the names of listeners; other words may be names by chance.
func culprits(message string, suspects []*Resource) []*Resource {
	var headed, quoted, named []*Resource
	for _, r := range suspects {
		if mentions(message, r.name) {
			named = append(named, r)
		}
		if strings.Contains(message, " "+r.name+": ") || strings.Contains("\n"+message, "\n"+r.name+": ") {
			headed = append(headed, r)
		}
		if strings.Contains(message, "'"+r.name+"'") {
			quoted = append(quoted, r)
		}
	}
	switch {
	case len(headed) > 0:
		return headed
	case len(quoted) > 0:
		return quoted
	case len(named) > 0:
		return named
	case len(suspects) == 1:
		return suspects
	}
	return nil
}

// mentions tells whether a message holds a name that does not go on, in either direction, as a longer name.
func mentions(message, name string) bool {
	for from := 0; ; {
		i := strings.Index(message[from:], name)
		if i < 0 {
			return false
		}
		start, end := from+i, from+i+len(name)
		if (start == 0 || !inName(message[start-1])) && (end == len(message) || !inName(message[end])) {
			return true
		}
		from = start + 1
	}
}

func inName(c byte) bool {
	return c == '_' || c == '/' || c == '-' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// memory is what a proxy refused, so that it is not sent it again when it comes back.
type memory struct {
	refused map[Key]string
	types   [kinds]*Refused
	good    *Set
	at      time.Time
}

// memories are kept while there is something to remember; of too many, the oldest goes.
type memories map[rememberedBy]*memory

// rememberedBy is a proxy, and of one that uses the separate services the type. A standby may have the name of the Envoy beside it.
type rememberedBy struct {
	node, instance, typeURL string
	standby                 bool
}

func (s *stream) rememberedBy() rememberedBy {
	by := rememberedBy{node: s.node.id, instance: s.node.cluster, standby: s.node.standby}
	if !s.ads {
		by.typeURL = typeURLs[s.only]
	}
	return by
}

func (all memories) keep(by rememberedBy, m *memory) {
	if all[by] == nil && len(all) >= maxMemories {
		var oldest rememberedBy
		for x, other := range all {
			if all[oldest] == nil || other.at.Before(all[oldest].at) {
				oldest = x
			}
		}
		delete(all, oldest)
	}
	all[by] = m
}

// remember brings up to date what is remembered of the stream's proxy. A standby forgets, since nobody can have it Retry: an Envoy
// is started again once the reason is gone.
func (s *Server) remember(x *stream) {
	if s.standby {
		return
	}
	m := &memory{refused: maps.Clone(x.refused), good: x.good, at: time.Now()}
	for k, w := range x.watches {
		if w != nil {
			m.types[k] = w.refusal
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(x.refused) == 0 {
		delete(s.memories, x.rememberedBy())
	} else {
		s.memories.keep(x.rememberedBy(), m)
	}
}

// recall has a stream begin with what is remembered of its proxy.
func (s *stream) recall(m *memory) {
	s.refused, s.good, s.recalled = maps.Clone(m.refused), m.good, m.types
}
