package main

import (
	"testing"
	"time"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"

	"github.com/weirproxy/weir/model"
	"github.com/weirproxy/weir/translate"
	"github.com/weirproxy/weir/xds"
)

func setOf(t *testing.T, listener string) *xds.Set {
	t.Helper()
	s, err := apply(nil, translate.Delta{Changed: []translate.Resource{{Message: &listenerv3.Listener{Name: listener}}}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAnswersTo(t *testing.T) {
	set, other := setOf(t, "http"), setOf(t, "other")
	refusing := func(s *xds.Set) []xds.TypeState {
		r := s.Get(xds.Key{Type: resource.ListenerType, Name: "http"})
		if r == nil {
			r = s.Get(xds.Key{Type: resource.ListenerType, Name: "other"})
		}
		return []xds.TypeState{{Type: resource.ListenerType, Refused: &xds.Refused{Message: "no", Resources: []*xds.Resource{r}}}}
	}
	p := &publication{sets: map[string]*xds.Set{"edge": set}}
	for name, test := range map[string]struct {
		proxy                 xds.Proxy
		again                 map[string]time.Time
		took, refused, silent int
	}{
		"took it":                {xds.Proxy{Instance: "edge", Snapshot: set.Hash()}, nil, 1, 0, 0},
		"has another":            {xds.Proxy{Instance: "edge", Snapshot: other.Hash()}, nil, 0, 0, 1},
		"has nothing":            {xds.Proxy{Instance: "edge"}, nil, 0, 0, 1},
		"refuses it":             {xds.Proxy{Instance: "edge", Snapshot: other.Hash(), Types: refusing(set)}, nil, 0, 1, 0},
		"is asked again":         {xds.Proxy{Instance: "edge", Types: refusing(set)}, map[string]time.Time{"edge": time.Now()}, 0, 0, 1},
		"refused another":        {xds.Proxy{Instance: "edge", Types: refusing(other)}, nil, 0, 0, 1},
		"of another instance":    {xds.Proxy{Instance: "west", Snapshot: set.Hash()}, nil, 0, 0, 0},
		"its instance was built": {xds.Proxy{Instance: "edge", Unknown: true}, nil, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			v := answersTo(p, []xds.Proxy{test.proxy, test.proxy}, test.again)["edge"]
			if v.took != 2*test.took || len(v.refused) != 2*test.refused || v.silent != 2*test.silent || len(v.refusals) != test.refused {
				t.Errorf("%+v", v)
			}
		})
	}
}

func TestPublications(t *testing.T) {
	a, b := setOf(t, "a"), setOf(t, "b")
	first := (&publication{sets: map[string]*xds.Set{"edge": a, "west": a}}).with(nil)
	second := first.with(map[string]*xds.Set{"edge": b, "east": a})
	if got := second.changed(first); len(got) != 2 || !got["edge"] || !got["east"] {
		t.Errorf("changed %v", got)
	}
	if first.generation == second.generation || first.sets["edge"] != a {
		t.Error("the first publication was changed by the second")
	}
	if back := second.with(map[string]*xds.Set{"edge": a}); len(back.changed(first)) != 1 || len(back.changed(second)) != 1 {
		t.Errorf("changed %v", back.changed(first))
	}
}

// However a publisher came to a configuration, it is the same generation.
func TestPublisherForgetsNothing(t *testing.T) {
	edge := &model.Instance{Name: "edge", Type: model.Shared, Listeners: map[string]*model.Listener{"http": {Name: "http", Port: 80}}}
	service := func(body string) *model.Configuration {
		return &model.Configuration{
			Instances: map[string]*model.Instance{"edge": edge},
			Services: map[string]*model.Service{"shop": {Name: "shop", Instance: "edge", Listeners: []string{"http"}, APIs: map[string]*model.API{
				"ping": {Name: "ping", Backend: model.Backend{Mock: &model.Mock{Status: 200, Body: body}}},
			}}},
		}
	}
	var m publisher
	generations := map[string]string{}
	for _, body := range []string{"one", "two", "one", "two"} {
		p, err := m.publication(service(body), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if was := generations[body]; was != "" && was != p.generation {
			t.Errorf("%s is generation %s, and was %s", body, p.generation, was)
		}
		generations[body] = p.generation
	}
	gone, err := m.publication(&model.Configuration{}, time.Now())
	if err != nil || len(gone.sets) != 0 || len(generations) != 2 || generations["one"] == generations["two"] {
		t.Errorf("%v, %v: %+v", generations, err, gone)
	}
}

// What was said of certificates' dates is said anew when a date passes, whichever way the clock goes.
func TestOutlived(t *testing.T) {
	from, to := time.Unix(1000, 0), time.Unix(2000, 0)
	for name, test := range map[string]struct {
		since, until, now time.Time
		want              bool
	}{
		"no dates":             {now: from},
		"between":              {from, to, from.Add(1), false},
		"at the end":           {from, to, to, true},
		"the clock went back":  {from, to, from.Add(-1), true},
		"nothing before":       {time.Time{}, to, time.Unix(0, 0), false},
		"nothing afterwards":   {from, time.Time{}, to.AddDate(100, 0, 0), false},
		"a long time has gone": {from, to, to.AddDate(100, 0, 0), true},
	} {
		d := &loader{since: test.since, until: test.until}
		if got := d.outlived(test.now); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
