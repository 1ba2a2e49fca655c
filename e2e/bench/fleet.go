package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// fleetWithin bounds the fleet's benchmark.
const fleetWithin = 5 * time.Minute

// fleetRow is one line of the fleet's benchmark: many proxies of one instance in one process.
type fleetRow struct {
	Name      string   `json:"name"`
	ToLast    *float64 `json:"ms_to_last,omitempty"`          // one node's change, until the last proxy has it
	PerProxy  *float64 `json:"kilobytes_per_proxy,omitempty"` // of weir's heap
	Remaining string   `json:"other_metrics,omitempty"`
}

// measureFleet runs BenchmarkFleet of the package xds, which speaks of what cannot be seen from outside: the heap per
// proxy. Its lines carry the metrics "ms-to-last" and "kB/proxy".
func (b *bench) measureFleet(ctx context.Context, r *report) error {
	b.say("fleet: go test -bench BenchmarkFleet ./xds")
	ctx, cancel := context.WithTimeout(ctx, fleetWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^BenchmarkFleet", "-benchtime", "1x", "-count", "1", "./xds")
	cmd.Dir = b.module
	cmd.WaitDelay = time.Second
	text, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		r.Notes = append(r.Notes, "fleet: not measured, there is no go command")
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w\n%s", err, text)
	}
	r.Fleet = parseFleet(text)
	if len(r.Fleet) == 0 {
		r.Notes = append(r.Notes, "fleet: not measured, the package xds has no BenchmarkFleet")
	}
	return nil
}

// parseFleet reads lines such as "BenchmarkFleet/1000-2  1  123456 ns/op  87.5 ms-to-last  24.1 kB/proxy".
func parseFleet(text []byte) []fleetRow {
	var rows []fleetRow
	for line := range bytes.Lines(text) {
		fields := strings.Fields(string(line))
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "BenchmarkFleet") {
			continue
		}
		row := fleetRow{Name: strings.TrimPrefix(fields[0], "Benchmark")}
		var others []string
		for i := 2; i+1 < len(fields); i += 2 {
			value, err := strconv.ParseFloat(fields[i], 64)
			switch {
			case err != nil:
			case fields[i+1] == "ms-to-last":
				row.ToLast = &value
			case fields[i+1] == "kB/proxy":
				row.PerProxy = &value
			case fields[i+1] != "ns/op":
				others = append(others, fields[i]+" "+fields[i+1])
			}
		}
		row.Remaining = strings.Join(others, ", ")
		rows = append(rows, row)
	}
	return rows
}
