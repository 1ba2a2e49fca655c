package config

import (
	"bytes"
	"fmt"
	"io"
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
	t := textWriter{pages: r.pages(), width: width}
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
	pages *pages
	width uint

	error, warning, highlight, reset string // escape sequences
}

func (t *textWriter) diagnostic(d *hcl.Diagnostic) {
	word, color := "Error", t.error
	if d.Severity == hcl.DiagWarning {
		word, color = "Warning", t.warning
	}
	fmt.Fprintf(&t.out, "%s%s%s: %s\n\n", color, word, t.reset, visible(d.Summary))
	if d.Subject != nil {
		t.source(d)
	}
	if d.Detail == "" {
		return
	}
	detail := visibleText(d.Detail)
	if t.width > 0 {
		detail = wordwrap.WrapString(detail, t.width)
	}
	fmt.Fprintf(&t.out, "%s\n\n", detail)
}

// source writes the lines of the subject, and of the context where there is one.
func (t *textWriter) source(d *hcl.Diagnostic) {
	name, start := visible(d.Subject.Filename), d.Subject.Start
	page := t.pages.of(d.Subject.Filename)
	if page == nil {
		fmt.Fprintf(&t.out, "  on %s line %d, column %d:\n  (source code not available)\n\n", name, start.Line, start.Column)
		return
	}
	around := page.contextOf(start.Byte)
	if around != "" {
		around = ", in " + visible(around)
	}
	// The words are those that editors' terminals make a link of.
	fmt.Fprintf(&t.out, "  on %s line %d, column %d%s:\n", name, start.Line, start.Column, around)
	if page.binary {
		fmt.Fprintf(&t.out, "  (not shown: the file is not text)\n\n")
		return
	}
	whole := *d.Subject
	if d.Context != nil {
		whole = hcl.RangeOver(whole, *d.Context)
	}
	if len(page.file.Bytes) == 0 {
		t.out.WriteByte('\n')
		return
	}
	first := page.lineOf(start.Byte)
	from, to := page.lineOf(whole.Start.Byte), page.lineOf(max(whole.End.Byte-1, start.Byte))
	for i := from; i <= to; i++ {
		p := page.parts(i, *d.Subject).visible()
		t.line(i+1, p, p.subject != "" || i == first)
	}
	t.out.WriteByte('\n')
}

// line writes a line; where it has a part of the subject, or the subject is its end, that is shown.
func (t *textWriter) line(number int, p parts, marked bool) {
	if !marked {
		fmt.Fprintf(&t.out, "%4d: %s\n", number, p.before+p.after)
		return
	}
	fmt.Fprintf(&t.out, "%4d: %s%s%s%s%s\n", number, p.before, t.highlight, p.subject, t.reset, p.after)
	if t.highlight == "" {
		fmt.Fprintf(&t.out, "      %s%s\n", blank(p.before), strings.Repeat("^", max(1, utf8.RuneCountInString(p.subject))))
	}
}

// blank is the white space that is as wide as a text.
func blank(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, text)
}
