package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// table is a part of the report as people read it.
type table struct {
	title, note string
	header      []string
	rows        [][]string
}

// tables are the report's, those that have rows.
func (r *report) tables() []table {
	var all []table
	for _, t := range []table{r.machineTable(), r.editTable(), r.bytesTable(), r.startTable(), r.memoryTable(), r.throughputTable(), r.fleetTable(), r.goalTable(), r.noteTable()} {
		if len(t.rows) > 0 {
			all = append(all, t)
		}
	}
	return all
}

func (r *report) machineTable() table {
	m := r.Machine
	t := table{title: "Run", header: []string{"", ""}}
	t.rows = [][]string{
		{"when", m.At.Format("2006-01-02 15:04 MST") + fmt.Sprintf(", %.0f s", m.Seconds)},
		{"machine", fmt.Sprintf("%s, %d cores, load before the run %s", m.System, m.Cores, dash(m.Load))},
		{"versions", fmt.Sprintf("Envoy %s, %s", dash(m.Envoy), m.Go)},
		{"domains", m.Domains},
	}
	if m.Resolution > 0 {
		t.rows = append(t.rows, []string{"resolution", fmt.Sprintf("%.2f ms: one request of the probe", m.Resolution)})
	}
	return t
}

func (r *report) editTable() table {
	t := table{
		title:  "Save to first request that shows it",
		note:   "Milliseconds. In brackets: weir's median over the floor's.",
		header: []string{"upstreams", "files", "edit", "edits", "weir p50", "p95", "max", "smallest server", "SnapshotCache", "Envoy's own files"},
	}
	for _, row := range r.Edits {
		own := "-"
		if row.EnvoyFiles != nil {
			own = beside(row.Weir.P50, row.EnvoyFiles.P50)
		}
		t.rows = append(t.rows, []string{
			fmt.Sprint(row.Upstreams), fmt.Sprint(row.Files), row.Edit, fmt.Sprint(row.Weir.Count),
			number(row.Weir.P50), number(row.Weir.P95), number(row.Weir.Max),
			beside(row.Weir.P50, row.Floor.P50), beside(row.Weir.P50, row.Stock.P50), own,
		})
	}
	return t
}

func (r *report) bytesTable() table {
	t := table{
		title:  "Bytes on the stream for one edit",
		note:   "Median, to Envoy + from Envoy, with the framing of HTTP/2. In brackets: weir's over the floor's, to Envoy.",
		header: []string{"upstreams", "files", "edit", "weir", "smallest server", "SnapshotCache"},
	}
	for _, row := range r.Edits {
		t.rows = append(t.rows, []string{
			fmt.Sprint(row.Upstreams), fmt.Sprint(row.Files), row.Edit, bytesOf(row.Weir),
			bytesOf(row.Floor) + times(row.Weir.Down, row.Floor.Down), bytesOf(row.Stock) + times(row.Weir.Down, row.Stock.Down),
		})
	}
	return t
}

func bytesOf(s series) string { return fmt.Sprintf("%.0f + %.0f", s.Down, s.Up) }

func (r *report) startTable() table {
	t := table{
		title:  "Start",
		note:   "Milliseconds, median: of weir until it has loaded, of Envoy until its first answer. In brackets: on weir over on the floor.",
		header: []string{"upstreams", "files", "weir", "Envoy on weir", "on the smallest server", "on SnapshotCache"},
	}
	for _, row := range r.Starts {
		t.rows = append(t.rows, []string{
			fmt.Sprint(row.Upstreams), fmt.Sprint(row.Files), number(row.FirstLoad.P50), number(row.Envoy.P50),
			beside(row.Envoy.P50, row.EnvoyFloor.P50), beside(row.Envoy.P50, row.EnvoyStock.P50),
		})
	}
	return t
}

func (r *report) memoryTable() table {
	t := table{
		title:  "Memory",
		note:   "Megabytes resident, settled. In brackets: Envoy on weir over Envoy on the floor.",
		header: []string{"upstreams", "files", "weir", "weir after the edits", "Envoy on weir", "on the smallest server"},
	}
	for _, row := range r.Starts {
		after := "-"
		if row.WeirAfter > 0 {
			after = number(row.WeirAfter / 1e6)
		}
		t.rows = append(t.rows, []string{
			fmt.Sprint(row.Upstreams), fmt.Sprint(row.Files), number(row.WeirMemory / 1e6), after,
			number(row.EnvoyMemory / 1e6), beside(row.EnvoyMemory/1e6, row.FloorMemory/1e6),
		})
	}
	return t
}

