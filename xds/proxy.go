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
	Types       []TypeState
}

// TypeState is how far a proxy is with one resource type that it asked for.
type TypeState struct {
	Type         string   // type URL
	Sent         string   // version sent last, or found to be there
	Acknowledged string   // version acknowledged last
	Refused      *Refused // nil unless the proxy refuses something now
}

// Refused is a response that a proxy did not take.
type Refused struct {
	Version   string
	Nonce     string
	Message   string   // the proxy's own words
	Resources []string // those that the message names, else all that the response held
	At        time.Time
}

// Refusal is a Refused with its proxy.
type Refusal struct {
	Node, Instance string
	Type           string // type URL
	Version        string
	Message        string
	Resources      []string
	At             time.Time
}

// identity is what we keep of a node.
type identity struct{ id, cluster, agent, admin string }

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
		agent: clip(strings.TrimSpace(agent), maxIdentity),
		admin: clip(n.GetMetadata().GetFields()[adminMetadata].GetStringValue(), maxIdentity),
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

// culprits are the resources of o that a refusal names, else all of them.
func culprits(message string, o *offer) []string {
	var all, named []string
	for _, e := range o.changed {
		all = append(all, e.name)
		if mentions(message, e.name) {
			named = append(named, e.name)
		}
	}
	if len(named) > 0 {
		return named
	}
	return append(all, o.removed...)
}

// mentions tells whether a message holds a name that does not go on, in either direction, as a longer name.
func mentions(message, name string) bool {
	for from := 0; ; {
		i := strings.Index(message[from:], name)
		if i < 0 {
			return false
		}
		start, end := from+i, from+i+len(name)
		if (start == 0 || !inName(message[start-1])) && (end == len(message) || !inName(message[end])) {
			return true
		}
		from = start + 1
	}
}

func inName(c byte) bool {
	return c == '_' || c == '/' || c == '-' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// proxy describes the stream's client.
func (s *session) proxy() Proxy {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := Proxy{
		Node: s.node.id, Instance: s.node.cluster, Address: addressOf(s.address), UserAgent: s.node.agent, Admin: s.node.admin,
		ConnectedAt: s.started, Snapshot: s.live,
	}
	for _, w := range s.watches {
		if w != nil {
			p.Types = append(p.Types, TypeState{
				Type: typeURLs[w.kind], Sent: w.sent, Acknowledged: w.acknowledged, Refused: w.refusal,
			})
		}
	}
	return p
}

// client identifies an Envoy over all of its streams: it has one connection.
type client struct {
	address       net.Addr
	node, cluster string
}

// Proxies describes all clients, sorted by instance, node and address. One that uses the separate services is one entry.
func (s *Server) Proxies() []Proxy {
	s.mu.Lock()
	var streams []*session
	for _, in := range s.instances {
		for x := range in.sessions {
			streams = append(streams, x)
		}
	}
	out := s.strangers.list(time.Now())
	s.mu.Unlock()

	slices.SortFunc(streams, func(a, b *session) int { return a.started.Compare(b.started) })
	at := map[client]int{}
	for _, x := range streams {
		p := x.proxy()
		c := client{x.address, p.Node, p.Instance}
		if i, ok := at[c]; ok {
			merge(&out[i], p)
			continue
		}
		at[c] = len(out)
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b Proxy) int {
		return cmp.Or(cmp.Compare(a.Instance, b.Instance), cmp.Compare(a.Node, b.Node), cmp.Compare(a.Address, b.Address))
	})
	return out
}

// merge adds a further stream of the same client to p.
func merge(p *Proxy, more Proxy) {
	if p.Snapshot != more.Snapshot {
		p.Snapshot = ""
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
