package translate

import (
	"maps"
	"slices"

	"github.com/weirproxy/weir/model"
)

// Translator translates one configuration after the other, each at the cost of what differs from the one before. It
// promises that what it told of an instance, taken together, is what Instance returns. What differs is found out by the
// pointers of upstreams, services and instances: who changes one makes a new one. It keeps the nouns and who uses what, and
// no resource. It is for one goroutine.
type Translator struct {
	last    *model.Configuration
	ledgers map[string]*ledger // by instance
}

// NewTranslator returns a Translator that has translated nothing yet.
func NewTranslator() *Translator {
	return &Translator{last: &model.Configuration{}, ledgers: map[string]*ledger{}}
}

// Update translates what differs from the last configuration, of each instance that it concerns; of a new one, everything.
// Gone are the instances that are no more, sorted. The configuration must not be changed afterwards.
func (t *Translator) Update(c *model.Configuration) (changed map[string]Delta, gone []string) {
	return t.update(c, partSize)
}

// update is Update with a size of parts.
func (t *Translator) update(c *model.Configuration, size int) (changed map[string]Delta, gone []string) {
	replaced := map[string]*ledger{} // by those that were made anew
	for _, e := range edits(t.last.Instances, c.Instances) {
		switch {
		case e.after == nil:
			delete(t.ledgers, e.before.Name)
			gone = append(gone, e.before.Name)
		case e.before != nil && t.ledgers[e.after.Name].rename(e.after):
		default:
			replaced[e.after.Name] = t.ledgers[e.after.Name]
			t.ledgers[e.after.Name] = newLedger(c, e.after, size)
		}
	}
	for _, g := range t.ledgers {
		g.upstreams = c.Upstreams
	}
	t.changeServices(edits(t.last.Services, c.Services), replaced)
	for _, e := range edits(t.last.Upstreams, c.Upstreams) {
		if e.before == nil || e.after == nil {
			continue // nobody used it, or nobody does: the services that did have changed
		}
		for _, g := range t.ledgers {
			g.changeUpstream(e.after)
		}
	}
	changed = map[string]Delta{}
	for name, g := range t.ledgers {
		d := g.delta()
		if old := replaced[name]; old != nil {
			d.Removed = goneFrom(old, d.Changed)
		}
		if len(d.Changed)+len(d.Removed) > 0 {
			changed[name] = d
		}
	}
	t.last = c
	slices.Sort(gone)
	return changed, gone
}

// goneFrom is what was told of an instance and is not any more.
func goneFrom(old *ledger, now []Resource) []Key {
	gone := old.keys()
	for _, r := range now {
		delete(gone, Key{r.Type, r.Name})
	}
	return slices.SortedFunc(maps.Keys(gone), compareKeys)
}

// changeServices hands each edit of a service to the instance that it was on, and to the one that it is on. An instance that
// was made anew has it already.
func (t *Translator) changeServices(list []edit[model.Service], replaced map[string]*ledger) {
	for _, e := range list {
		for name := range concerned(e) {
			g := t.ledgers[name]
			if _, anew := replaced[name]; g == nil || anew {
				continue
			}
			g.changeService(mountedOn(e.before, name), mountedOn(e.after, name))
		}
	}
}

// concerned are the instances that an edit of a service is about.
func concerned(e edit[model.Service]) map[string]bool {
	names := map[string]bool{}
	for _, s := range []*model.Service{e.before, e.after} {
		if s != nil {
			names[s.Instance] = true
		}
	}
	return names
}

// mountedOn is the service if it is mounted on the instance.
func mountedOn(s *model.Service, instance string) *model.Service {
	if s == nil || s.Instance != instance {
		return nil
	}
	return s
}

// edit is one noun that is not as it was. Before is nil for a new one, and after for one that is gone.
type edit[N any] struct{ before, after *N }

// edits compares the pointers of all nouns of a kind.
func edits[N any](before, after map[string]*N) []edit[N] {
	var out []edit[N]
	kept := 0
	for name, now := range after {
		was := before[name]
		if was != nil {
			kept++
		}
		if was != now {
			out = append(out, edit[N]{was, now})
		}
	}
	if kept == len(before) {
		return out
	}
	for name, was := range before {
		if after[name] == nil {
			out = append(out, edit[N]{was, nil})
		}
	}
	return out
}
