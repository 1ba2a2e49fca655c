package main

import (
	"bytes"
	"strings"
	"testing"
)

// sample is a report of 10,000 upstreams in which each other goal is met.
func sample() *report {
	r := new(report)
	of := func(node, route, added float64) measured {
		return measured{edits: map[string]series{"node": {P50: node, Down: 300, Odd: 1}, "route": {P50: route}, "new upstream": {P50: added}}}
	}
	floor, stock, files := of(2, 3, 4), of(200, 300, 400), of(1, 1, 1)
	delete(files.edits, "new upstream")
	weir := of(11, 34, 33)
	weir.first, weir.memory.weir = series{P50: 2600}, 249e6
	r.add(layout{upstreams: 10000, files: 100}, weir, floor, stock, files)
	r.add(layout{upstreams: 10000, files: 1}, of(43, 50, 60), floor, stock, files)
	ms, kB := 499.0, 1000.0
	r.Fleet = []fleetRow{{Name: "Fleet", ToLast: &ms, PerProxy: &kB}}
	r.Throughput = []throughputRow{
		{Shape: "exact paths", Few: 10, Many: 10000, Ratio: 0.9}, {Shape: "template paths", Ratio: 0.89}, {Ratio: 0.9}, {Ratio: 0.9}, {Shape: "list", Ratio: 0.1},
	}
	r.judge()
	return r
}

func TestGoals(t *testing.T) {
	want := []struct {
		what string
		met  bool
	}{
		{"edit of a node, over the floor, 10000 upstreams in 100 files", true},
		{"edit of a route, to that of a node, 10000 upstreams in 100 files", false},
		{"edit of a new upstream, to that of a node, 10000 upstreams in 100 files", true},
		{"edit of a node, over the floor, 10000 upstreams in one file", false},
		{"first load of weir, 10000 upstreams in 100 files", false},
		{"weir's memory, 10000 upstreams in 100 files", true},
		{"Fleet: the last proxy has the change", true},
		{"Fleet: memory for each proxy", false},
		{"requests per second, 10000 APIs to 10, exact paths", true},
		{"requests per second, 0 APIs to 0, template paths", false},
		{"requests per second, 0 APIs to 0, ", true},
		{"requests per second, 0 APIs to 0, ", true},
	}
	got := sample().Goals
	if len(got) != len(want) {
		t.Fatalf("%d goals, want %d: %+v", len(got), len(want), got)
	}
	for i, w := range want {
		if got[i].What != w.what || got[i].Met != w.met {
			t.Errorf("got %+v, want %+v", got[i], w)
		}
	}
}

func TestFormats(t *testing.T) {
	for format, want := range map[string][]string{
		"text": {"SAVE TO FIRST REQUEST THAT SHOWS IT", "10000      100    node          0      11.0", "2.00 (5.50x)", "200 (0.06x)",
			"1 answers belong neither before nor after"},
		"markdown": {"### Goals\n", "| 10000 | 100 | node | 0 | 11.0 | 0.00 | 0.00 | 2.00 (5.50x) |",
			"| first load of weir, 10000 upstreams in 100 files | at most 2.5 s | 2.60 s | no |"},
		"json": {`"p50_ms": 11,`, `"what": "weir's memory, 10000 upstreams in 100 files"`},
	} {
		var out bytes.Buffer
		if err := sample().write(&out, format); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(out.String(), w) {
				t.Errorf("%s: there is no %q in\n%s", format, w, &out)
			}
		}
	}
}
