package translate

import (
	"cmp"
	"reflect"
	"slices"

	resourcev3 "github.com/envoyproxy/go-control-plane/pkg/resource/v3"

	"github.com/weirproxy/weir/model"
)

// ledger is what is known of an instance from one configuration to the next: who uses what, and what is to be told.
type ledger struct {
	noun      *model.Instance
	size      int                        // of parts
	upstreams map[string]*model.Upstream // of the configuration, by name
	used      map[string]*usedCluster    // by the cluster's name
	routing   use
	sockets   map[string]*socket // by the listener's name

	touched map[string]bool // clusters to be looked at again
	renewed bool            // the noun is another one
	told    []Key           // listeners and secrets
}

// newLedger is an instance of which nothing has been told.
func newLedger(c *model.Configuration, instance *model.Instance, size int) *ledger {
	g := &ledger{
		noun: instance, size: size, upstreams: c.Upstreams, renewed: true,
		used: map[string]*usedCluster{}, routing: use{byName: map[string]*model.Upstream{}},
		sockets: map[string]*socket{}, touched: map[string]bool{},
	}
	for name, l := range instance.Listeners {
		g.sockets[name] = newSocket(l)
	}
	for _, s := range c.Services {
		if s.Instance == instance.Name {
			g.changeService(nil, s)
		}
	}
	return g
}

// rename takes a new noun of the instance, if its sockets are the same: the rest of it concerns listeners and secrets.
func (g *ledger) rename(instance *model.Instance) bool {
	if len(instance.Listeners) != len(g.sockets) {
		return false
	}
	for name, l := range instance.Listeners {
		if s := g.sockets[name]; s == nil || s.name != socketName(l) {
			return false
		}
	}
	for name, l := range instance.Listeners {
		g.sockets[name].listener, g.sockets[name].untold = l, true // the place of its routes is another
	}
	g.noun, g.renewed = instance, true
	return true
}

// changeService takes an edit of a service that is, or was, mounted here.
func (g *ledger) changeService(before, after *model.Service) {
	e := compareServices(before, after)
	for _, entry := range e.gone {
		g.release(entry)
	}
	for _, list := range [][]entry{e.fresh, e.equal} {
		for _, entry := range list {
			g.use(entry)
		}
	}
	for name, s := range g.sockets {
		was, is := domainsOn(before, name), domainsOn(after, name)
		for _, domain := range was {
			if slices.Contains(is, domain) {
				s.change(domain, e)
			} else {
				s.unmount(domain, entriesOf(before))
			}
		}
		for _, domain := range is {
			if !slices.Contains(was, domain) {
				s.mount(domain, entriesOf(after))
			}
		}
	}
}

// domainsOn are the domains under which a service is reached through a listener.
func domainsOn(s *model.Service, listener string) []string {
	if s == nil || !slices.Contains(s.Listeners, listener) {
		return nil
	}
	return domainsOf(s)
}

// serviceEdit is what an edit of a service does to its APIs. One that is changed is gone and fresh; one that stays is
// replaced by its equal, whose places are those of today.
type serviceEdit struct{ gone, fresh, stale, equal []entry }

// compareServices finds the APIs that are not as they were: all of them, where what the service says for all is not.
func compareServices(before, after *model.Service) serviceEdit {
	if before == nil || after == nil {
		return serviceEdit{gone: entriesOf(before), fresh: entriesOf(after)}
	}
	var e serviceEdit
	same := sameService(before, after)
	for name, was := range before.APIs {
		now := after.APIs[name]
		switch {
		case now != nil && same && sameAPI(was, now):
			e.stale, e.equal = append(e.stale, entry{before, was}), append(e.equal, entry{after, now})
			continue
		case now != nil:
			e.fresh = append(e.fresh, entry{after, now})
		}
		e.gone = append(e.gone, entry{before, was})
	}
	for name, now := range after.APIs {
		if before.APIs[name] == nil {
			e.fresh = append(e.fresh, entry{after, now})
		}
	}
	return e
}

// sameService compares what services say for all of their APIs.
func sameService(a, b *model.Service) bool {
	x, y := *a, *b
	for _, s := range []*model.Service{&x, &y} {
		s.APIs, s.Place, s.Description = nil, model.Place{}, ""
		s.Domains, s.Listeners = nil, nil // where the APIs are found, not what they are
	}
	return reflect.DeepEqual(x, y)
}

// sameAPI compares what APIs say.
func sameAPI(a, b *model.API) bool {
	x, y := *a, *b
	for _, api := range []*model.API{&x, &y} {
		api.Place, api.Description, api.Backend.Place = model.Place{}, "", model.Place{}
	}
	return reflect.DeepEqual(x, y)
}

// delta is what is to be told since the last time.
func (g *ledger) delta() Delta {
	var d Delta
	if g.renewed {
		g.addListeners(&d)
	}
	for name := range g.touched {
		g.addCluster(&d, name)
	}
	for _, s := range g.sockets {
		s.addRoutes(&d, g.routing, g.size)
	}
	clear(g.touched)
	g.renewed = false
	slices.SortFunc(d.Changed, func(a, b Resource) int { return compareKeys(Key{a.Type, a.Name}, Key{b.Type, b.Name}) })
	slices.SortFunc(d.Removed, compareKeys)
	return d
}

func compareKeys(a, b Key) int {
	return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name))
}

// addListeners tells all listeners of the instance and their secrets.
func (g *ledger) addListeners(d *Delta) {
	list := listenerResources(g.noun)
	d.Changed = append(d.Changed, list...)
	before := g.told
	g.told = nil
	for _, r := range list {
		g.told = append(g.told, Key{r.Type, r.Name})
	}
	for _, k := range before {
		if !slices.Contains(g.told, k) {
			d.Removed = append(d.Removed, k)
		}
	}
}

// listenerResources are the listeners of an instance and their secrets, and the cluster that their traces go to.
func listenerResources(instance *model.Instance) []Resource {
	var out []Resource
	if t := instance.Tracing; t != nil {
		out = append(out, Resource{resourcev3.ClusterType, collectorName(t), collector(t), t.Place})
	}
	for _, l := range sortedValues(instance.Listeners) {
		out = append(out, Resource{resourcev3.ListenerType, socketName(l), listener(instance, l), l.Place})
		if l.HTTP3 != nil {
			out = append(out, Resource{resourcev3.ListenerType, quicName(l), quicListener(instance, l), l.HTTP3.Place})
		}
		for _, certificate := range distinctCertificates(l) {
			secretName := secretName(instance.Name, l.Name, certificate)
			out = append(out, Resource{resourcev3.SecretType, secretName, certificateSecret(secretName, certificate), certificate.Place})
		}
		if l.TLS.ClientCA != nil {
			name := clientCAName(instance.Name, l.Name)
			out = append(out, Resource{resourcev3.SecretType, name, caSecret(name, l.TLS.ClientCA), l.Place})
		}
	}
	return out
}

// keys names all that has been told and is not gone.
func (g *ledger) keys() map[Key]bool {
	all := map[Key]bool{}
	for _, k := range g.told {
		all[k] = true
	}
	for name, c := range g.used {
		all[Key{resourcev3.ClusterType, name}] = true
		for _, k := range c.secrets {
			all[k] = true
		}
		if c.assignment != "" {
			all[Key{resourcev3.EndpointType, c.assignment}] = true
		}
	}
	for _, s := range g.sockets {
		for _, k := range s.keys() {
			all[k] = true
		}
	}
	return all
}
