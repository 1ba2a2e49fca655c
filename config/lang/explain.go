package lang

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// syntaxMistake makes a diagnostic of this package out of one of HCL's parsers. Those that newcomers meet get words
// of ours, with the text that would be right; the others are well said as they are.
func syntaxMistake(d *hcl.Diagnostic, text []byte) *hcl.Diagnostic {
	out := &hcl.Diagnostic{Severity: d.Severity, Summary: d.Summary, Detail: d.Detail, Subject: d.Subject, Context: d.Context, Extra: ruled{rule: RuleSyntax}}
	if d.Subject == nil || d.Subject.Start.Byte >= len(text) {
		return out
	}
	if digitName(d, text, out) || oneLine(d, text, out) || unquoted(d, text, out) {
		out.Context = nil
		return out
	}
	switch {
	case d.Summary == summaryRedefined:
		name := string(d.Subject.SliceBytes(text))
		out.Summary, out.Extra = fmt.Sprintf("Attribute %q is said twice", name), ruled{rule: RuleDuplicate}
		out.Detail = "Keep one of the two."
	case d.Summary == "Argument or block definition required" && text[d.Subject.Start.Byte] == '}':
		out.Summary, out.Detail = "Brace that closes nothing", "Remove this }, or write the { that it belongs to."
	case d.Summary == "Unterminated template string" && bytes.Contains(text[d.Subject.Start.Byte:lineEnd(text, d.Subject.Start.Byte)], []byte("<<")):
		out.Summary = "Heredoc is not closed"
		out.Detail = "The line that ends it is missing: the word after << alone, with a newline behind it."
	case d.Summary == "Invalid multi-line string", d.Summary == "Unterminated template string" && d.Subject.Start.Byte < len(text):
		out.Summary = "Text is not closed"
		out.Detail = `Text ends with " on the line on which it starts. A text of several lines is a heredoc: <<EOT.`
	case d.Summary == "Missing newline after argument":
		out.Summary = "More than one thing on a line"
		out.Detail = "An attribute ends with its line. Write what follows on a line of its own, or check whether an operator or a quote is missing."
	case d.Summary == summaryUnclosed:
		out.Summary = "Block is not closed"
		out.Detail = "The } that closes this block is missing, or a brace inside it is one too many."
	}
	return out
}

// A label that holds an expression.
const (
	labelSummary = "Label with an expression"
	labelDetail  = `Labels are literal: names stand in the text as they are, without ${...}. Where labels are computed, use a dynamic block with labels, or, for a node, a plain label and address = "...".`
)

var (
	beforeDigit = regexp.MustCompile(`([A-Za-z_]\w*)\.(\d\w*)$`)
	wordAhead   = regexp.MustCompile(`^\w*`)
	oneLiner    = regexp.MustCompile(`^\s*([^{}]*?)\s*\{\s*(.*?)\s*\}?\s*$`)
	pairs       = regexp.MustCompile(`([A-Za-z_]\w*)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,;"}]+)`)
	bareValue   = regexp.MustCompile(`=\s*(\d[\w.:/-]*)\s*$`)
)

// digitName explains vpc.1st: HCL reads the number 1, then a word that it does not expect.
func digitName(d *hcl.Diagnostic, text []byte, out *hcl.Diagnostic) bool {
	at := d.Subject.Start.Byte
	line := text[bytes.LastIndexByte(text[:at], '\n')+1 : at]
	m := beforeDigit.FindSubmatchIndex(line)
	rest := wordAhead.Find(text[at:])
	if m == nil || len(rest) == 0 {
		return false
	}
	root, name := string(line[m[2]:m[3]]), string(line[m[4]:m[5]])+string(rest)
	from := len(line) - m[0]
	out.Subject = &hcl.Range{
		Filename: d.Subject.Filename,
		Start:    hcl.Pos{Line: d.Subject.Start.Line, Column: d.Subject.Start.Column - from, Byte: at - from},
		End:      hcl.Pos{Line: d.Subject.Start.Line, Column: d.Subject.Start.Column + len(rest), Byte: at + len(rest)},
	}
	out.Summary = "Name that starts with a digit"
	out.Detail = fmt.Sprintf("After a dot a name starts with a letter. Write: %s[%q]", root, name)
	return true
}

// oneLine explains what does not fit into a block on a single line.
func oneLine(d *hcl.Diagnostic, text []byte, out *hcl.Diagnostic) bool {
	at := d.Subject.Start.Byte
	line := text[bytes.LastIndexByte(text[:at], '\n')+1 : lineEnd(text, at)]
	m := oneLiner.FindSubmatch(line)
	if m == nil || len(m[1]) == 0 || bytes.Contains(m[1], []byte("=")) {
		return false
	}
	head, inner := string(m[1]), string(m[2])
	switch {
	case d.Summary == "Argument definition required":
		out.Summary = "Block inside a block on one line"
		out.Detail = fmt.Sprintf("A block on one line may hold one attribute, and no block. Write:\n\n  %s {\n    %s\n  }", head, inner)
	case d.Summary == "Invalid single-argument block definition", d.Summary == "Invalid character" && text[at] == ';':
		said := pairs.FindAllStringSubmatch(inner, -1)
		if len(said) < 2 {
			out.Summary = "Block that starts on one line and ends on another"
			out.Detail = "A block either stands on one line, with one attribute, or has each attribute on a line of its own, after the line of its {."
			return true
		}
		lines := make([]string, len(said))
		for i, s := range said {
			lines[i] = fmt.Sprintf("    %s = %s", s[1], s[2])
		}
		out.Summary = "Several attributes in a block on one line"
		out.Detail = fmt.Sprintf("A block on one line may hold one attribute. Write:\n\n  %s {\n%s\n  }", head, strings.Join(lines, "\n"))
	default:
		return false
	}
	return true
}

// unquoted explains values such as 15s or 10.0.0.0/16 that lack their quotes.
func unquoted(d *hcl.Diagnostic, text []byte, out *hcl.Diagnostic) bool {
	if d.Summary != "Missing newline after argument" && d.Summary != "Invalid number literal" {
		return false
	}
	at := d.Subject.Start.Byte
	from := bytes.LastIndexByte(text[:at], '\n') + 1
	m := bareValue.FindSubmatchIndex(text[from:lineEnd(text, at)])
	if m == nil {
		return false
	}
	shift := at - from - m[2]
	value := string(text[from+m[2] : from+m[3]])
	out.Subject = &hcl.Range{
		Filename: d.Subject.Filename,
		Start:    hcl.Pos{Line: d.Subject.Start.Line, Column: d.Subject.Start.Column - shift, Byte: from + m[2]},
		End:      hcl.Pos{Line: d.Subject.Start.Line, Column: d.Subject.Start.Column - shift + len(value), Byte: from + m[3]},
	}
	out.Summary = "Text without quotes"
	out.Detail = fmt.Sprintf("Text stands in quotes. Write: %q", value)
	return true
}
