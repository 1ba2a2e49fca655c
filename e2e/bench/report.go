package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// report is all that was measured.
type report struct {
	Machine    machine         `json:"machine"`
	Edits      []editRow       `json:"edits,omitempty"`
	Starts     []startRow      `json:"starts,omitempty"`
	Fleet      []fleetRow      `json:"fleet,omitempty"`
	Throughput []throughputRow `json:"throughput,omitempty"`
	Goals      []goal          `json:"goals,omitempty"`
	Notes      []string        `json:"notes,omitempty"`
}

// machine is what the figures depend on.
type machine struct {
	At         time.Time `json:"at"`
	System     string    `json:"system"`
	Cores      int       `json:"cores"`
	Load       string    `json:"load_before,omitempty"` // of the last minute before the run
	Go         string    `json:"go"`
	Envoy      string    `json:"envoy,omitempty"`
	Domains    string    `json:"domains"`
	Resolution float64   `json:"resolution_ms"` // how long one request of the probe took
	Seconds    float64   `json:"seconds"`
}

// editRow is one kind of edit at one size.
type editRow struct {
	Upstreams  int     `json:"upstreams"`
	Files      int     `json:"files"`
	Edit       string  `json:"edit"`
	Weir       series  `json:"weir"`
	Floor      series  `json:"floor"`
	Stock      series  `json:"snapshot_cache"`
	EnvoyFiles *series `json:"envoy_files,omitempty"`
}

// startRow is what starting at one size takes, in time and memory.
type startRow struct {
	Upstreams   int     `json:"upstreams"`
	Files       int     `json:"files"`
	FirstLoad   series  `json:"weir_first_load"`
	Envoy       series  `json:"envoy_on_weir"`
	EnvoyFloor  series  `json:"envoy_on_floor"`
	EnvoyStock  series  `json:"envoy_on_snapshot_cache"`
	WeirMemory  float64 `json:"weir_bytes"`
	WeirAfter   float64 `json:"weir_bytes_after_edits,omitempty"`
	EnvoyMemory float64 `json:"envoy_bytes"`
	FloorMemory float64 `json:"envoy_on_floor_bytes"`
}

// add notes what was measured with one layout, beside the floors of its size.
func (r *report) add(l layout, weir, floor, stock, files measured) {
	for _, e := range edits {
		s, ok := weir.edits[e.name]
		if !ok {
			continue
		}
		row := editRow{Upstreams: l.upstreams, Files: l.files, Edit: e.name, Weir: s, Floor: floor.edits[e.name], Stock: stock.edits[e.name]}
		if s, ok := files.edits[e.name]; ok {
			row.EnvoyFiles = &s
		}
		r.Edits = append(r.Edits, row)
		if s.Odd > 0 {
			r.Notes = append(r.Notes, fmt.Sprintf("%d upstreams in %d files, edits of a %s: %d answers belong neither before nor after the edit", l.upstreams, l.files, e.name, s.Odd))
		}
	}
	if weir.memory.weir > 0 {
		r.Starts = append(r.Starts, startRow{
			Upstreams: l.upstreams, Files: l.files, FirstLoad: weir.first, Envoy: weir.envoy,
			EnvoyFloor: floor.envoy, EnvoyStock: stock.envoy, WeirMemory: weir.memory.weir,
			WeirAfter: weir.memory.after, EnvoyMemory: weir.memory.envoy, FloorMemory: floor.memory.envoy,
		})
	}
}

// write writes the report in one of the formats.
func (r *report) write(w io.Writer, format string) error {
	switch format {
	case "json":
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	case "markdown":
		return writeMarkdown(w, r.tables())
	default:
		return writeText(w, r.tables())
	}
}
