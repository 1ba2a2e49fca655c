package translate

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	resourcev3 "github.com/envoyproxy/go-control-plane/pkg/resource/v3"

	"github.com/weirproxy/weir/model"
)

// socket is the routes of one listener from one configuration to the next.
type socket struct {
	name     string // of its routes
	listener *model.Listener
	domains  map[string]*domain

	byHash []*domain         // sorted by hash; nil when it is to be made
	large  []*domain         // those that are cut
	groups map[string]*share // of the others, by name, also those that stay
	total  int               // weight of all

	pending map[*domain]bool    // not as they were
	untold  bool                // nothing was told, or from another place
	told    map[string]bool     // names of the parts, and of the index
	needed  map[string]policies // by share
	indexed map[string]bool     // names of all shares; of those that stay, with stayMark
	cut     bool                // there is an index
}

func newSocket(l *model.Listener) *socket {
	return &socket{name: socketName(l), listener: l, domains: map[string]*domain{}, pending: map[*domain]bool{}, untold: true}
}

// mount puts a service under a domain.
func (s *socket) mount(name string, list []entry) {
	d := s.domains[name]
	if d == nil {
		d = &domain{name: name, hash: domainHash(name), fresh: true}
		s.domains[name], s.byHash = d, nil
	}
	d.mounts++
	d.put(list)
	s.pending[d] = true
}

// unmount takes a service from a domain.
func (s *socket) unmount(name string, list []entry) {
	d := s.domains[name]
	if d.mounts--; d.mounts == 0 {
		delete(s.domains, name)
		s.byHash = nil
	}
	d.take(list)
	s.pending[d] = true
}

// change takes an edit of a service that stays under a domain.
func (s *socket) change(name string, e serviceEdit) {
	s.domains[name].change(e)
	s.pending[s.domains[name]] = true
}

// touch marks the route of an API that did not change itself.
func (s *socket) touch(name string, e entry) {
	d := s.domains[name]
	d.touched = append(d.touched, placedOf(e))
	s.pending[d] = true
}

// stayMark tells a share that stays in the index from a part of the same name.
const stayMark = "!"

// addRoutes tells what may have changed of the routes of the socket, and their scopes.
func (s *socket) addRoutes(d *Delta, u use, size int) {
	if len(s.pending) == 0 && !s.untold {
		return
	}
	shares := s.shares(size)
	before, indexed := s.told, s.indexed
	wasCut := s.cut
	s.cut = s.total > size
	s.told, s.indexed = make(map[string]bool, len(shares)+1), make(map[string]bool, len(shares))
	needed := make(map[string]policies, len(shares))
	turned := s.untold || s.cut != wasCut
	for _, share := range shares {
		changed := s.changed(share)
		if share.stays {
			s.indexed[share.name+stayMark] = true
			turned = turned || changed || !indexed[share.name+stayMark]
			continue
		}
		s.label(share, changed)
		needed[share.name] = share.policies
		s.indexed[share.part], s.told[share.part] = true, true
		turned = turned || !indexed[share.part]
		if changed || !before[share.part] || s.untold || !s.cut {
			s.tell(d, before, share.routes(u))
		}
	}
	s.needed = needed
	if s.cut && (turned || len(indexed) != len(s.indexed)) {
		s.tell(d, before, routeIndex(s.name, shares, u))
	}
	s.told[s.name] = true
	for name := range before {
		if !s.told[name] {
			d.Removed = append(d.Removed, Key{resourcev3.RouteType, name}, Key{resourcev3.ScopedRouteType, name})
		}
	}
	for domain := range s.pending {
		domain.touched, domain.fresh = nil, false
	}
	clear(s.pending)
	s.untold = false
}

// label names the routes of a share, with the policies that the index is to switch on for it: so a request that is led there
// meets the policy and its filter, or, by yesterday's index and in the part of another name, neither.
func (s *socket) label(share *share, changed bool) {
	known, ok := s.needed[share.name]
	if !ok || changed {
		known = share.need()
	}
	share.policies, share.part = known, share.name
	if s.cut {
		share.part = s.name + known.suffix() + strings.TrimPrefix(share.name, s.name)
	}
}

