package config

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/mitchellh/go-wordwrap"
)

// WriteText writes the diagnostics for people, in the form of HCL's own writer, with a snippet of the source in which the
// subject is underlined. Lines of prose are wrapped at width; 0 leaves them as they are.
//
// HCL's writer says no column, and underlines in colour only. And it counts through the whole file for each diagnostic:
// 33 ms of a file of 80 kB, half a minute where a thousand APIs use an upstream that was removed.
func (r *Result) WriteText(w io.Writer, color bool, width uint) error {
	t := textWriter{files: r.files, lines: map[string][]int{}, width: width}
	if color {
		t.error, t.warning, t.highlight, t.reset = "\x1b[31m", "\x1b[33m", "\x1b[1;4m", "\x1b[0m"
	}
	for _, d := range r.Diagnostics {
		t.diagnostic(d)
	}
	if _, err := t.out.WriteTo(w); err != nil {
		return fmt.Errorf("write diagnostics: %w", err)
	}
	return nil
}

// textWriter collects the text form of diagnostics.
type textWriter struct {
	out   bytes.Buffer
	files map[string]*hcl.File
	lines map[string][]int // where the lines of a file start, once they were looked for
	width uint

	error, warning, highlight, reset string // escape sequences
}

func (t *textWriter) diagnostic(d *hcl.Diagnostic) {
	word, color := "Error", t.error
	if d.Severity == hcl.DiagWarning {
		word, color = "Warning", t.warning
	}
	fmt.Fprintf(&t.out, "%s%s%s: %s\n\n", color, word, t.reset, d.Summary)
	if d.Subject != nil {
		t.source(d)
	}
	if d.Detail == "" {
		return
	}
	detail := d.Detail
	if t.width > 0 {
		detail = wordwrap.WrapString(detail, t.width)
	}
	fmt.Fprintf(&t.out, "%s\n\n", detail)
}

// source writes the lines of the subject, and of the context where there is one.
func (t *textWriter) source(d *hcl.Diagnostic) {
	file := t.files[d.Subject.Filename]
	if file == nil {
		fmt.Fprintf(&t.out, "  on %s line %d, column %d:\n  (source code not available)\n\n",
			d.Subject.Filename, d.Subject.Start.Line, d.Subject.Start.Column)
		return
	}
	around := contextOf(file, d.Subject.Start.Byte)
	if around != "" {
		around = ", in " + around
	}
	// The words are those that editors' terminals make a link of.
	fmt.Fprintf(&t.out, "  on %s line %d, column %d%s:\n", d.Subject.Filename, d.Subject.Start.Line, d.Subject.Start.Column, around)
	whole := *d.Subject
	if d.Context != nil {
		whole = hcl.RangeOver(whole, *d.Context)
	}
	from, to := atLeastOne(*d.Subject)
	first, last := atLeastOne(whole)
	starts := t.startsOf(d.Subject.Filename, file.Bytes)
	at, exact := slices.BinarySearch(starts, first)
	if !exact {
		at = max(at-1, 0)
	}
	for i := at; i < len(starts) && starts[i] < last; i++ {
		start, line := starts[i], lineAt(file.Bytes, starts[i])
		end := start + len(line)
		if end <= first {
			continue
		}
		a, b := min(max(from, start), end), max(min(to, end), start)
		if a >= b {
			fmt.Fprintf(&t.out, "%4d: %s\n", i+1, line)
			continue
		}
		fmt.Fprintf(&t.out, "%4d: %s%s%s%s%s\n", i+1, file.Bytes[start:a], t.highlight, file.Bytes[a:b], t.reset, file.Bytes[b:end])
		if t.highlight == "" {
			fmt.Fprintf(&t.out, "      %s%s\n", blank(file.Bytes[start:a]), strings.Repeat("^", utf8.RuneCount(file.Bytes[a:b])))
		}
	}
	t.out.WriteByte('\n')
}

// blank is the white space that is as wide as a text.
func blank(text []byte) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, string(text))
}

// atLeastOne is a range in bytes, one byte wide where it is empty.
func atLeastOne(r hcl.Range) (from, to int) {
	return r.Start.Byte, max(r.End.Byte, r.Start.Byte+1)
}

// startsOf finds where the lines of a text start.
func (t *textWriter) startsOf(name string, text []byte) []int {
	if starts, known := t.lines[name]; known {
		return starts
	}
	var starts []int
	offset := 0
	for line := range bytes.Lines(text) {
		starts = append(starts, offset)
		offset += len(line)
	}
	t.lines[name] = starts
	return starts
}

// lineAt is the line that starts at an offset, without its end.
func lineAt(text []byte, start int) []byte {
	line := text[start:]
	if end := bytes.IndexByte(line, '\n'); end >= 0 {
		line = line[:end]
	}
	return bytes.TrimSuffix(line, []byte("\r"))
}
