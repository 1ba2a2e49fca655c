package main

import (
	"fmt"
	"maps"
	"time"

	"github.com/weirproxy/weir/model"
	"github.com/weirproxy/weir/translate"
	"github.com/weirproxy/weir/xds"
)

// publication is what serves: all that is needed to send it, to show it, and to say which block Envoy's words are
// about. It does not change once it is published.
type publication struct {
	generation    string // empty before the first good load
	at            time.Time
	configuration *model.Configuration // of a restored one only the names of the instances
	mask          func(string) string  // hides the configuration's sensitive values; nil: it has none
	restored      bool                 // it comes from the state directory, since the files cannot be loaded
	sets          map[string]*xds.Set  // by instance; the origin of a resource is its model.Place
}

// with is p, except for some instances.
func (p *publication) with(others map[string]*xds.Set) *publication {
	next := &publication{at: p.at, configuration: p.configuration, mask: p.mask, sets: maps.Clone(p.sets)}
	maps.Copy(next.sets, others)
	next.generation = xds.Generation(next.sets)
	return next
}

// hide is text, of Envoy's words for one, without the configuration's sensitive values.
func (p *publication) hide(text string) string {
	if p.mask == nil {
		return text
	}
	return p.mask(text)
}

// changed are the instances of p that are new or get something else than before.
func (p *publication) changed(before *publication) map[string]bool {
	all := map[string]bool{}
	for name, set := range p.sets {
		if old := before.sets[name]; old == nil || old.Hash() != set.Hash() {
			all[name] = true
		}
	}
	return all
}

// publisher makes configurations into publications, each at the cost of what differs from the one before.
type publisher struct {
	translator *translate.Translator
	sets       map[string]*xds.Set // of the last configuration
}

// publication translates what differs and marshals it. After an error, or a panic, the next one is made from scratch.
func (m *publisher) publication(c *model.Configuration, at time.Time) (*publication, error) {
	last := *m
	*m = publisher{}
	if last.translator == nil {
		last = publisher{translate.NewTranslator(), map[string]*xds.Set{}}
	}
	deltas, gone := last.translator.Update(c)
	sets := maps.Clone(last.sets)
	for _, name := range gone {
		delete(sets, name)
	}
	for name, delta := range deltas {
		set, err := apply(sets[name], delta)
		if err != nil {
			return nil, fmt.Errorf("instance %q: %w", name, err)
		}
		sets[name] = set
	}
	*m = publisher{last.translator, sets}
	return &publication{at: at, configuration: c, sets: sets, generation: xds.Generation(sets)}, nil
}

// apply is the set, nil for none yet, after what changed; each resource is marshalled here, once.
func apply(set *xds.Set, d translate.Delta) (*xds.Set, error) {
	changed := make([]*xds.Resource, len(d.Changed))
	for i, r := range d.Changed {
		var err error
		if changed[i], err = xds.NewResource(r.Message, r.Place); err != nil {
			return nil, err
		}
		d.Changed[i].Message = nil // at the first load these are many
	}
	if set == nil {
		return xds.NewSet(changed)
	}
	removed := make([]xds.Key, len(d.Removed))
	for i, key := range d.Removed {
		removed[i] = xds.Key(key)
	}
	return set.With(changed, removed)
}
