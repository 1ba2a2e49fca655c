package config

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// report is what WriteJSON writes. A change that breaks readers changes FormatVersion's first number.
type report struct {
	FormatVersion string             `json:"format_version"`
	Valid         bool               `json:"valid"`
	ErrorCount    int                `json:"error_count"`
	WarningCount  int                `json:"warning_count"`
	Diagnostics   []reportDiagnostic `json:"diagnostics"`
}

type reportDiagnostic struct {
	Severity string         `json:"severity"` // "error" or "warning"
	Rule     string         `json:"rule"`
	Summary  string         `json:"summary"`
	Detail   string         `json:"detail"`
	Range    *reportRange   `json:"range,omitempty"`
	Snippet  *reportSnippet `json:"snippet,omitempty"`
}

type reportRange struct {
	Filename string         `json:"filename"`
	Start    reportPosition `json:"start"`
	End      reportPosition `json:"end"` // of the first character behind the range
}

type reportPosition struct {
	Line   int `json:"line"`   // from 1
	Column int `json:"column"` // from 1, in characters
	Byte   int `json:"byte"`   // from 0
}

type reportSnippet struct {
	Context   *string `json:"context"` // the block around, `upstream "orders"`; null: none
	Code      string  `json:"code"`    // the whole lines of the range; of very long ones, what is near it
	StartLine int     `json:"start_line"`
}

// WriteJSON writes the diagnostics for programs, in a form close to that of `terraform validate -json`.
func (r *Result) WriteJSON(w io.Writer) error {
	out := report{FormatVersion: "1.0", Valid: !r.HasErrors(), Diagnostics: []reportDiagnostic{}}
	pages := r.pages()
	for _, d := range r.Diagnostics {
		if d.Severity == hcl.DiagError {
			out.ErrorCount++
		} else {
			out.WarningCount++
		}
		one := reportDiagnostic{Severity: severity(d), Rule: ruleID(d), Summary: d.Summary, Detail: d.Detail}
		if d.Subject != nil {
			one.Range = rangeOf(*d.Subject)
			one.Snippet = pages.of(d.Subject.Filename).snippet(*d.Subject)
		}
		out.Diagnostics = append(out.Diagnostics, one)
	}
	return encode(w, out)
}

func encode(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return fmt.Errorf("write diagnostics: %w", err)
	}
	return nil
}

func severity(d *hcl.Diagnostic) string {
	if d.Severity == hcl.DiagError {
		return "error"
	}
	return "warning"
}

func rangeOf(r hcl.Range) *reportRange {
	return &reportRange{
		Filename: r.Filename,
		Start:    reportPosition(r.Start),
		End:      reportPosition(r.End),
	}
}

// snippet has the lines of a range. It is nil where there are none to show.
func (p *page) snippet(r hcl.Range) *reportSnippet {
	if p == nil || p.binary || r.Start.Byte > len(p.file.Bytes) || r.End.Byte < r.Start.Byte {
		return nil
	}
	var lines []string
	for i := p.lineOf(r.Start.Byte); i <= p.lineOf(r.End.Byte); i++ {
		one := p.parts(i, r).cut()
		lines = append(lines, one.before+one.subject+one.after)
	}
	out := &reportSnippet{Code: strings.TrimRight(strings.Join(lines, "\n"), " \n"), StartLine: r.Start.Line}
	if around := p.contextOf(r.Start.Byte); around != "" {
		out.Context = &around
	}
	return out
}
