package main

import "fmt"

// goal is a figure that the project has set itself, at 10,000 upstreams on a quiet machine.
type goal struct {
	What  string  `json:"what"`
	Most  bool    `json:"-"` // the limit is the most, else the least
	Limit float64 `json:"limit"`
	Unit  string  `json:"unit,omitempty"`
	Value float64 `json:"value"`
	Met   bool    `json:"met"`
}

// The goals. Sizes that are not measured have none.
const (
	goalSize       = 10_000
	goalNode       = 10.0  // ms over the floor
	goalNodeOne    = 40.0  // the same, all in one file
	goalOther      = 3.0   // times a node's edit
	goalLoad       = 2.5   // s
	goalMemory     = 250.0 // MB
	goalFleet      = 500.0 // ms
	goalPerProxy   = 100.0 // kB: tens of them
	goalThroughput = 0.9
)

// judge compares what was measured with the goals.
func (r *report) judge() {
	node := map[int]float64{} // by the number of files
	for _, row := range r.Edits {
		if row.Upstreams == goalSize {
			r.judgeEdit(row, node)
		}
	}
	for _, row := range r.Starts {
		if row.Upstreams == goalSize && row.Files > 1 {
			r.atMost(fmt.Sprintf("first load of weir, %d upstreams in %d files", row.Upstreams, row.Files), goalLoad, "s", row.FirstLoad.P50/1000)
			r.atMost(fmt.Sprintf("weir's memory, %d upstreams in %d files", row.Upstreams, row.Files), goalMemory, "MB", row.WeirMemory/1e6)
		}
	}
	for _, row := range r.Fleet {
		if row.ToLast != nil {
			r.atMost(row.Name+": the last proxy has the change", goalFleet, "ms", *row.ToLast)
		}
		if row.PerProxy != nil {
			r.atMost(row.Name+": memory for each proxy", goalPerProxy, "kB", *row.PerProxy)
		}
	}
	for i, row := range r.Throughput {
		if shapes[i].most == 0 {
			g := goal{What: fmt.Sprintf("requests per second, %d APIs to %d, %s", row.Many, row.Few, row.Shape), Limit: goalThroughput, Value: row.Ratio}
			g.Met = g.Value >= g.Limit
			r.Goals = append(r.Goals, g)
		}
	}
}

func (r *report) judgeEdit(row editRow, node map[int]float64) {
	where := fmt.Sprintf("%d upstreams in %d files", row.Upstreams, row.Files)
	switch {
	case row.Edit == edits[0].name && row.Files > 1:
		r.atMost("edit of a node, over the floor, "+where, goalNode, "ms", row.Weir.P50-row.Floor.P50)
	case row.Edit == edits[0].name:
		r.atMost(fmt.Sprintf("edit of a node, over the floor, %d upstreams in one file", row.Upstreams), goalNodeOne, "ms", row.Weir.P50-row.Floor.P50)
	case row.Files > 1:
		r.atMost("edit of a "+row.Edit+", to that of a node, "+where, goalOther, "x", ratio(row.Weir.P50, node[row.Files]))
	}
	if row.Edit == edits[0].name {
		node[row.Files] = row.Weir.P50
	}
}

func (r *report) atMost(what string, limit float64, unit string, value float64) {
	r.Goals = append(r.Goals, goal{What: what, Most: true, Limit: limit, Unit: unit, Value: value, Met: value <= limit})
}

// ratio is a over b; 0 where there is nothing to compare with.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
