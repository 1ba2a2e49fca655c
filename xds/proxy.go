package xds

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
)

// Bounds on what a client's words may take of our memory.
const (
	maxMessage  = 8 << 10
	maxIdentity = 256
)

// Proxy is an Envoy, or another xDS client, that is connected; or one that asked for an instance that is not there.
type Proxy struct {
	Node        string    // node.id
	Instance    string    // node.cluster
	Unknown     bool      // there is no such instance: it is refused again and again
	Address     string    // host:port, or "unix"
	UserAgent   string    // "envoy 1.40.0", as far as the client tells
	Admin       string    // host:port of its own admin API, as its node's metadata says; "" where it says none
	ConnectedAt time.Time // of an unknown one: when it asked first
	Snapshot    string    // hash of the last set that it took wholly, "" for none yet
	Good        *Set      // what it is put back to when it refuses a set; nil: nothing yet
	Wanted      string    // hash of the set that is published for its instance
	Types       []TypeState
}

// TypeState is how far a proxy is with one resource type that it asked for.
type TypeState struct {
	Type         string   // type URL
	Sent         string   // version sent last, or found to be there
	Acknowledged string   // version acknowledged last
	Refused      *Refused // nil unless something that is published is kept from the proxy because it refused it
}

// Refused is what a proxy did not take of a set.
type Refused struct {
	Version   string // of the type in that set
	Set       string // hash of that set
	Nonce     string
	Message   string      // the proxy's own words
	Resources []*Resource // the culprits
	At        time.Time
}

// Refusal is a Refused with its proxy.
type Refusal struct {
	Node, Instance string
	Type           string // type URL
	Version        string // of the type in the refused set
	Set            string // hash of the refused set
	Message        string
	Resources      []*Resource // the culprits, as they are published now where they still are
	At             time.Time
}

// identity is what we keep of a node.
type identity struct {
	id, cluster, agent, admin string
	standby                   bool
}

// adminMetadata is where a node says in its metadata how its admin API is reached.
const adminMetadata = "weir.admin_address"

func identityOf(n *corev3.Node) identity {
	agent := n.GetUserAgentName()
	if v := n.GetUserAgentBuildVersion().GetVersion(); v != nil {
		agent += fmt.Sprintf(" %d.%d.%d", v.GetMajorNumber(), v.GetMinorNumber(), v.GetPatch())
	} else if v := n.GetUserAgentVersion(); v != "" {
		agent += " " + v
	}
	return identity{
		id: clip(n.GetId(), maxIdentity), cluster: clip(n.GetCluster(), maxIdentity),
		agent:   clip(strings.TrimSpace(agent), maxIdentity),
		admin:   clip(n.GetMetadata().GetFields()[adminMetadata].GetStringValue(), maxIdentity),
		standby: n.GetMetadata().GetFields()[standbyMetadata].GetBoolValue(),
	}
}

// clip shortens s to n bytes at most, without cutting a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// addressOf is a peer's address for people.
func addressOf(a net.Addr) string {
	switch {
	case a == nil:
		return ""
	case a.Network() == "unix":
		return "unix"
	}
	return a.String()
}

// show brings the view up to date.
func (s *stream) show() {
	if s.instance == nil {
		return
	}
	p := &Proxy{
		Node: s.node.id, Instance: s.node.cluster, Address: addressOf(s.address), UserAgent: s.node.agent, Admin: s.node.admin,
		ConnectedAt: s.started, Snapshot: s.live, Good: s.good, Wanted: s.instance.current.Load().hash,
	}
	for k, w := range s.watches {
		if w != nil {
			p.Types = append(p.Types, TypeState{
				Type: typeURLs[k], Sent: w.sent, Acknowledged: w.acknowledged, Refused: w.refusal,
			})
		}
	}
	s.view.Store(p)
}

// client identifies an Envoy over all of its streams: it has one connection.
type client struct {
	address       net.Addr
	node, cluster string
}

// Proxies describes all clients but followers, sorted by instance, node and address. One that uses the separate services is one entry.
func (s *Server) Proxies() []Proxy {
	s.mu.Lock()
	out := s.strangers.list(time.Now())
	s.mu.Unlock()
	streams := s.streams()
	at := map[client]int{}
	for _, x := range streams {
		view := x.view.Load()
		if view == nil || x.node.standby { // nil: its first request is being looked at
			continue
		}
		p := *view
		p.Types = slices.Clone(p.Types)
		c := client{x.address, p.Node, p.Instance}
		if i, ok := at[c]; ok {
			merge(&out[i], p)
			continue
		}
		at[c] = len(out)
		out = append(out, p)
	}
	sortProxies(out)
	return out
}

func sortProxies(all []Proxy) {
	slices.SortStableFunc(all, func(a, b Proxy) int {
		return cmp.Or(cmp.Compare(a.Instance, b.Instance), cmp.Compare(a.Node, b.Node), cmp.Compare(a.Address, b.Address))
	})
}

// merge adds a further stream of the same client to p.
func merge(p *Proxy, more Proxy) {
	if p.Snapshot != more.Snapshot {
		p.Snapshot = ""
	}
	if p.Good != more.Good {
		p.Good = nil
	}
	for _, t := range more.Types {
		i := slices.IndexFunc(p.Types, func(x TypeState) bool { return x.Type == t.Type })
		switch {
		case i < 0:
			p.Types = append(p.Types, t)
		case p.Types[i].Refused == nil:
			p.Types[i] = t
		}
	}
}

// Strangers are clients that ask for an instance that is not there.
const (
	maxStrangers   = 100
	strangerMemory = time.Minute // Envoy comes back within seconds
)

type stranger struct {
	identity
	address     string
	first, last time.Time
}

// strangers keeps the last ones, by node and instance.
type strangers map[identity]*stranger

// note takes one in and tells whether it is new.
func (all strangers) note(n identity, address string, now time.Time) bool {
	all.expire(now)
	if x := all[n]; x != nil {
		x.last, x.address = now, address
		return false
	}
	if len(all) >= maxStrangers {
		var oldest *stranger
		for _, x := range all {
			if oldest == nil || x.last.Before(oldest.last) {
				oldest = x
			}
		}
		delete(all, oldest.identity)
	}
	all[n] = &stranger{identity: n, address: address, first: now, last: now}
	return true
}

func (all strangers) expire(now time.Time) {
	for n, x := range all {
		if now.Sub(x.last) > strangerMemory {
			delete(all, n)
		}
	}
}

func (all strangers) list(now time.Time) []Proxy {
	all.expire(now)
	var out []Proxy
	for _, x := range all {
		out = append(out, Proxy{
			Node: x.id, Instance: x.cluster, Unknown: true, Address: x.address, UserAgent: x.agent, ConnectedAt: x.first,
		})
	}
	return out
}
