package config

import (
	"maps"
	"slices"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/model"
)

// check holds the rules across nouns for what changed, and for what they say of others because of it.
func (c *change) check() bool {
	l := &loader{module: c.edit.Module(), known: c.nouns, now: c.now}
	if len(c.touched[kindVPC])+len(c.touched[kindCCN]) > 0 {
		l.checkOverlaps()
	}
	c.unmount()
	if !c.mount(l) {
		return false
	}
	for a, s := range c.concerned() {
		l.diags = nil
		l.checkAPI(s, a)
		if !resolvable(l.diags) {
			return false
		}
		lang.Set(c.journal, &a.warnings, l.diags)
		if len(l.diags) > 0 {
			lang.Put(c.journal, c.alarmed, a, s)
		} else {
			lang.Remove(c.journal, c.alarmed, a)
		}
	}
	return true
}

// unmount takes the APIs of services that are others now, or gone, out of the indexes.
func (c *change) unmount() {
	for name, s := range c.services {
		lang.Remove(c.journal, c.mounted[s.model.Instance], name)
		for _, a := range s.apis {
			lang.Remove(c.journal, c.alarmed, a)
			for _, ref := range a.uses() {
				lang.Remove(c.journal, c.users[ref.V.Name], a)
			}
			c.turns = append(c.turns, c.circles.remove(c.journal, s, a)...)
			for _, r := range routesOf(s, a) {
				without(c.journal, c.taken, r, func(m mounting) bool { return m.api == a })
			}
			if url := a.model.Backend.URL; url != nil {
				without(c.journal, c.called, serverOf(url), func(other *api) bool { return other == a })
			}
		}
	}
}

// without takes items out of a list of a map.
func without[K comparable, V any](j *lang.Journal, m map[K][]V, key K, drop func(V) bool) {
	if left := slices.DeleteFunc(slices.Clone(m[key]), drop); len(left) > 0 {
		lang.Put(j, m, key, left)
	} else {
		lang.Remove(j, m, key)
	}
}

// mount puts the APIs of services that are new into the indexes. It is false where two take the same requests or call one
// server in two ways, and where redirects lead in a circle.
func (c *change) mount(l *loader) bool {
	for _, name := range slices.Sorted(maps.Keys(c.touched[kindService])) {
		s := c.nouns.services[name]
		if s == nil {
			continue
		}
		if c.mounted[s.model.Instance] == nil {
			lang.Put(c.journal, c.mounted, s.model.Instance, map[string]bool{})
		}
		lang.Put(c.journal, c.mounted[s.model.Instance], name, true)
		for _, a := range s.apis {
			c.index(l, s, a)
		}
	}
	return len(l.diags) == 0 && !c.circles.closed(c.turns)
}

func (c *change) index(l *loader, s *service, a *api) {
	for _, r := range routesOf(s, a) {
		lang.Remember(c.journal, c.taken, r)
	}
	l.checkConflict(c.taken, s, a)
	c.turns = append(c.turns, c.circles.add(c.journal, s, a)...)
	if url := a.model.Backend.URL; url != nil {
		lang.Remember(c.journal, c.called, serverOf(url))
	}
	l.checkScheme(c.called, a)
	for _, ref := range a.uses() {
		if c.users[ref.V.Name] == nil {
			lang.Put(c.journal, c.users, ref.V.Name, map[*api]*service{})
		}
		lang.Put(c.journal, c.users[ref.V.Name], a, s)
	}
}

// concerned are the APIs whose rules are to be asked again: new ones, and those that use what is another.
func (c *change) concerned() map[*api]*service {
	out := map[*api]*service{}
	all := func(name string) {
		if s := c.nouns.services[name]; s != nil {
			for _, a := range s.apis {
				out[a] = s
			}
		}
	}
	if len(c.touched[kindCCN]) > 0 {
		for name := range c.nouns.services {
			all(name)
		}
	}
	for name := range c.touched[kindService] {
		all(name)
	}
	for name := range c.touched[kindInstance] {
		for service := range c.mounted[name] {
			all(service)
		}
	}
	for name := range c.touched[kindUpstream] {
		maps.Copy(out, c.users[name])
	}
	return out
}

// publish makes the configuration, of which the parts that did not change are those of the last one.
func (c *change) publish() *model.Configuration {
	was := c.configuration
	if was == nil {
		return c.nouns.configuration()
	}
	return &model.Configuration{
		VPCs:      renewed(was.VPCs, c.nouns.vpcs, c.touched[kindVPC], func(n *vpc) *model.VPC { return n.model }),
		CCNs:      renewed(was.CCNs, c.nouns.ccns, c.touched[kindCCN], func(n *ccn) *model.CCN { return n.model }),
		Instances: renewed(was.Instances, c.nouns.instances, c.touched[kindInstance], func(n *instance) *model.Instance { return n.model }),
		Upstreams: renewed(was.Upstreams, c.nouns.upstreams, c.touched[kindUpstream], func(n *upstream) *model.Upstream { return n.model }),
		Services:  renewed(was.Services, c.nouns.services, c.touched[kindService], func(n *service) *model.Service { return n.model }),
	}
}

// renewed is a map with what changed, or the map itself where nothing did.
func renewed[N, M any](was map[string]*M, nouns map[string]*N, touched map[string]bool, of func(*N) *M) map[string]*M {
	out, cloned := was, false
	for name := range touched {
		var now *M
		if n := nouns[name]; n != nil {
			now = of(n)
		}
		if was[name] == now {
			continue
		}
		if !cloned {
			out, cloned = maps.Clone(was), true
		}
		if now == nil {
			delete(out, name)
		} else {
			out[name] = now
		}
	}
	return out
}
