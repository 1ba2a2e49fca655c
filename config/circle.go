package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/model"
)

// circles are the redirects from one whole path to another of the same domain and listener, to find those that lead a caller
// around for ever. Only what is certain is among them: GET of the one path is answered with nothing but the way to the
// other, as an exact path goes before all that could match it too.
type circles struct {
	hops   map[route]hop // without conditions
	guards map[route]int // APIs of the path with conditions, which may take a request out of the circle
}

// hop is a redirect.
type hop struct {
	to  route
	api mounting
}

func newCircles() circles { return circles{map[route]hop{}, map[route]int{}} }

// add takes an API in, and returns from where a circle may have been closed.
func (c circles) add(j *lang.Journal, s *service, a *api) []route {
	if !s.mounted || !a.matches || a.model.Path.Kind != model.ExactPath {
		return nil
	}
	spots := spotsOf(s, a)
	for _, at := range spots {
		if hasConditions(a.model) {
			lang.Put(j, c.guards, at, c.guards[at]+1)
		} else if to, leads := target(a, at); leads {
			lang.Put(j, c.hops, at, hop{to, mounting{s, a}})
		}
	}
	return spots
}

// remove takes an API out, and returns from where a circle may have been closed: it may have been the way out of one.
func (c circles) remove(j *lang.Journal, s *service, a *api) []route {
	if !s.mounted || !a.matches || a.model.Path.Kind != model.ExactPath {
		return nil
	}
	spots := spotsOf(s, a)
	for _, at := range spots {
		switch {
		case !hasConditions(a.model):
			if c.hops[at].api.api == a {
				lang.Remove(j, c.hops, at)
			}
		case c.guards[at] > 1:
			lang.Put(j, c.guards, at, c.guards[at]-1)
		default:
			lang.Remove(j, c.guards, at)
		}
	}
	return spots
}

func hasConditions(a *model.API) bool { return len(a.Headers)+len(a.Query) > 0 }

// spotsOf are the places of a whole path, whatever the conditions.
func spotsOf(s *service, a *api) []route {
	spots := routesOf(s, a)
	for i := range spots {
		spots[i].shape = pathShape(a.model.Path)
	}
	return spots
}

// target is the place that an API redirects to, if that is certain and another one: checkRedirect tells of the same. It is not
// where a host is said, as the caller is then sent to the port that goes without saying, which may be another listener's.
func target(a *api, at route) (route, bool) {
	r := a.model.Backend.Redirect
	if r == nil || a.redirect == (hcl.Range{}) || r.Scheme != "" || r.Host != "" || r.Port != 0 || r.Path == "" || r.Path == a.model.Path.Text ||
		!takes(a.model, "GET") || givesCookie(a.model) {
		return route{}, false
	}
	at.shape = pathShape(model.Path{Kind: model.ExactPath, Text: r.Path})
	return at, true
}

// from is the circle that a place leads into, or nil. What was walked is noted, so that no place is left twice.
func (c circles) from(at route, walked map[route]bool) (circle []mounting) {
	var way []route
	for {
		if before, known := walked[at]; known {
			if i := slices.Index(way, at); !before && i >= 0 {
				for _, on := range way[i:] {
					circle = append(circle, c.hops[on].api)
				}
			}
			break
		}
		h, leads := c.hops[at]
		if !leads || c.guards[at] > 0 {
			break
		}
		walked[at] = false // on this way
		way = append(way, at)
		at = h.to
	}
	for _, at := range way {
		walked[at] = true
	}
	return circle
}

// closed tells whether one of the places leads into a circle.
func (c circles) closed(turns []route) bool {
	walked := map[route]bool{}
	return slices.ContainsFunc(turns, func(at route) bool { return c.from(at, walked) != nil })
}

// checkCircles tells of the circles of redirects, at each of these.
func (l *loader) checkCircles() {
	all := newCircles()
	var turns []route
	l.eachAPI(func(s *service, a *api) { turns = append(turns, all.add(nil, s, a)...) })
	walked, told := map[route]bool{}, map[*api]bool{}
	for _, at := range turns {
		circle := all.from(at, walked)
		for i, m := range circle {
			if !told[m.api] {
				told[m.api] = true
				l.reportCircle(at, slices.Concat(circle[i:], circle[:i]))
			}
		}
	}
}

// reportCircle tells of a circle at its first redirect.
func (l *loader) reportCircle(at route, circle []mounting) {
	var names []string
	for _, m := range slices.Concat(circle[1:], circle[:1]) {
		names = append(names, fmt.Sprintf("%s (API %q of service %q, %s)", m.api.model.Path.Text, m.api.model.Name, m.service.model.Name, place(m.api.head)))
	}
	l.report(ruleRedirect, circle[0].api.redirect, "Redirects in a circle",
		"A caller who asks for %s on listener %q of instance %q is sent to %s, for ever. Let one of these redirects lead elsewhere.",
		circle[0].api.model.Path.Text, at.listener, at.instance, strings.Join(names, ", then to "))
}
