package xds

import "iter"

// interest is what a client asks for of one kind: everything, and names besides. Most ask for the names of all that there is, so
// they are kept as what differs from the names of the set that the client is brought to: few, where a list would be as long
// as the set, for each stream.
type interest struct {
	wild bool

	// Sparse: the names are those of asked. Dense: they are those of the set, without those of unasked, and those of asked,
	// none of which is in the set.
	dense   bool
	asked   map[string]struct{}
	unasked map[string]struct{}
}

// wants tells whether the client asks for a resource.
func (i *interest) wants(t *tree, name string) bool { return i.wild || i.named(t, name) }

// named tells whether the client asks for a name.
func (i *interest) named(t *tree, name string) bool {
	if i.dense && t.get(name) != nil {
		_, not := i.unasked[name]
		return !not
	}
	_, ok := i.asked[name]
	return ok
}

// covers tells whether the client asks for all that there is.
func (i *interest) covers(t *tree) bool {
	return i.wild || t.len() == 0 || i.dense && len(i.unasked) == 0
}

// len is the number of names.
func (i *interest) len(t *tree) int {
	if i.dense {
		return t.len() - len(i.unasked) + len(i.asked)
	}
	return len(i.asked)
}

// add takes a name in.
func (i *interest) add(t *tree, name string) {
	if i.dense && t.get(name) != nil {
		i.unasked = remove(i.unasked, name)
		return
	}
	i.asked = insert(i.asked, name)
}

// drop takes a name out.
func (i *interest) drop(t *tree, name string) {
	if i.dense && t.get(name) != nil {
		i.unasked = insert(i.unasked, name)
		return
	}
	i.asked = remove(i.asked, name)
}

// appeared follows a name that is new in the set, and vanished one that is gone from it.
func (i *interest) appeared(name string) {
	switch _, ok := i.asked[name]; {
	case !i.dense:
	case ok:
		i.asked = remove(i.asked, name)
	default:
		i.unasked = insert(i.unasked, name)
	}
}

func (i *interest) vanished(name string) {
	switch _, not := i.unasked[name]; {
	case !i.dense:
	case not:
		i.unasked = remove(i.unasked, name)
	default:
		i.asked = insert(i.asked, name)
	}
}

// few is how many exceptions are not worth a thought.
const few = 8

// compact chooses the shorter of the two forms, which costs no more than the requests that made it worth it.
func (i *interest) compact(t *tree) {
	switch {
	case !i.dense && 2*len(i.asked) >= t.len() && t.len() > 0:
		var asked, unasked map[string]struct{}
		common := 0
		t.walk(func(r *Resource) bool {
			if _, ok := i.asked[r.name]; ok {
				common++
			} else {
				unasked = insert(unasked, r.name)
			}
			return true
		})
		if 2*common < t.len() {
			return
		}
		for name := range i.asked {
			if t.get(name) == nil {
				asked = insert(asked, name)
			}
		}
		i.dense, i.asked, i.unasked = true, asked, unasked
	case i.dense && len(i.unasked) > few && 4*len(i.unasked) > 3*t.len():
		var asked map[string]struct{}
		for name := range i.names(t) {
			asked = insert(asked, name)
		}
		i.dense, i.asked, i.unasked = false, asked, nil
	}
}

// names goes through the names.
func (i *interest) names(t *tree) iter.Seq[string] {
	return func(yield func(string) bool) {
		for name := range i.asked {
			if !yield(name) {
				return
			}
		}
		if i.dense {
			t.walk(func(r *Resource) bool {
				_, not := i.unasked[r.name]
				return not || yield(r.name)
			})
		}
	}
}

func insert(m map[string]struct{}, name string) map[string]struct{} {
	if m == nil {
		m = map[string]struct{}{}
	}
	m[name] = struct{}{}
	return m
}

// remove gives the memory back with the last name: a map does not shrink.
func remove(m map[string]struct{}, name string) map[string]struct{} {
	delete(m, name)
	if len(m) == 0 {
		return nil
	}
	return m
}
