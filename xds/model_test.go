package xds

import (
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"math/rand"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/proto"
)

// proxyModel is what an Envoy does with delta responses, as far as names go: it subscribes to what its clusters
// and listeners need, warms clusters, and refuses some responses wholly.
type proxyModel struct {
	*deltaClient
	random   *rand.Rand
	refusals int // one resource out of so many is refused, once a set was taken; 0: none
	first    *Set
	started  bool                     // a set was taken
	have     [kinds]map[string]string // versions
	cold     map[string]bool          // clusters that were added or changed, and whose endpoints did not come since
	serves   map[string]bool          // clusters that were warm once: the old one serves while the new one warms
	routes   map[string]string        // route configuration to cluster
	fail     func(format string, args ...any)
}

func newModel(t *testing.T, f *fixture, first *Set, seed int64, refusals int) *proxyModel {
	m := &proxyModel{
		deltaClient: f.delta(t, node("edge")), random: rand.New(rand.NewSource(seed)), refusals: refusals,
		cold: map[string]bool{}, serves: map[string]bool{}, routes: map[string]string{}, fail: t.Errorf, first: first,
	}
	for k := range m.have {
		m.have[k] = map[string]string{}
	}
	m.ask(clusters)
	m.ask(listeners)
	return m
}

// run handles responses until the client has all of final, or fails. Once final is there, nothing is refused any more.
func (m *proxyModel) run(final <-chan *Set) {
	var set *Set
	var end <-chan time.Time
	last := func(s *Set) { set, end, final, m.refusals = s, time.After(deadline), nil, 0 }
	for set == nil || !m.is(set) {
		select {
		case s := <-final:
			last(s)
		case r := <-m.got:
			select { // it may be of the last set
			case s := <-final:
				last(s)
			default:
			}
			m.handle(r)
		case err := <-m.deltaClient.end:
			m.fail("stream ended: %v", err)
			return
		case <-end:
			m.fail("did not converge: %v", m.have)
			return
		}
	}
	for _, r := range set.trees[clusters].list() {
		if m.cold[r.name] {
			m.fail("cluster %s warms for ever", r.name)
		}
	}
}

// is tells whether the client has exactly the set.
func (m *proxyModel) is(set *Set) bool {
	for k := range m.have {
		if set.trees[k].len() != len(m.have[k]) {
			return false
		}
		for name, v := range m.have[k] {
			if r := set.trees[k].get(name); r == nil || r.version != v {
				return false
			}
		}
	}
	return true
}

// bad are the resources that the client refuses, by their content: always the same.
func (m *proxyModel) bad(r *discoveryv3.DeltaDiscoveryResponse) (names []string) {
	for _, x := range r.GetResources() {
		if m.first.holds(Key{r.GetTypeUrl(), x.GetName()}, x.GetVersion()) {
			continue // it took this
		}
		h := fnv.New32a()
		io.WriteString(h, r.GetTypeUrl()+x.GetName()+x.GetVersion())
		if m.started && m.refusals > 0 && int(h.Sum32()%uint32(m.refusals)) == 0 {
			names = append(names, x.GetName())
		}
	}
	return names
}

func (m *proxyModel) handle(r *discoveryv3.DeltaDiscoveryResponse) {
	if bad := m.bad(r); len(bad) > 0 {
		words := "it is one of them"
		if len(bad) > 1 { // by name, or in words that name nobody
			words = strings.Join(bad, ": no, ") + ": no"
		}
		m.nack(r, words)
		return
	}
	k, _ := kindOf(r.GetTypeUrl())
	var subscribe, unsubscribe [kinds][]string
	for _, x := range r.GetResources() {
		name := x.GetName()
		_, had := m.have[k][name]
		if _, wanted := m.have[clusters][name]; k == endpoints && !wanted {
			continue // of a cluster that was removed in between
		}
		if _, wanted := m.have[listeners][name]; k == routes && !wanted {
			continue
		}
		switch {
		case k == clusters && !had:
			subscribe[endpoints] = append(subscribe[endpoints], name)
			m.cold[name] = true
		case k == clusters && m.have[k][name] != x.GetVersion():
			m.cold[name] = true
		case k == endpoints:
			delete(m.cold, name)
			m.serves[name] = true
		case k == listeners && !had:
			subscribe[routes] = append(subscribe[routes], name)
		case k == routes:
			var rc routev3.RouteConfiguration
			if err := x.GetResource().UnmarshalTo(&rc); err != nil {
				m.fail("%v", err)
			}
			m.routes[name] = rc.GetVirtualHosts()[0].GetRoutes()[0].GetRoute().GetCluster()
		}
		m.have[k][name] = x.GetVersion()
	}
	for _, name := range r.GetRemovedResources() {
		delete(m.have[k], name)
		switch k {
		case clusters:
			delete(m.serves, name)
			delete(m.cold, name)
			delete(m.have[endpoints], name)
			unsubscribe[endpoints] = append(unsubscribe[endpoints], name)
		case listeners:
			delete(m.routes, name)
			delete(m.have[routes], name)
			unsubscribe[routes] = append(unsubscribe[routes], name)
		}
	}
	m.ack(r)
	for k := range kinds {
		if len(subscribe[k])+len(unsubscribe[k]) > 0 {
			m.send(&discoveryv3.DeltaDiscoveryRequest{
				TypeUrl: typeURLs[k], ResourceNamesSubscribe: subscribe[k], ResourceNamesUnsubscribe: unsubscribe[k],
			})
		}
	}
	m.started = m.started || m.is(m.first)
	for name, to := range m.routes {
		if !m.serves[to] {
			m.fail("refusing 1 in %d: after %q, routes %s lead to %s, which does not serve", m.refusals, describe(r), name, to)
		}
	}
}

