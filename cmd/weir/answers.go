package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weirproxy/weir/model"
	"github.com/weirproxy/weir/xds"
)

// answers are how the Envoys of an instance answered what is published for it.
type answers struct {
	took, silent int
	refused      []string        // node.id of those that refuse a part of it
	refusals     []xds.TypeState // what they refuse, each once
	good         []*xds.Set      // what they took before, whatever they say now
}

// answersTo finds out how the Envoys answered each set of a publication. One that refuses something keeps to what it had, so
// it counts as refusing for as long as what it refused is published. One that was asked to try again since a time has not
// answered while it refuses since before.
func answersTo(p *publication, proxies []xds.Proxy, again map[string]time.Time) map[string]*answers {
	all := make(map[string]*answers, len(p.sets))
	for name := range p.sets {
		all[name] = &answers{}
	}
	for _, x := range proxies {
		set, v := p.sets[x.Instance], all[x.Instance]
		if set == nil || x.Unknown {
			continue
		}
		if x.Good != nil {
			v.good = append(v.good, x.Good)
		}
		refuses, asked := false, false
		for _, t := range x.Types {
			switch {
			case t.Refused == nil || !published(t.Refused.Resources, set):
			case t.Refused.At.Before(again[x.Instance]):
				asked = true
			default:
				refuses = true
				v.add(t)
			}
		}
		switch {
		case asked:
			v.silent++
		case refuses:
			v.refused = append(v.refused, x.Node)
		case x.Snapshot == set.Hash():
			v.took++
		default:
			v.silent++
		}
	}
	return all
}

func (v *answers) add(t xds.TypeState) {
	if !slices.ContainsFunc(v.refusals, func(other xds.TypeState) bool {
		return other.Type == t.Type && other.Refused.Message == t.Refused.Message
	}) {
		v.refusals = append(v.refusals, t)
	}
}

// texts are refusals of an instance's Envoys in words, with their places.
func (p *publication) texts(instance string, refusals []xds.TypeState) []string {
	var all []string
	for _, t := range refusals {
		place := p.blame(instance, t.Type, t.Refused.Resources, t.Refused.Message)
		all = append(all, refusalText(instance, t.Type, p.hide(t.Refused.Message), place))
	}
	return all
}

// published tells whether one of the resources is in the set, as it was refused. There is no set of an instance that is gone.
func published(refused []*xds.Resource, set *xds.Set) bool {
	return set != nil && slices.ContainsFunc(refused, func(r *xds.Resource) bool {
		now := set.Get(r.Key())
		return now != nil && now.Version() == r.Version()
	})
}

// blame finds the block of the files that Envoy's words about resources of an instance are about.
func (p *publication) blame(instance, typeURL string, refused []*xds.Resource, words string) model.Place {
	var names []string
	for _, r := range refused {
		names = append(names, r.Name())
	}
	var places []placed
	if set := p.sets[instance]; set != nil {
		for r := range set.All() {
			place, _ := r.Origin().(model.Place)
			places = append(places, placed{r.Type(), r.Name(), place})
		}
	}
	return blame(typeURL, names, words, places, p.configuration)
}

// refusalText is a refusal in one line, with its place where it is known.
func refusalText(instance, typeURL, words string, place model.Place) string {
	text := fmt.Sprintf("an Envoy of instance %q refused the %s: %s", instance, shortType(typeURL), words)
	if !place.IsZero() {
		return place.String() + ": " + text
	}
	return text
}

// shortType is the message's name in a type URL, "Cluster".
func shortType(typeURL string) string {
	return typeURL[strings.LastIndexByte(typeURL, '.')+1:]
}
