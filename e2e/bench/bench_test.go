package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestBench runs the smallest bench there is, with the real weir and the real Envoy. What it holds is that every figure is
// there and nothing is left over; how fast a busy machine is says nothing.
func TestBench(t *testing.T) {
	weir := filepath.Join(t.TempDir(), "weir")
	if text, err := exec.Command("go", "build", "-o", weir, "github.com/weirproxy/weir/cmd/weir").CombinedOutput(); err != nil {
		t.Fatalf("building weir: %v\n%s", err, text)
	}
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	var stdout, stderr bytes.Buffer
	err := run(t.Context(), []string{
		"-weir", weir, "-envoy", envoyPath(t), "-n", "2", "-edits", "2", "-starts", "1", "-settle", "100ms",
		"-apis", "2,20", "-rounds", "1", "-round", "50ms", "-only", "edit,start,throughput", "-o", "json",
	}, &stdout, &stderr)
	if err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	var r report
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s\n%s", &stderr, &stdout)
	checkEdits(t, r.Edits)
	if len(r.Starts) != 2 {
		t.Fatalf("%d rows of starts, want 2", len(r.Starts))
	}
	for _, row := range r.Starts {
		checkPositive(t, "starts", row.FirstLoad.P50, row.Envoy.P50, row.EnvoyFloor.P50, row.EnvoyStock.P50,
			row.WeirMemory, row.WeirAfter, row.EnvoyMemory, row.FloorMemory)
	}
	if len(r.Throughput) != len(shapes) {
		t.Errorf("%d rows of throughput, want %d", len(r.Throughput), len(shapes))
	}
	for _, row := range r.Throughput {
		checkPositive(t, "throughput", row.FewRate, row.ManyRate, row.Ratio)
	}
	checkPositive(t, "resolution", r.Machine.Resolution)
	left, err := os.ReadDir(temporary)
	if err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

// TestInterrupted: what was started and written is gone then, too.
func TestInterrupted(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := run(ctx, []string{"-weir", "go", "-envoy", envoyPath(t), "-n", "1"}, io.Discard, io.Discard)
	if err == nil || err.Error() != "interrupted" {
		t.Errorf("got %v", err)
	}
	left, err := os.ReadDir(temporary)
	if err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func checkEdits(t *testing.T, rows []editRow) {
	t.Helper()
	if want := 2 * len(edits); len(rows) != want { // two files and one
		t.Fatalf("%d rows of edits, want %d", len(rows), want)
	}
	for _, row := range rows {
		for _, s := range []series{row.Weir, row.Floor, row.Stock} {
			checkPositive(t, row.Edit, s.P50, s.P95, s.Max, s.Down, s.Up)
			if s.Count < 2 {
				t.Errorf("%s: %d edits, want 2", row.Edit, s.Count)
			}
		}
		if row.Edit == "new upstream" {
			continue
		}
		if row.EnvoyFiles == nil {
			t.Errorf("%s: Envoy's own files are missing", row.Edit)
			continue
		}
		checkPositive(t, row.Edit, row.EnvoyFiles.P50)
	}
}

func checkPositive(t *testing.T, what string, figures ...float64) {
	t.Helper()
	for i, v := range figures {
		if v <= 0 {
			t.Errorf("%s: figure %d is %v", what, i, v)
		}
	}
}

// envoyPath is the real Envoy. Without one nothing here can be shown, so the test fails, it is never left out.
func envoyPath(t *testing.T) string {
	t.Helper()
	local, err := filepath.Abs("../../.tools/envoy-1.40.0/envoy")
	if err != nil {
		t.Fatal(err)
	}
	for _, candidate := range []string{os.Getenv("WEIR_ENVOY_PATH"), local, "envoy"} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	t.Fatal(`no Envoy: run "make tools" or set WEIR_ENVOY_PATH`)
	return ""
}

func TestOptions(t *testing.T) {
	for _, test := range []struct{ arguments, want string }{
		{"-n 0", `-n: "0" is not a number`},
		{"-n 1,x", `-n: "x" is not a number`},
		{"-apis 10", "two numbers, few and many"},
		{"-only speed", "-only speed: choose from edit, start, fleet, throughput"},
		{"-o yaml", "-o yaml: text, json or markdown"},
		{"-domains none", "-domains none: each or one"},
		{"-edits 0", "at least 1"},
		{"-weir /nowhere/weir", "-weir: "},
		{"more", `unknown argument "more"`},
	} {
		arguments := append([]string{"-weir", "go", "-envoy", "go"}, strings.Fields(test.arguments)...)
		err := run(t.Context(), arguments, io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", test.arguments, err, test.want)
		}
	}
}

func TestSeries(t *testing.T) {
	var took []time.Duration
	for i := range 100 {
		took = append(took, time.Duration(100-i)*time.Millisecond)
	}
	if got, want := seriesOf(took), (series{Count: 100, P50: 50, P95: 95, Max: 100}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := seriesOf(took[:3]); got.P50 != 99 || got.P95 != 100 {
		t.Errorf("of three: %+v", got)
	}
	if got := seriesOf(nil); got != (series{}) {
		t.Errorf("of none: %+v", got)
	}
}

// What is told in which order, and that only what differs is told.
func TestChange(t *testing.T) {
	cluster, nodes, routes := kindOrder[1], kindOrder[2], kindOrder[5]
	of := func(all ...*resource) resources {
		r := resources{}
		for _, x := range all {
			r[x.key] = x
		}
		return r
	}
	one := func(kind, name, version string) *resource { return &resource{key: key{kind, name}, version: version} }
	before := of(one(cluster, "gone", "1"), one(nodes, "gone", "1"), one(nodes, "same", "1"), one(routes, "r", "1"))
	after := of(one(nodes, "same", "1"), one(routes, "r", "2"), one(nodes, "new", "1"), one(cluster, "new", "1"))
	c := before.changeTo(after)
	var told []string
	for _, r := range c.updated {
		told = append(told, r.kind[strings.LastIndexByte(r.kind, '.')+1:]+" "+r.name)
	}
	for _, k := range c.removed {
		told = append(told, "no "+k.kind[strings.LastIndexByte(k.kind, '.')+1:]+" "+k.name)
	}
	want := "Cluster new, ClusterLoadAssignment new, RouteConfiguration r, no ClusterLoadAssignment gone, no Cluster gone"
	if got := strings.Join(told, ", "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestParseFleet(t *testing.T) {
	rows := parseFleet([]byte(`goos: linux
BenchmarkFleet/1000-2   	       1	 123456789 ns/op	        87.50 ms-to-last	        24.10 kB/proxy	 3 goroutines/proxy
BenchmarkFleetStorm-2   	       1	 123456789 ns/op
PASS
`))
	if len(rows) != 2 || rows[0].Name != "Fleet/1000-2" || rows[0].Remaining != "3 goroutines/proxy" || rows[1].ToLast != nil {
		t.Fatalf("got %+v", rows)
	}
	if *rows[0].ToLast != 87.5 || *rows[0].PerProxy != 24.1 {
		t.Errorf("got %v and %v", *rows[0].ToLast, *rows[0].PerProxy)
	}
}
