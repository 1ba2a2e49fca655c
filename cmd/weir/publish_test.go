package main

import (
	"testing"
	"time"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"

	"github.com/weirproxy/weir/translate"
	"github.com/weirproxy/weir/xds"
)

func snapshot(t *testing.T, listener string) *xds.Set {
	t.Helper()
	s, err := setOf([]translate.Resource{{Message: &listenerv3.Listener{Name: listener}}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAnswersTo(t *testing.T) {
	set, since := snapshot(t, "http"), time.Now()
	types := func(version string, at time.Time) []xds.TypeState {
		return []xds.TypeState{{Type: resource.ListenerType, Refused: &xds.Refused{Version: version, At: at}}}
	}
	version := set.Version(resource.ListenerType)
	for name, test := range map[string]struct {
		proxy                 xds.Proxy
		took, refused, silent int
	}{
		"took it":                {xds.Proxy{Instance: "edge", Snapshot: set.Hash()}, 1, 0, 0},
		"has another":            {xds.Proxy{Instance: "edge", Snapshot: "other"}, 0, 0, 1},
		"has nothing":            {xds.Proxy{Instance: "edge"}, 0, 0, 1},
		"refused it":             {xds.Proxy{Instance: "edge", Types: types(version, since.Add(1))}, 0, 1, 0},
		"refused another":        {xds.Proxy{Instance: "edge", Types: types("other", since.Add(1))}, 0, 0, 1},
		"refused it before":      {xds.Proxy{Instance: "edge", Types: types(version, since.Add(-1))}, 0, 0, 1},
		"of another instance":    {xds.Proxy{Instance: "west", Snapshot: set.Hash()}, 0, 0, 0},
		"its instance was built": {xds.Proxy{Instance: "edge", Unknown: true}, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			a := answersTo(set, "edge", []xds.Proxy{test.proxy}, since)
			if len(a.took) != test.took || len(a.refused) != test.refused || len(a.silent) != test.silent {
				t.Errorf("%+v", a)
			}
		})
	}
}

func TestPublications(t *testing.T) {
	a, b := served{set: snapshot(t, "a")}, served{set: snapshot(t, "b")}
	first := (&publication{instances: map[string]served{"edge": a, "west": a}}).with(nil)
	second := first.with(map[string]served{"edge": b, "east": a})
	if got := second.changed(first); len(got) != 2 || !got["edge"] || !got["east"] {
		t.Errorf("changed %v", got)
	}
	if first.generation == second.generation || first.instances["edge"].set != a.set {
		t.Error("the first publication was changed by the second")
	}
	if back := second.with(map[string]served{"edge": a}); len(back.changed(first)) != 1 || len(back.changed(second)) != 1 {
		t.Errorf("changed %v", back.changed(first))
	}
}
