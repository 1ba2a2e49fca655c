package config

import (
	"bytes"
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
	Code      string  `json:"code"`    // the whole lines of the range
	StartLine int     `json:"start_line"`
}

// WriteJSON writes the diagnostics for programs, in a form close to that of `terraform validate -json`.
func (r *Result) WriteJSON(w io.Writer) error {
	out := report{FormatVersion: "1.0", Valid: !r.HasErrors(), Diagnostics: []reportDiagnostic{}}
	for _, d := range r.Diagnostics {
		if d.Severity == hcl.DiagError {
			out.ErrorCount++
		} else {
			out.WarningCount++
		}
		one := reportDiagnostic{Severity: severity(d), Rule: ruleID(d), Summary: d.Summary, Detail: d.Detail}
		if d.Subject != nil {
			one.Range = rangeOf(*d.Subject)
			one.Snippet = snippet(r.files[d.Subject.Filename], *d.Subject)
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

// snippet cuts the lines of a range out of the source. It is nil where there is none to show.
func snippet(file *hcl.File, r hcl.Range) *reportSnippet {
	if file == nil || r.Start.Byte > len(file.Bytes) || r.End.Byte < r.Start.Byte {
		return nil
	}
	text := file.Bytes
	from := bytes.LastIndexByte(text[:r.Start.Byte], '\n') + 1
	to := len(text)
	end := min(r.End.Byte, len(text))
	if rest := bytes.IndexByte(text[end:], '\n'); rest >= 0 {
		to = end + rest
	}
	out := &reportSnippet{Code: strings.TrimRight(string(text[from:to]), " \r\n"), StartLine: r.Start.Line}
	if around := contextOf(file, r.Start.Byte); around != "" {
		out.Context = &around
	}
	return out
}

// contextOf is the header of the block around a place, as the text form names it.
func contextOf(file *hcl.File, offset int) string {
	navigation, ok := file.Nav.(interface{ ContextString(offset int) string })
	if !ok {
		return ""
	}
	return navigation.ContextString(offset)
}