func (r *report) throughputTable() table {
	t := table{
		title:  "Requests per second of one worker",
		note:   "APIs under one domain, whose answers a node gives or Envoy itself, best round of each. Busy: processor time of Envoy over time; well below 1 says that the load was the limit.",
		header: []string{"paths", "APIs", "requests/s", "busy", "APIs", "requests/s", "busy", "ratio"},
	}
	for _, row := range r.Throughput {
		t.rows = append(t.rows, []string{
			row.Shape, fmt.Sprint(row.Few), fmt.Sprintf("%.0f", row.FewRate), fmt.Sprintf("%.2f", row.FewBusy),
			fmt.Sprint(row.Many), fmt.Sprintf("%.0f", row.ManyRate), fmt.Sprintf("%.2f", row.ManyBusy), fmt.Sprintf("%.2f", row.Ratio),
		})
	}
	return t
}

func (r *report) fleetTable() table {
	t := table{
		title:  "Fleet",
		note:   "One node's change until the last proxy has it, and weir's heap for each proxy.",
		header: []string{"benchmark", "ms to the last", "kB per proxy", "other"},
	}
	for _, row := range r.Fleet {
		t.rows = append(t.rows, []string{row.Name, optional(row.ToLast), optional(row.PerProxy), dash(row.Remaining)})
	}
	return t
}

func (r *report) goalTable() table {
	t := table{title: "Goals", header: []string{"goal", "limit", "measured", "met"}}
	for _, g := range r.Goals {
		limit, met := "at least ", "no"
		if g.Most {
			limit = "at most "
		}
		if g.Met {
			met = "yes"
		}
		t.rows = append(t.rows, []string{g.What, limit + strings.TrimSpace(fmt.Sprint(g.Limit)+" "+g.Unit), strings.TrimSpace(number(g.Value) + " " + g.Unit), met})
	}
	return t
}

func (r *report) noteTable() table {
	t := table{title: "Notes", header: []string{""}}
	for _, note := range r.Notes {
		t.rows = append(t.rows, []string{note})
	}
	return t
}

// beside is a floor with the ratio to it.
func beside(weir, floor float64) string { return number(floor) + times(weir, floor) }

func times(weir, floor float64) string {
	if floor == 0 {
		return ""
	}
	return " (" + number(weir/floor) + "x)"
}

// number is a figure with three digits or so.
func number(v float64) string {
	switch {
	case v >= 100 || v <= -100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10 || v <= -10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

func optional(v *float64) string {
	if v == nil {
		return "-"
	}
	return number(*v)
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// writeText writes tables for a terminal.
func writeText(w io.Writer, tables []table) error {
	for _, t := range tables {
		fmt.Fprintf(w, "%s\n", strings.ToUpper(t.title))
		columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, row := range append([][]string{t.header}, t.rows...) {
			if strings.Join(row, "") != "" {
				fmt.Fprintln(columns, strings.Join(row, "\t"))
			}
		}
		if err := columns.Flush(); err != nil {
			return err
		}
		if t.note != "" {
			fmt.Fprintln(w, t.note)
		}
		fmt.Fprintln(w)
	}
	return nil
}

// writeMarkdown writes tables for docs/benchmarks.md.
func writeMarkdown(w io.Writer, tables []table) error {
	for _, t := range tables {
		fmt.Fprintf(w, "### %s\n\n", t.title)
		if t.note != "" {
			fmt.Fprintf(w, "%s\n\n", t.note)
		}
		rule := strings.Repeat("|---", len(t.header)) + "|"
		fmt.Fprintf(w, "| %s |\n%s\n", strings.Join(t.header, " | "), rule)
		for _, row := range t.rows {
			if _, err := fmt.Fprintf(w, "| %s |\n", strings.Join(row, " | ")); err != nil {
				return err
			}
		}
		fmt.Fprintln(w)
	}
	return nil
}
