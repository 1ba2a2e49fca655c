package translate

import (
	"cmp"
	"slices"

	resourcev3 "github.com/envoyproxy/go-control-plane/pkg/resource/v3"

	"github.com/weirproxy/weir/model"
)

// socket is the routes of one listener from one configuration to the next.
type socket struct {
	name     string // of its routes
	listener *model.Listener
	domains  map[string]*domain
	touched  bool
	told     []Key
}

// domain is the APIs of all services under one domain.
type domain struct {
	name    string
	mounts  int      // services; without APIs too, a domain keeps its requests from others
	entries []placed // sorted by comparePlaced
	out, in []placed // what is to be taken from the entries, and what is to be put there
}

// placed is an API where it stands among others: at the literal prefix of its path.
type placed struct {
	prefix string
	entry
}

func placedOf(e entry) placed { return placed{literalPrefix(e.api.Path), e} }

func comparePlaced(a, b placed) int {
	return cmp.Or(cmp.Compare(a.prefix, b.prefix), cmp.Compare(a.name(), b.name()))
}

func newSocket(l *model.Listener) *socket {
	return &socket{name: routesName(l), listener: l, domains: map[string]*domain{}, touched: true}
}

// mount puts a service under a domain.
func (s *socket) mount(name string, list []entry) {
	d := s.domains[name]
	if d == nil {
		d = &domain{name: name}
		s.domains[name] = d
	}
	d.mounts++
	for _, e := range list {
		d.in = append(d.in, placedOf(e))
	}
	s.touched = true
}

// unmount takes a service from a domain.
func (s *socket) unmount(name string, list []entry) {
	d := s.domains[name]
	if d.mounts--; d.mounts == 0 {
		delete(s.domains, name)
	}
	for _, e := range list {
		d.out = append(d.out, placedOf(e))
	}
	s.touched = true
}

// change takes an edit of a service that stays under a domain.
func (s *socket) change(name string, e serviceEdit) {
	d := s.domains[name]
	for _, list := range [][]entry{e.gone, e.stale} {
		for _, e := range list {
			d.out = append(d.out, placedOf(e))
		}
	}
	for _, list := range [][]entry{e.fresh, e.equal} {
		for _, e := range list {
			d.in = append(d.in, placedOf(e))
		}
	}
	s.touched = true
}

// touch marks the route of an API that did not change itself.
func (s *socket) touch(name string, e entry) { s.touched = true }

// settle applies what was noted.
func (d *domain) settle() {
	if len(d.out)+len(d.in) > fewChanges {
		gone := make(map[string]bool, len(d.out))
		for _, p := range d.out {
			gone[p.name()] = true
		}
		d.entries = slices.DeleteFunc(d.entries, func(p placed) bool { return gone[p.name()] })
		d.entries = append(d.entries, d.in...)
		slices.SortFunc(d.entries, comparePlaced)
	} else {
		for _, p := range d.out {
			i, _ := slices.BinarySearchFunc(d.entries, p, comparePlaced)
			d.entries = slices.Delete(d.entries, i, i+1)
		}
		for _, p := range d.in {
			i, _ := slices.BinarySearchFunc(d.entries, p, comparePlaced)
			d.entries = slices.Insert(d.entries, i, p)
		}
	}
	d.out, d.in = nil, nil
}

// fewChanges is up to how many single insertions cost less than sorting anew.
const fewChanges = 32

// addRoutes tells the routes of the socket, if they may have changed.
func (s *socket) addRoutes(d *Delta, u use) {
	if !s.touched {
		return
	}
	s.touched = false
	var hosts []host
	for _, domain := range sortedValues(s.domains) {
		domain.settle()
		hosts = append(hosts, host{domain.name, domain.entries})
	}
	s.told = []Key{{resourcev3.RouteType, s.name}}
	d.Changed = append(d.Changed, Resource{resourcev3.RouteType, s.name, routeConfiguration(s.name, hosts, u), s.listener.Place})
}

func (s *socket) keys() []Key { return s.told }
