package config

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/model"
)

// state is what a Loader keeps of the last good load.
type state struct {
	space   *lang.Workspace
	reads   *reads
	nouns   *nouns
	records map[lang.Ref]*record
	lookers map[lang.Ref]map[*record]struct{} // records by what they looked at
	dated   map[*record]struct{}              // those that hold for a time
	warned  map[*record]struct{}              // those with warnings

	taken   taken
	circles circles
	called  called
	users   map[string]map[*api]*service // by upstream
	mounted map[string]map[string]bool   // services by instance
	alarmed map[*api]*service            // APIs with warnings of the rules across nouns

	configuration *model.Configuration
	decoded       []lang.Ref // by the last load that was good
}

// record is what is kept of one block beside its noun.
type record struct {
	unit         *lang.Unit
	looked       []lang.Ref
	since, until time.Time
	warnings     hcl.Diagnostics // of Unit.Resolve
}

// outcome is a block, evaluated.
type outcome struct {
	noun   noun
	noted  lang.Noted
	record record
}

func newState(in lang.Input, reads *reads) *state {
	return &state{
		space: lang.NewWorkspace(in), reads: reads, nouns: newNouns(), records: map[lang.Ref]*record{},
		lookers: map[lang.Ref]map[*record]struct{}{}, dated: map[*record]struct{}{}, warned: map[*record]struct{}{},
		taken: taken{}, circles: newCircles(), called: called{}, users: map[string]map[*api]*service{}, mounted: map[string]map[string]bool{},
		alarmed: map[*api]*service{},
	}
}

// dates bound the time in which nothing else is said of the dates of certificates.
func (s *state) dates() (since, until time.Time) {
	for r := range s.dated {
		if r.since.After(since) {
			since = r.since
		}
		if !r.until.IsZero() && (until.IsZero() || r.until.Before(until)) {
			until = r.until
		}
	}
	return since, until
}

// change is one load that builds on the last good one.
type change struct {
	*state
	edit    *lang.Edit
	journal *lang.Journal
	now     time.Time

	again    map[string]map[string]bool // by kind: blocks to decode again that the edit does not know of
	touched  map[string]map[string]bool // by kind: nouns that are new, others, or gone
	services map[string]*service        // those of the touched services that were there before
	turns    []route                    // from where redirects may lead into a circle now
}

// apply makes the state that of new texts. It is false, and the state as it was, where anything is wrong.
func (s *state) apply(texts []lang.File, now time.Time) bool {
	edit := s.space.Edit(texts, s.reads.changed())
	if edit == nil {
		return false
	}
	c := &change{
		state: s, edit: edit, journal: edit.Journal, now: now,
		again: map[string]map[string]bool{}, touched: map[string]map[string]bool{}, services: map[string]*service{},
	}
	s.decoded = nil
	if !c.evaluate() || !c.check() || !edit.Good() || s.reads.torn {
		edit.Rollback()
		return false
	}
	edit.Commit()
	s.configuration = c.publish()
	return true
}

func include(sets map[string]map[string]bool, kind, name string) {
	if sets[kind] == nil {
		sets[kind] = map[string]bool{}
	}
	sets[kind][name] = true
}

// evaluate decodes what is new, and what looked at something that is another now. Later kinds look at earlier ones.
func (c *change) evaluate() bool {
	for r := range c.dated {
		if !r.until.IsZero() && !c.now.Before(r.until) || c.now.Before(r.since) {
			include(c.again, r.unit.Kind, r.unit.Name)
		}
	}
	for _, ref := range c.edit.Gone() {
		c.remove(ref)
	}
	for _, kind := range kinds {
		units := c.units(kind)
		outcomes := make([]outcome, len(units))
		if !c.edit.Each(units, func(v *lang.Evaluator, i int) bool { return c.decode(v, units[i], &outcomes[i]) }) {
			return false
		}
		for i, u := range units {
			c.decoded = append(c.decoded, lang.Ref{Kind: kind, Name: u.Name})
			c.keep(u, &outcomes[i])
		}
	}
	return true
}

// units are the blocks of a kind to decode.
func (c *change) units(kind string) []*lang.Unit {
	units := c.edit.Stale(kind)
	more := c.again[kind]
	if len(more) == 0 {
		return units
	}
	for _, u := range units {
		delete(more, u.Name)
	}
	units = slices.Clone(units)
	for _, name := range slices.Sorted(maps.Keys(more)) {
		if u := c.edit.Unit(kind, name); u != nil {
			units = append(units, u)
		}
	}
	return units
}

