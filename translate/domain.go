package translate

import (
	"cmp"
	"slices"
)

// domain is the APIs of all services under one domain of a socket, from one configuration to the next.
type domain struct {
	name    string
	hash    uint64
	mounts  int      // services; without APIs too, a domain keeps its requests from others
	entries []placed // sorted by comparePlaced
	counted int      // its weight in the socket's
	stays   bool     // as it was counted: in the index, if it is not cut

	out, in, swap []placed // what is to be taken from the entries, put there, and put in the place of its equal
	touched       []placed // APIs that are not as they were: as they are, and as they were
	fresh         bool     // nothing was told of it, or only of another that is gone
	cut           []pathShare
	group         string // the part that it is in, if it is not cut
}

// placed is an API where it stands among others: at the literal prefix of its path.
type placed struct {
	prefix, route string
	entry
}

func placedOf(e entry) placed { return placed{literalPrefix(e.api.Path), e.name(), e} }

func comparePlaced(a, b placed) int {
	return cmp.Or(cmp.Compare(a.prefix, b.prefix), cmp.Compare(a.route, b.route))
}

// weight is how much of a part the domain fills.
func (d *domain) weight() int { return max(1, len(d.entries)) }

// upgrades reports whether a route of the domain has to be the first that is found.
func (d *domain) upgrades() bool { return slices.ContainsFunc(d.entries, readFirst) }

// put adds APIs.
func (d *domain) put(list []entry) {
	for _, e := range list {
		d.in = append(d.in, placedOf(e))
	}
	d.touched = append(d.touched, d.in[len(d.in)-len(list):]...)
}

// take removes APIs.
func (d *domain) take(list []entry) {
	for _, e := range list {
		d.out = append(d.out, placedOf(e))
	}
	d.touched = append(d.touched, d.out[len(d.out)-len(list):]...)
}

// change replaces APIs.
func (d *domain) change(e serviceEdit) {
	d.take(e.gone)
	d.put(e.fresh)
	for _, e := range e.equal {
		d.swap = append(d.swap, placedOf(e))
	}
}

// settle applies what was noted.
func (d *domain) settle() {
	for _, p := range d.swap {
		i, _ := slices.BinarySearchFunc(d.entries, p, comparePlaced)
		d.entries[i] = p
	}
	slices.SortFunc(d.out, comparePlaced)
	slices.SortFunc(d.in, comparePlaced)
	if len(d.out)+len(d.in) > 0 {
		d.entries = merged(d.entries, d.out, d.in)
	}
	d.out, d.in, d.swap, d.cut = nil, nil, nil, nil
}

// merged is a sorted list without some of it, and with others, all sorted.
func merged(list, out, in []placed) []placed {
	all := make([]placed, 0, len(list)-len(out)+len(in))
	for len(list) > 0 || len(in) > 0 {
		switch {
		case len(out) > 0 && len(list) > 0 && comparePlaced(list[0], out[0]) == 0:
			list, out = list[1:], out[1:]
		case len(list) == 0 || len(in) > 0 && comparePlaced(in[0], list[0]) < 0:
			all, in = append(all, in[0]), in[1:]
		case len(out) == 0 && len(in) == 0:
			return append(all, list...)
		default:
			all, list = append(all, list[0]), list[1:]
		}
	}
	return all
}

// shares are the parts that the domain is cut into.
func (d *domain) shares(size int) []pathShare {
	if d.cut == nil {
		d.cut = pathShares(d.entries, size)
	}
	return d.cut
}
