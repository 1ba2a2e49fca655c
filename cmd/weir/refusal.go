package main

import (
	"slices"
	"strings"
	"sync"

	"github.com/weirproxy/weir/model"
	"github.com/weirproxy/weir/translate"
	"github.com/weirproxy/weir/xds"
)

// refusalQueue takes refusals from the goroutines of streams, which must not wait for a loop that is loading.
type refusalQueue struct {
	ready chan struct{} // has a value when there is something to take
	mu    sync.Mutex
	list  []xds.Refusal
}

func newRefusalQueue() *refusalQueue { return &refusalQueue{ready: make(chan struct{}, 1)} }

func (q *refusalQueue) add(r xds.Refusal) {
	q.mu.Lock()
	q.list = append(q.list, r)
	q.mu.Unlock()
	select {
	case q.ready <- struct{}{}:
	default: // the loop has been told
	}
}

func (q *refusalQueue) take() []xds.Refusal {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := q.list
	q.list = nil
	return list
}

// blame finds the block that Envoy's words are about: that of the longest name that stands in them. The refused
// resources count first, then others ("unknown cluster 'upstream/orders'" is said about a route), then APIs, which are
// routes inside of a resource. Where no name is found and only one resource was refused, it is that one's.
//
// typeURL may be empty for any type, and refused for all names of it.
func blame(typeURL string, refused []string, words string, resources []placed, c *model.Configuration) model.Place {
	var own, others []named
	for _, r := range resources {
		n := named{r.name, r.place}
		if r.typeURL == typeURL && (len(refused) == 0 || slices.Contains(refused, r.name)) {
			own = append(own, n)
		} else {
			others = append(others, n)
		}
	}
	for _, candidates := range [][]named{own, others, apisOf(c)} {
		if place, ok := longestNamed(words, candidates); ok {
			return place
		}
	}
	if len(own) == 1 {
		return own[0].place
	}
	return model.Place{}
}

// placed is a resource and where it comes from.
type placed struct {
	typeURL, name string
	place         model.Place
}

func placesOf(resources []translate.Resource) []placed {
	all := make([]placed, len(resources))
	for i, r := range resources {
		all[i] = placed{r.Type, r.Name, r.Place}
	}
	return all
}

// named is a name that Envoy may say, and where it stands.
type named struct {
	name  string
	place model.Place
}

func apisOf(c *model.Configuration) []named {
	var all []named
	if c == nil {
		return nil
	}
	for _, s := range c.Services {
		for _, a := range s.APIs {
			all = append(all, named{s.Name + "/" + a.Name, a.Place})
		}
	}
	return all
}

func longestNamed(words string, candidates []named) (place model.Place, ok bool) {
	longest := 0
	for _, n := range candidates {
		if len(n.name) > longest && !n.place.IsZero() && containsName(words, n.name) {
			longest, place = len(n.name), n.place
		}
	}
	return place, longest > 0
}

// containsName looks for the name between characters that no name holds, so that "upstream/orders" is not found in
// "upstream/orders_old".
func containsName(words, name string) bool {
	for from := 0; ; {
		i := strings.Index(words[from:], name)
		if i < 0 || name == "" {
			return false
		}
		start, end := from+i, from+i+len(name)
		if (start == 0 || !inName(words[start-1])) && (end == len(words) || !inName(words[end])) {
			return true
		}
		from = start + 1
	}
}

func inName(c byte) bool {
	return c == '_' || c == '/' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
