package xds

import (
	"cmp"
	"slices"
	"strconv"
)

// have is what a client has of a resource that it should have otherwise.
type have struct {
	version   string
	*Resource // that version's, where it is known
}

// Versions that no resource has.
const (
	none    = "-" // the client does not have it
	unknown = ""  // the client may have it, at a version that cannot be told
	told    = "!" // the client was told that it does not exist, although it does: it refused it
)

// maxFlight bounds the responses of one type that a client has not answered. More than one is needed: Envoy
// withholds the acknowledgement of clusters while one of them warms.
const maxFlight = 32

// watch is what one client asked for of one type, and how what it has differs from the set that it is brought to.
type watch struct {
	kind  kind
	state bool // state of the world, else delta
	interest
	legacy bool            // no name was ever given, which means all of some types
	owed   bool            // an answer is due even if it holds nothing
	odd    map[string]have // of what the client asks for: where it will not have what the set has once it took everything that was sent
	flight []*offer        // sent, not yet answered

	sent, acknowledged string
	nonce              string // sent last
	refusal            *Refused
}

// offer is one response.
type offer struct {
	kind    kind
	serial  int // counts the stream's offers
	set     *Set
	version string
	nonce   string
	items   []item // sorted by name
	removed []string
	probe   bool // one that looks for a culprit
}

// item is a resource on its way, and what the client had before.
type item struct {
	*Resource
	had   *Resource // nil: nothing, or not known
	fresh bool      // nothing
}

// nonceOf makes the nonce of the stream's last offer. A follower reads there which set it is on its way to.
func (s *stream) nonceOf() string {
	nonce := strconv.Itoa(s.serial)
	if s.node.standby {
		nonce += nonceSet + s.base.hash
	}
	return nonce
}

// brings tells whether there is something in it.
func (o *offer) brings() bool { return len(o.items) > 0 }

// find is the item of that name.
func (o *offer) find(name string) (*Resource, bool) {
	i, ok := slices.BinarySearchFunc(o.items, name, func(x item, name string) int { return cmp.Compare(x.name, name) })
	if !ok {
		return nil, false
	}
	return o.items[i].Resource, true
}

// has is the version that the client will have of a resource once it took everything that was sent.
func (w *watch) has(t *tree, name string) have {
	if h, ok := w.odd[name]; ok {
		return h
	}
	if r := t.get(name); r != nil && w.wants(t, name) {
		return have{r.version, r}
	}
	return have{version: none}
}

// note records what the client has of a resource.
func (w *watch) note(t *tree, name string, h have) {
	r := t.get(name)
	if r == nil && (h.version == none || h.version == told) || r != nil && r.version == h.version {
		w.settle(name)
	} else {
		w.owe(name, h)
	}
}

// doubt notes that it cannot be told what the client has of a name, and had what it may be.
func (w *watch) doubt(name string, had *Resource) { w.owe(name, have{unknown, had}) }

// again has the client sent what it has.
func (w *watch) again(t *tree, r *Resource) {
	if had := w.has(t, r.name); had.version != none {
		w.doubt(r.name, had.Resource)
	}
}

// owe has the client sent, or told, about a name.
func (w *watch) owe(name string, h have) {
	if w.odd == nil {
		w.odd = map[string]have{}
	}
	w.odd[name] = h
}

// settle notes that the client has of a name what the set has.
func (w *watch) settle(name string) {
	delete(w.odd, name)
	if len(w.odd) == 0 {
		w.odd = nil // a map does not shrink
	}
}

// rebase has the client brought to another set. It costs what differs between the two.
func (w *watch) rebase(from, to *tree) {
	diff(from, to, func(before, after *Resource) {
		name := cmp.Or(before, after).name
		had := w.has(from, name)
		_, owed := w.odd[name]
		switch {
		case before == nil:
			w.appeared(name)
		case after == nil:
			w.vanished(name)
		}
		if owed || w.wants(to, name) {
			w.note(to, name, had)
		}
	})
	w.compact(to)
}

// debts compares what the client has with what it should have.
type debts struct {
	changed []item   // to be sent
	removed []string // to be taken away
	denied  []string // asked for, and not there
}

func (d *debts) none() bool { return len(d.changed) == 0 && len(d.removed) == 0 && len(d.denied) == 0 }

// debts are what the client lacks, sorted by name, without what hold is true of. Endpoints that a client without any refused are
// said to be not there, or it would warm their cluster for initial_fetch_timeout.
func (w *watch) debts(t *tree, hold func(*Resource) bool) (d debts) {
	for name, h := range w.odd {
		r := t.get(name)
		switch {
		case r != nil && !hold(r):
			d.changed = append(d.changed, item{r, h.Resource, h.version == none})
		case r != nil && (w.kind != endpoints || w.state || h.version != none && (h.version != unknown || h.Resource != nil)):
		case r != nil || h.version == none:
			d.denied = append(d.denied, name)
		default:
			d.removed = append(d.removed, name)
		}
	}
	slices.SortFunc(d.changed, func(a, b item) int { return cmp.Compare(a.name, b.name) })
	slices.Sort(d.removed)
	slices.Sort(d.denied)
	return d
}

// accept notes that the client will have what o holds.
func (w *watch) accept(t *tree, o *offer) {
	for _, x := range o.items {
		w.settle(x.name)
	}
	for _, name := range o.removed {
		w.note(t, name, have{version: told})
	}
	w.owed = false
}

// refuse notes that it cannot be told whether the client has what o holds.
func (w *watch) refuse(t *tree, o *offer) {
	for _, x := range o.items {
		if w.wants(t, x.name) && !w.underWay(x.name) {
			w.doubt(x.name, x.had)
		}
	}
	for _, name := range o.removed {
		if len(o.items) > 0 && w.wants(t, name) && !w.underWay(name) { // what only takes away is not said twice
			w.doubt(name, nil)
		}
	}
}

// underWay tells whether a resource of that name was sent and not yet answered.
func (w *watch) underWay(name string) bool {
	return slices.ContainsFunc(w.flight, func(o *offer) bool {
		_, ok := o.find(name)
		return ok
	})
}

// idle tells whether nothing is under way to the client.
func (w *watch) idle() bool { return len(w.flight) == 0 && !w.owed }

// answered finds the offer that a nonce answers and takes it, with those sent before it, out of flight. A nonce
// that is not in flight is an answer to nothing.
func (w *watch) answered(nonce string) []*offer {
	i := slices.IndexFunc(w.flight, func(o *offer) bool { return o.nonce == nonce })
	if i < 0 {
		return nil
	}
	done := slices.Clone(w.flight[:i+1])
	w.flight = slices.Delete(w.flight, 0, i+1)
	if len(w.flight) == 0 {
		w.flight = nil
	}
	return done
}
