package xds

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
)

// Set is an instance's resources at one moment. It never changes; a set that was made from another one by With shares
// with it what did not change.
type Set struct {
	trees    [kinds]*tree
	versions [kinds]string
	hash     string
}

// empty is the set without resources.
var empty = new(Set).sealed(nil)

// NewSet makes a set. No two of the resources may have the same type and name.
func NewSet(rs []*Resource) (*Set, error) {
	var of [kinds][]*Resource
	for i, r := range rs {
		if r == nil {
			return nil, fmt.Errorf("resource %d is nil", i)
		}
		of[r.kind] = append(of[r.kind], r)
	}
	s := new(Set)
	for k, list := range of {
		slices.SortFunc(list, func(a, b *Resource) int { return cmp.Compare(a.name, b.name) })
		for i := range list[min(1, len(list)):] {
			if list[i].name == list[i+1].name {
				return nil, fmt.Errorf("two resources of type %s are named %q", typeURLs[k], list[i].name)
			}
		}
		s.trees[k] = plant(list)
	}
	return s.sealed(nil), nil
}

// With is the set with some resources, in place of those of the same type and name, and without others. It costs what
// changes: removing what is not there, and putting in what is, changes nothing.
func (s *Set) With(changed []*Resource, removed []Key) (*Set, error) {
	next := &Set{trees: s.trees}
	seen := make(map[Key]bool, len(changed))
	for i, r := range changed {
		if r == nil {
			return nil, fmt.Errorf("resource %d is nil", i)
		}
		if seen[r.Key()] {
			return nil, fmt.Errorf("two resources of type %s are named %q", r.Type(), r.name)
		}
		seen[r.Key()] = true
		next.trees[r.kind] = next.trees[r.kind].put(r)
	}
	for _, key := range removed {
		if seen[key] {
			return nil, fmt.Errorf("%s %q is both changed and removed", key.Type, key.Name)
		}
		if k, ok := kindOf(key.Type); ok {
			next.trees[k] = next.trees[k].drop(key.Name)
		}
	}
	return next.sealed(s), nil
}

// sealed computes versions and hash, where they are not those of a set that was there before.
func (s *Set) sealed(before *Set) *Set {
	whole := newDigest()
	for k, t := range s.trees {
		if before != nil && before.trees[k].sum() == t.sum() && before.trees[k].len() == t.len() {
			s.versions[k] = before.versions[k]
		} else {
			d := newDigest()
			d.add(typeURLs[k])
			d.add(strconv.Itoa(t.len()))
			d.add(t.sum().String())
			s.versions[k] = d.sum()
		}
		whole.add(s.versions[k])
	}
	s.hash = whole.sum()
	return s
}

// Get is the resource of that type and name, or nil.
func (s *Set) Get(key Key) *Resource {
	if k, ok := kindOf(key.Type); ok {
		return s.trees[k].get(key.Name)
	}
	return nil
}

// Len is the number of resources.
func (s *Set) Len() (n int) {
	for _, t := range s.trees {
		n += t.len()
	}
	return n
}

// Hash names the content of the set: 16 hexadecimal digits, equal for equal content.
func (s *Set) Hash() string { return s.hash }

// Version names the content of one type of the set, as proxies acknowledge it; "" for a type that is not served.
func (s *Set) Version(typeURL string) string {
	if k, ok := kindOf(typeURL); ok {
		return s.versions[k]
	}
	return ""
}

// All goes through the resources, sorted by type and name.
func (s *Set) All() iter.Seq[*Resource] {
	return func(yield func(*Resource) bool) {
		for _, typeURL := range slices.Sorted(slices.Values(typeURLs[:])) {
			k, _ := kindOf(typeURL)
			if !s.trees[k].walk(yield) {
				return
			}
		}
	}
}

// has tells whether there is a resource of that kind and name.
func (s *Set) has(k kind, name string) bool { return s.trees[k].get(name) != nil }

// holds tells whether that version of a resource is in the set.
func (s *Set) holds(key Key, version string) bool {
	r := s.Get(key)
	return r != nil && r.version == version
}

// Generation names the content of all instances together: 12 hexadecimal digits.
func Generation(sets map[string]*Set) string {
	d := newDigest()
	for _, name := range slices.Sorted(maps.Keys(sets)) {
		d.add(name)
		d.add(sets[name].Hash())
	}
	return d.sum()[:12]
}