// tell adds routes, and their scope where that is new.
func (s *socket) tell(d *Delta, before map[string]bool, routes *routev3.RouteConfiguration) {
	d.Changed = append(d.Changed, Resource{resourcev3.RouteType, routes.Name, routes, s.listener.Place})
	if !before[routes.Name] || s.untold {
		d.Changed = append(d.Changed, Resource{resourcev3.ScopedRouteType, routes.Name, scopeOf(routes.Name), s.listener.Place})
	}
}

// shares are the parts of the socket. One that is not cut is one part, of the socket's own name.
func (s *socket) shares(size int) []*share {
	s.settle(size)
	if s.total <= size {
		return []*share{{name: s.name, hosts: sortedByName(s.byHash)}}
	}
	out := make([]*share, 0, len(s.groups))
	for _, d := range s.large {
		for _, p := range d.shares(size) {
			out = append(out, &share{name: s.name + "/" + d.name + p.name(), hosts: []*domain{d}, paths: &p, stays: slices.ContainsFunc(p.entries, readFirst)})
		}
	}
	for _, name := range sortedKeys(s.groups) {
		out = append(out, s.groups[name])
	}
	return out
}

// settle applies what was noted, and groups the domains again if one weighs more or less than before.
func (s *socket) settle(size int) {
	weighs := s.byHash == nil
	for d := range s.pending {
		d.settle()
		weighs = weighs || d.weight() != d.counted || d.upgrades() != d.stays
	}
	if !weighs {
		return
	}
	known := s.groups
	if s.byHash == nil {
		known = nil
		s.byHash = slices.SortedFunc(maps.Values(s.domains), func(a, b *domain) int {
			return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.name, b.name))
		})
	}
	s.total, s.large, s.groups = 0, nil, map[string]*share{}
	small := make([]*domain, 0, len(s.byHash))
	for _, d := range s.byHash {
		d.counted, d.stays = d.weight(), d.upgrades()
		s.total += d.counted
		switch {
		case d.counted > size:
			s.large = append(s.large, d)
		case d.stays:
			d.group = s.name + "/" + d.name
			s.groups[d.group] = &share{name: d.group, hosts: []*domain{d}, stays: true}
		default:
			small = append(small, d)
		}
	}
	for _, group := range groups(small, size) {
		name := s.name + "/" + groupName(group)
		if s.groups[name] = known[name]; s.groups[name] == nil {
			s.groups[name] = &share{name: name, hosts: sortedByName(group)}
		}
		for _, d := range group {
			d.group = name
		}
	}
}

func sortedByName(domains []*domain) []*domain {
	return slices.SortedFunc(slices.Values(domains), func(a, b *domain) int { return cmp.Compare(a.name, b.name) })
}

// changed reports whether an API of a part that was told is not as it was.
func (s *socket) changed(part *share) bool {
	for d := range s.pending {
		switch {
		case part.paths == nil:
			if d.group == part.name && (d.fresh || len(d.touched) > 0) {
				return true
			}
		case d == part.hosts[0] && (d.fresh || slices.ContainsFunc(d.touched, part.paths.holds)):
			return true
		}
	}
	return false
}

// routes are what the share holds.
func (s *share) routes(u use) *routev3.RouteConfiguration {
	if s.paths != nil {
		return routeConfiguration(s.part, []host{{s.hosts[0].name, s.paths.entries}}, u)
	}
	hosts := make([]host, len(s.hosts))
	for i, d := range s.hosts {
		hosts[i] = host{d.name, d.entries}
	}
	return routeConfiguration(s.part, hosts, u)
}

// keys names what was told.
func (s *socket) keys() []Key {
	var out []Key
	for name := range s.told {
		out = append(out, Key{resourcev3.RouteType, name}, Key{resourcev3.ScopedRouteType, name})
	}
	return out
}
