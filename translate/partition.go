package translate

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/weirproxy/weir/model"
)

// Envoy loads a RouteConfiguration as a whole, on its main thread, at about 9 us a route. So a socket with many APIs is cut
// into parts of at most partSize routes, each a RouteConfiguration of its own, and an edit of a route costs one of them. The
// partition is a pure function of the configuration. It promises that a part's name says which requests are led to it: what
// Envoy still leads to a part by yesterday's index finds there all that today's part of that name is to hold.
//
// A domain of many APIs is cut by path: into what starts with certain bytes ("/orders/4*"), and what starts with a place at
// which such parts begin but with none of them ("/orders/"). A part holds every API that can match one of its paths, as
// prefixes, templates and APIs of every path reach into several parts; where the copies would be many, or would each count
// for a limit by itself, nothing is cut. The
// other domains are grouped, by a hash of their names, so that a new domain changes one group; a group is named by what
// is in it.

// partSize is how many routes a part holds, copies aside, and up to how many a socket is left whole.
const partSize = 100

// maxReach is the share of a part's routes that may be copied into the parts that it is cut into.
const maxReach = 4

// share is what one part holds.
type share struct {
	name  string
	hosts []*domain // of a group, sorted by name; of a share of paths, the one domain
	paths *pathShare
	stays bool // in the index: it is no part of its own

	policies policies // that its APIs need
	part     string   // what its routes are called
}

// need is what the APIs of the share need.
func (s *share) need() policies {
	var p policies
	if s.paths != nil {
		p.add(s.paths.entries)
		return p
	}
	for _, d := range s.hosts {
		p.add(d.entries)
	}
	return p
}

// readFirst reports whether a route says what Envoy takes from the first route that it finds for a request, and from no
// later one (scope.go): what the request may be upgraded to. Such routes stay in the index, with all that are asked together
// with them.
func readFirst(e placed) bool { return e.api.WebSocket }

// pathShare is the requests of one domain whose paths start with the key; of a rest, with no longer key of another share.
type pathShare struct {
	key     string
	rest    bool
	entries []placed
}

// name is the key as it stands in the part's name. Asterisks of the path are doubled, so that the end tells the two kinds
// of share apart.
func (p *pathShare) name() string {
	key := strings.ReplaceAll(p.key, "*", "**")
	if p.rest {
		return key
	}
	return key + "*"
}

// holds reports whether the share holds an API.
func (p *pathShare) holds(e placed) bool {
	switch {
	case len(e.prefix) < len(p.key):
		return reachesBelow(e.api.Path, p.key)
	case p.rest:
		return e.prefix == p.key
	}
	return e.prefix[:len(p.key)] == p.key
}

// reachesBelow reports whether a path whose literal prefix is shorter than the key matches something that starts with it.
func reachesBelow(p model.Path, key string) bool {
	return isEvery(p) || reaches(p, key)
}

// pathShares cuts a domain, whose APIs come sorted by comparePlaced.
func pathShares(entries []placed, size int) []pathShare {
	c := cut{size: size}
	c.at("", "", entries, nil)
	return c.shares
}

// cut is a domain being cut.
type cut struct {
	size   int
	shares []pathShare
}

// at cuts the APIs whose literal prefixes start with the edge, and with key, which is the edge or longer. Above are those
// of shorter prefixes.
func (c *cut) at(edge, key string, own, above []placed) {
	here := 0
	for here < len(own) && own[here].prefix == key {
		here++
	}
	below := byNextByte(own[here:], len(key))
	at := append(reaching(above, key), own[:here]...)
	if len(own) <= c.size || maxReach*len(below)*len(at) > len(own) || slices.ContainsFunc(at, func(e placed) bool { return countsOnce(e, below, len(key)+1) }) {
		c.shares = append(c.shares, pathShare{key: edge, entries: append(reaching(above, edge), own...)})
		return
	}
	c.shares = append(c.shares, pathShare{key: key, rest: true, entries: at})
	for _, own := range below {
		c.at(own[0].prefix[:len(key)+1], commonPrefix(own[0].prefix, own[len(own)-1].prefix), own, at)
	}
}

// countsOnce reports whether an API has a limit that would count in several parts, each by itself: one that matches paths
// below, where each group would be a part.
func countsOnce(e placed, below [][]placed, at int) bool {
	return e.api.RateLimit != nil && slices.ContainsFunc(below, func(group []placed) bool { return reachesBelow(e.api.Path, group[0].prefix[:at]) })
}

// reaching are those that can match a path that starts with the key.
func reaching(above []placed, key string) []placed {
	var out []placed
	for _, e := range above {
		if reachesBelow(e.api.Path, key) {
			out = append(out, e)
		}
	}
	return out
}

// byNextByte divides sorted APIs by the byte of their literal prefixes at a position, which all of them have.
func byNextByte(entries []placed, at int) [][]placed {
	var out [][]placed
	for len(entries) > 0 {
		first := entries[0].prefix[at]
		n := sort.Search(len(entries), func(i int) bool { return entries[i].prefix[at] > first })
		out = append(out, entries[:n:n])
		entries = entries[n:]
	}
	return out
}

func commonPrefix(a, b string) string {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return a[:n]
}

// domainHash orders domains for grouping.
func domainHash(name string) uint64 {
	sum := sha256.Sum256([]byte(name))
	return binary.BigEndian.Uint64(sum[:])
}

// groups puts domains, which come sorted by their hashes, together until they have as many APIs as a part holds: each group
// is those whose hashes start with the same bits.
func groups(domains []*domain, size int) [][]*domain {
	sums := make([]int, len(domains)+1)
	for i, d := range domains {
		sums[i+1] = sums[i] + d.weight()
	}
	var out [][]*domain
	var divide func(from, to, bit int)
	divide = func(from, to, bit int) {
		if from == to {
			return
		}
		if sums[to]-sums[from] <= size || to == from+1 || bit < 0 {
			out = append(out, domains[from:to:to])
			return
		}
		middle := from + sort.Search(to-from, func(i int) bool { return domains[from+i].hash>>bit&1 == 1 })
		divide(from, middle, bit-1)
		divide(middle, to, bit-1)
	}
	divide(0, len(domains), 63)
	return out
}

// groupName names a group by its domains, in no order.
func groupName(domains []*domain) string {
	sum := uint64(0)
	for _, d := range domains {
		sum += d.hash
	}
	return fmt.Sprintf("domains:%016x", sum)
}