// randomSet is a consistent set of some of six upstreams and two listeners.
func randomSet(t *testing.T, r *rand.Rand, edits int) *Set {
	var names []string
	var messages []proto.Message
	for _, name := range strings.Fields("a b c d e f") {
		if r.Intn(2) == 0 || name == "f" && len(names) == 0 {
			names = append(names, name)
			messages = append(messages, upstream(name, r.Intn(edits), 1+r.Intn(edits))...)
		}
	}
	for _, l := range strings.Fields("http https")[:1+r.Intn(2)] {
		messages = append(messages, plain(l, 80+r.Intn(edits)), routing(l, names[r.Intn(len(names))]))
	}
	return snapshot(t, messages...)
}

// TestModel publishes random sets to clients that take and refuse them at random. No route may ever lead to a
// cluster that does not serve, and in the end each client has exactly the last set.
func TestModel(t *testing.T) {
	for seed := range int64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			f := startPatient(t, "tcp", time.Hour)
			random := rand.New(rand.NewSource(seed))
			first := randomSet(t, random, 3)
			f.Publish(map[string]*Set{"edge": first})
			final := make(chan *Set, 3)
			var running sync.WaitGroup
			for i, refusals := range []int{0, 20, 7} {
				m := newModel(t, f, first, seed*10+int64(i), refusals)
				running.Go(func() { m.run(final) })
			}
			eventually(t, "the first set is taken", func() bool {
				return !slices.ContainsFunc(f.Proxies(), func(p Proxy) bool { return p.Snapshot != first.Hash() })
			})
			for range 60 {
				f.Publish(map[string]*Set{"edge": randomSet(t, random, 3)})
				if random.Intn(3) == 0 { // let them come along sometimes
					f.Proxies()
					<-time.After(time.Duration(random.Intn(3)) * time.Millisecond)
				}
			}
			// The last set holds nothing, and lacks nothing, that was refused.
			messages := one(plain("http", 1000), plain("https", 1001), routing("http", "z"), routing("https", "z"))
			for i, name := range strings.Fields("a b c d e f z") {
				messages = append(messages, upstream(name, 1000, 1000+i)...)
			}
			last := snapshot(t, messages...)
			for range cap(final) {
				final <- last
			}
			f.Publish(map[string]*Set{"edge": last})
			running.Wait()
		})
	}
}

// TestPublishersRace publishes from several sides at once; whatever came last is what clients end up with.
func TestPublishersRace(t *testing.T) {
	f := start(t, "tcp")
	f.publish(t, upstream("a", 0, 1)...)
	c := f.delta(t, node("edge"))
	c.ask(clusters)
	var publishers sync.WaitGroup
	for p := range 4 {
		publishers.Go(func() {
			for i := range 50 {
				s, err := setOf(upstream("a", p*100+i, 1)...)
				if err != nil {
					t.Error(err)
					return
				}
				f.Publish(map[string]*Set{"edge": s, fmt.Sprint(p): s})
				f.Proxies()
			}
		})
	}
	done := make(chan struct{})
	go func() { publishers.Wait(); f.publish(t, upstream("a", 999, 1)...); close(done) }()
	want := snapshot(t, upstream("a", 999, 1)...).trees[clusters].get("a").version
	for r := c.next(); ; r = c.next() {
		c.ack(r)
		if slices.Contains(slices.Collect(maps.Values(versions(r))), want) {
			break
		}
	}
	<-done
}
