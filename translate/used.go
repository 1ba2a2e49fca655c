package translate

import (
	"reflect"
	"slices"

	resourcev3 "github.com/envoyproxy/go-control-plane/pkg/resource/v3"

	"github.com/weirproxy/weir/model"
)

// usedCluster is a cluster of an instance and the APIs that forward to it.
type usedCluster struct {
	name       string           // of its upstream; empty for a url's
	upstream   *model.Upstream  // as it was told last; nil before that
	assignment string           // the load assignment that was told, if any
	secrets    []Key            // that were told
	users      map[string]entry // by the route's name
}

// use notes that an API forwards to its backend's clusters.
func (g *ledger) use(e entry) {
	for _, name := range e.api.Backend.Upstreams() {
		c := g.usedBy(e, UpstreamCluster(name))
		c.name = name
		if g.routing.byName[name] == nil {
			g.routing.byName[name] = withoutNodes(g.upstreams[name])
		}
	}
	if url := e.api.Backend.URL; url != nil {
		g.usedBy(e, urlCluster(url))
		g.touched[urlCluster(url)] = true // its place is that of the first who uses it
	}
}

// usedBy notes that an API forwards to a cluster.
func (g *ledger) usedBy(e entry, cluster string) *usedCluster {
	c := g.used[cluster]
	if c == nil {
		c = &usedCluster{users: map[string]entry{}}
		g.used[cluster] = c
	}
	if len(c.users) == 0 {
		g.touched[cluster] = true
	}
	c.users[e.name()] = e
	return c
}

// release notes that an API is gone, or forwards elsewhere.
func (g *ledger) release(e entry) {
	clusters := e.api.Backend.Upstreams()
	for i, name := range clusters {
		clusters[i] = UpstreamCluster(name)
	}
	if url := e.api.Backend.URL; url != nil {
		clusters = append(clusters, urlCluster(url))
		g.touched[urlCluster(url)] = true
	}
	for _, cluster := range clusters {
		c := g.used[cluster]
		delete(c.users, e.name())
		if len(c.users) == 0 {
			g.touched[cluster] = true
		}
	}
}

// changeUpstream takes an edit of an upstream, which may be used here.
func (g *ledger) changeUpstream(after *model.Upstream) {
	c := g.used[UpstreamCluster(after.Name)]
	if c == nil {
		return
	}
	g.touched[UpstreamCluster(after.Name)] = true
	routing := withoutNodes(after)
	if !reflect.DeepEqual(g.routing.byName[after.Name], routing) {
		for _, e := range c.users {
			g.touchRoute(e)
		}
	}
	g.routing.byName[after.Name] = routing
}

// withoutNodes is what routes may depend on: neither nodes nor certificates.
func withoutNodes(u *model.Upstream) *model.Upstream {
	out := *u
	out.Nodes, out.TLS, out.Place, out.Description = nil, nil, model.Place{}, ""
	return &out
}

// touchRoute marks the route of an API wherever it stands.
func (g *ledger) touchRoute(e entry) {
	for listener, s := range g.sockets {
		for _, domain := range domainsOn(e.service, listener) {
			s.touch(domain, e)
		}
	}
}

// addCluster tells a cluster with its endpoints, or that it is gone.
func (g *ledger) addCluster(d *Delta, name string) {
	c := g.used[name]
	before, secrets := c.assignment, c.secrets
	c.assignment, c.secrets = "", nil
	if len(c.users) == 0 {
		delete(g.used, name)
		delete(g.routing.byName, c.name)
		if c.upstream != nil {
			d.Removed = append(d.Removed, Key{resourcev3.ClusterType, name})
		}
	} else {
		c.upstream = g.upstreamOf(c)
		t := target{name, c.upstream}
		d.Changed = append(d.Changed, Resource{resourcev3.ClusterType, name, cluster(t), t.upstream.Place})
		for _, secret := range upstreamSecrets(t.upstream) {
			c.secrets = append(c.secrets, Key{secret.Type, secret.Name})
			d.Changed = append(d.Changed, secret)
		}
		if onlyAddresses(t.upstream) {
			c.assignment = assignmentName(t)
			d.Changed = append(d.Changed, Resource{resourcev3.EndpointType, c.assignment, loadAssignment(t), t.upstream.Place})
		}
	}
	for _, k := range secrets {
		if !slices.Contains(c.secrets, k) {
			d.Removed = append(d.Removed, k)
		}
	}
	if before != "" && before != c.assignment {
		d.Removed = append(d.Removed, Key{resourcev3.EndpointType, before})
	}
}

// upstreamOf is the upstream of a cluster that is used. The place of a url's is that of the first API.
func (g *ledger) upstreamOf(c *usedCluster) *model.Upstream {
	if c.name != "" {
		return g.upstreams[c.name]
	}
	first := ""
	for name := range c.users {
		if first == "" || name < first {
			first = name
		}
	}
	backend := c.users[first].api.Backend
	return urlUpstream(backend.URL, backend.Place)
}