// decode evaluates one block; others may be evaluated at the same time.
func (c *change) decode(v *lang.Evaluator, u *lang.Unit, out *outcome) bool {
	block, body, warnings, good := v.Decode(u, schemas[u.Kind])
	if !good {
		return false
	}
	l := &loader{module: v.Module, now: c.now, known: c.nouns, noting: true}
	switch u.Kind {
	case kindVPC:
		out.noun = l.decodeVPC(block, body)
	case kindCCN:
		out.noun = l.decodeCCN(block, body)
	case kindInstance:
		out.noun = l.decodeInstance(block, body)
	case kindUpstream:
		out.noun = l.decodeUpstream(block, body)
	case kindService:
		out.noun = l.decodeService(block, body)
	}
	out.noted = v.Noted()
	out.record = record{unit: u, looked: l.looked, since: l.since, until: l.until, warnings: append(warnings, l.diags...)}
	return resolvable(out.record.warnings)
}

// resolvable tells whether diagnostics are warnings whose words name no place: those cannot follow a block that moves.
func resolvable(diags hcl.Diagnostics) bool {
	for _, d := range diags {
		if d.Severity == hcl.DiagError || d.Subject == nil || lang.NamesPlace(d) {
			return false
		}
	}
	return true
}

// keep takes the outcome of a block into the state.
func (c *change) keep(u *lang.Unit, o *outcome) {
	ref := lang.Ref{Kind: u.Kind, Name: u.Name}
	c.edit.Keep(u, o.noted)
	c.forget(c.records[ref])
	r := &o.record
	kept := &record{unit: r.unit, looked: r.looked, since: r.since, until: r.until, warnings: r.warnings}
	lang.Put(c.journal, c.records, ref, kept)
	for _, seen := range kept.looked {
		if c.lookers[seen] == nil {
			lang.Put(c.journal, c.lookers, seen, map[*record]struct{}{})
		}
		lang.Put(c.journal, c.lookers[seen], kept, struct{}{})
	}
	if !kept.until.IsZero() || !kept.since.IsZero() {
		lang.Put(c.journal, c.dated, kept, struct{}{})
	}
	if len(kept.warnings) > 0 {
		lang.Put(c.journal, c.warned, kept, struct{}{})
	}
	c.replace(ref, o.noun)
}

// forget takes a record out of every index.
func (c *change) forget(r *record) {
	if r == nil {
		return
	}
	for _, seen := range r.looked {
		lang.Remove(c.journal, c.lookers[seen], r)
		if len(c.lookers[seen]) == 0 {
			lang.Remove(c.journal, c.lookers, seen)
		}
	}
	lang.Remove(c.journal, c.dated, r)
	lang.Remove(c.journal, c.warned, r)
}

func (c *change) remove(ref lang.Ref) {
	c.forget(c.records[ref])
	lang.Remove(c.journal, c.records, ref)
	c.replace(ref, nil)
}

// replace puts a noun in place of the one of its name; nil: there is none any more. A noun that says the same as before
// keeps its model, by which others see that nothing changed.
func (c *change) replace(ref lang.Ref, now noun) {
	include(c.touched, ref.Kind, ref.Name)
	var was noun
	switch ref.Kind {
	case kindVPC:
		was = swap(c.journal, c.nouns.vpcs, ref.Name, now, func(old, now *vpc) { same(&now.model, old.model) })
	case kindCCN:
		was = swap(c.journal, c.nouns.ccns, ref.Name, now, func(old, now *ccn) { same(&now.model, old.model) })
	case kindInstance:
		was = swap(c.journal, c.nouns.instances, ref.Name, now, func(old, now *instance) { same(&now.model, old.model) })
	case kindUpstream:
		was = swap(c.journal, c.nouns.upstreams, ref.Name, now, func(old, now *upstream) { same(&now.model, old.model) })
	case kindService:
		was = swap(c.journal, c.nouns.services, ref.Name, now, func(old, now *service) { same(&now.model, old.model) })
		if old, is := was.(*service); is {
			c.services[ref.Name] = old
		}
	}
	if was != nil && now != nil && reflect.DeepEqual(was.face(), now.face()) {
		return
	}
	for _, seen := range []lang.Ref{ref, {Kind: ref.Kind}} {
		for r := range c.lookers[seen] {
			include(c.again, r.unit.Kind, r.unit.Name)
		}
	}
}

// swap returns what was there.
func swap[T interface {
	noun
	comparable
}](j *lang.Journal, m map[string]T, name string, now noun, keep func(old, now T)) noun {
	old, had := m[name]
	if now == nil {
		lang.Remove(j, m, name)
	} else {
		if had {
			keep(old, now.(T))
		}
		lang.Put(j, m, name, now.(T))
	}
	if !had {
		return nil
	}
	return old
}

// same puts the old model in place of one that says the same at the same places of its block.
func same[M any](now **M, old *M) {
	if reflect.DeepEqual(*now, old) {
		*now = old
	}
}
