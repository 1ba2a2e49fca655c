package e2e

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write what the faults came to into docs/reliability.md")

// fault is something that goes wrong under constant load, and what is promised for it.
type fault struct {
	name    string
	promise string
	run     func(t *testing.T) result
}

// result is a row of the table in docs/reliability.md.
type result struct {
	counts
	seen string // what else was measured
}

// faults are all of them, in the order of the document.
var faults = concat(sharedFaults[0], memoryFaults, sharedFaults[1])

// sharedFaults are those that go side by side with others: what the document has before those of memory, and after them.
var sharedFaults = [2][]fault{concat(controlFaults, standbyFaults, wireFaults, nodeFaults, fileFaults, limitFaults), dnsFaults}

func concat(groups ...[]fault) (all []fault) {
	for _, group := range groups {
		all = append(all, group...)
	}
	return all
}

// Each fault, under load. A run by itself: go test -run 'TestFaults/weir_is_killed' ./e2e
func TestFaults(t *testing.T) {
	var mu sync.Mutex
	results := make(map[string]result)
	t.Cleanup(func() { // after the last of the parallel ones
		if *update && !t.Failed() && len(results) == len(faults) {
			writeReliability(t, results)
		}
	})
	run := func(t *testing.T, f fault) {
		r := f.run(t)
		t.Logf("%d requests sent, %d failed; %s", r.sent, r.failed, r.seen)
		mu.Lock()
		defer mu.Unlock()
		results[f.name] = r
	}
	// Answers that nobody reads fill the memory that the kernel has for all sockets: connections of others stand still
	// meanwhile. So these go before everything that is parallel, one by one.
	for _, f := range memoryFaults {
		t.Run(f.name, func(t *testing.T) { run(t, f) })
	}
	t.Parallel()
	for _, f := range concat(sharedFaults[0], sharedFaults[1]) {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			run(t, f)
		})
	}
}

// long says whether `make soak` runs the tests, at their full sizes. `make test` runs all of them too, at sizes that fit
// into minutes.
func long() bool { return os.Getenv("WEIR_E2E_SOAK") != "" }

// size is how much of something there is in `make test`, and in `make soak`.
func size(short, full int) int {
	if long() {
		return full
	}
	return short
}

// reliability is the document, and what stands around its table there.
const (
	reliability = "docs/reliability.md"
	tableBegins = "<!-- The table is written by `make reliability`. -->\n"
	tableEnds   = "<!-- End of the table. -->\n"
)

// writeReliability puts the results into the document.
func writeReliability(t *testing.T, results map[string]result) {
	path := filepath.Join(moduleRoot(), reliability)
	document, err := os.ReadFile(path)
	must(t, err)
	before, rest, found := strings.Cut(string(document), tableBegins)
	_, after, closed := strings.Cut(rest, tableEnds)
	if !found || !closed {
		t.Fatalf("%s does not say where the table goes", reliability)
	}
	table := fmt.Sprintf("A run of %s: %s/%s, %d cores, Envoy 1.40, up to %d requests per second in each row, two rows at a time.\n\n",
		time.Now().UTC().Format("2 January 2006"), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), pressureRate)
	table += "| fault | what is promised | sent | failed | seen |\n|---|---|---|---|---|\n"
	for _, f := range faults {
		r := results[f.name]
		table += fmt.Sprintf("| %s | %s | %d | %d | %s |\n", f.name, f.promise, r.sent, r.failed, r.seen)
	}
	must(t, os.WriteFile(path, []byte(before+tableBegins+table+tableEnds+after), 0o644))
}

// The document lists the faults that are tested, with what is promised for them, and no other.
func TestReliabilityIsDocumented(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile(filepath.Join(moduleRoot(), reliability))
	must(t, err)
	_, rest, _ := strings.Cut(string(document), tableBegins)
	table, _, _ := strings.Cut(rest, tableEnds)
	rows := strings.Count(table, "\n| ") - 1
	if rows != len(faults) {
		t.Errorf("%s has %d rows for %d faults: run \"make reliability\"", reliability, rows, len(faults))
	}
	for _, f := range faults {
		if !strings.Contains(table, fmt.Sprintf("| %s | %s |", f.name, f.promise)) {
			t.Errorf("%s does not say of %q what is promised: run \"make reliability\"", reliability, f.name)
		}
	}
}
