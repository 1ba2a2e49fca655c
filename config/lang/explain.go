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
	return explained(d, text, text)
}

// explained is syntaxMistake of a text in which parts that held mistakes were blanked for the parser.
func explained(d *hcl.Diagnostic, text, parsed []byte) *hcl.Diagnostic {
	out := inWordsOfOurs(d, text, parsed)
	if out.Subject != nil && out.Subject.Start.Byte < len(text) {
		out.Subject = visible(out.Subject, text)
	}
	return out
}

func inWordsOfOurs(d *hcl.Diagnostic, text, parsed []byte) *hcl.Diagnostic {
	out := &hcl.Diagnostic{Severity: d.Severity, Summary: d.Summary, Detail: d.Detail, Subject: d.Subject, Context: d.Context, Extra: ruled{rule: RuleSyntax}}
	if d.Subject == nil || d.Subject.Start.Byte >= len(text) {
		return out
	}
	if digitName(d, text, out) || unquoted(d, text, out) || oneLine(d, text, parsed, out) || strayWord(d, text, out) {
		out.Context = nil
		return out
	}
	switch {
	case d.Summary == summaryNoItem && text[d.Subject.Start.Byte] == '}':
		out.Summary, out.Detail = "Brace that closes nothing", "Remove this }, or write the { that it belongs to."
	case d.Summary == summaryNoItem && bytes.HasPrefix(text[d.Subject.Start.Byte:], []byte("/*")):
		out.Summary, out.Detail = "Comment is not closed", "The */ that ends it is missing."
	case d.Summary == "Invalid expression" && valueMissing(text, d.Subject.Start.Byte):
		out.Summary, out.Detail = "Value is missing", "After = stands a value. To leave the attribute unsaid, remove the line, or write null."
	case d.Summary == "Unterminated template string" && bytes.Contains(text[d.Subject.Start.Byte:lineEnd(text, d.Subject.Start.Byte)], []byte("<<")):
		out.Summary = "Heredoc is not closed"
		out.Detail = "The line that ends it is missing: the word after << alone, with a newline behind it."
	case d.Summary == "Invalid multi-line string", d.Summary == "Unterminated template string" && d.Subject.Start.Byte < len(text):
		out.Summary = "Text is not closed"
		out.Detail = `Text ends with " on the line on which it starts. A text of several lines is a heredoc: <<EOT.`
	case d.Summary == "Missing newline after argument":
		out.Summary = "More than one thing on a line"
		out.Detail = "An attribute ends with its line. Write what follows on a line of its own, or check whether an operator or a quote is missing."
	case d.Summary == summaryNoNewline:
		out.Summary = "More than one thing on a line"
		out.Detail = "A block ends with the line of its }. Write what follows, also another }, on a line of its own."
		out.Context = nil
	case d.Summary == "Invalid argument name":
		out.Summary = "Name in quotes"
		out.Detail = "The name of an attribute stands without quotes: NAME = VALUE. In quotes stand the names inside an object: NAME = { \"x-a\" = VALUE }."
	case d.Summary == summaryInvalidBlock && text[d.Subject.Start.Byte] == '=':
		blockWithEquals(d, text, out)
	case d.Summary == summaryUnclosed:
		out.Summary = "Block is not closed"
		out.Detail = "The } that closes this block is missing, or a brace inside it is one too many."
	}
	return out
}

// summaryNoItem is HCL's summary for what starts neither an attribute nor a block.
const summaryNoItem = "Argument or block definition required"

// valueMissing tells that a line ends behind its equals sign.
func valueMissing(text []byte, at int) bool {
	before := bytes.TrimRight(text[:at], " \t")
	return bytes.HasSuffix(before, []byte("=")) && len(bytes.TrimSpace(text[at:lineEnd(text, at)])) == 0
}

// wordLine is a name, what stands in place of the equals sign, and what follows on the line.
var wordLine = regexp.MustCompile(`^([A-Za-z_][\w-]*)[ \t]*(:=|=>|==|:)?[ \t]*([^\r\n]*)`)

// strayWord explains a line that starts with a name and goes on as neither an attribute nor a block does: "port: 80",
// "port 80", "node 10.0.0.1:80 {}". The value is not repeated, since it may be a secret.
func strayWord(d *hcl.Diagnostic, text []byte, out *hcl.Diagnostic) bool {
	at := d.Subject.Start.Byte
	m := wordLine.FindSubmatch(text[at:lineEnd(text, at)])
	if d.Summary != summaryNoItem || m == nil {
		return false
	}
	name, sign, rest := m[1], m[2], m[3]
	switch {
	case len(sign) > 0:
		out.Summary = "Attribute without ="
		out.Detail = fmt.Sprintf("Between an attribute and its value stands =, not %s. Write: %s = ...", sign, name)
	case bytes.ContainsRune(rest, '{'):
		out.Summary = "Label without quotes"
		out.Detail = fmt.Sprintf("The label of a block stands in quotes. Write: %s \"...\" { ... }", name)
	default:
		out.Summary = "Neither an attribute nor a block"
		out.Detail = fmt.Sprintf("An attribute is written %[1]s = ..., a block %[1]s { ... }, with its label, if it has one, in quotes before the {.", name)
	}
	return true
}

// blockWithEquals explains header "x-v" = "1".
func blockWithEquals(d *hcl.Diagnostic, text []byte, out *hcl.Diagnostic) {
	at := d.Subject.Start.Byte
	head := bytes.TrimSpace(text[bytes.LastIndexByte(text[:at], '\n')+1 : at])
	out.Summary = "A block is written without ="
	out.Detail = fmt.Sprintf("A block with a label holds attributes between braces, each with its name. Write: %s { NAME = ... }", head)
}

// A name such as 1st after a dot.
const digitSummary = "Name that starts with a digit"

var (
	beforeDigit = regexp.MustCompile(`([A-Za-z_]\w*)\.(\d\w*)$`)
	wordAhead   = regexp.MustCompile(`^\w*`)
	bareBefore  = regexp.MustCompile(`=[ \t]*(\d[\w.:/-]*|)$`)
	bareAhead   = regexp.MustCompile(`^[\w.:/-]*`)
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
	out.Summary = digitSummary
	out.Detail = fmt.Sprintf("After a dot a name starts with a letter. Write: %s[%q]", root, name)
	return true
}

// What a block on one line may be.
const (
	oneLineRule  = "A block on one line may hold one attribute, and no block."
	twoLinesRule = "A block either stands on one line, with one attribute, or has each attribute on a line of its own, after the line of its {."
)

// oneLine explains what does not fit into a block on a single line.
func oneLine(d *hcl.Diagnostic, text, parsed []byte, out *hcl.Diagnostic) bool {
	at := d.Subject.Start.Byte
	switch {
	case d.Summary == "Argument definition required", d.Summary == "Invalid single-argument block definition":
	case d.Summary == summaryNoItem, d.Summary == "Invalid character" && text[at] == ';':
	default:
		return false
	}
	from := itemStart(parsed, at)
	b := layOut(text[from:])
	if b.brace < 0 || at <= from+b.brace || at >= from+b.end {
		return false
	}
	if text[at] == '\n' || text[at] == '\r' {
		out.Subject = spanOf(d.Subject.Filename, text, from, from+b.brace+1)
	}
	rule := oneLineRule
	switch {
	case b.lines:
		out.Summary, rule = "Block that starts on one line and ends on another", twoLinesRule
	case b.blocks > 0:
		out.Summary = "Block inside a block on one line"
	case b.sample != "" && strings.Contains(b.sample, "\n"):
		out.Summary = "Several attributes in a block on one line"
	default:
		out.Summary = "Block on one line"
	}
	if b.sample == "" {
		out.Detail = rule + " Write what this one holds on lines of its own, after the line of its {: attributes as NAME = VALUE, blocks as NAME { ... }."
		return true
	}
	out.Detail = rule + " Write:\n\n" + b.sample
	return true
}

// spanOf is the range of a part of a text, without the blanks around it.
func spanOf(file string, text []byte, from, to int) *hcl.Range {
	for from < to-1 && isBlank(text[from]) {
		from++
	}
	for to > from+1 && isBlank(text[to-1]) {
		to--
	}
	f := File{Name: file, Bytes: text}
	first, last := at(f, from), at(f, to-1)
	return &hcl.Range{Filename: file, Start: first.Start, End: last.End}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// visible is a subject that can be underlined: where it is an end of line, the word before it.
func visible(r *hcl.Range, text []byte) *hcl.Range {
	from := r.Start.Byte
	if len(bytes.TrimSpace(text[from:min(len(text), max(from+1, r.End.Byte))])) > 0 {
		return r
	}
	to := len(bytes.TrimRight(text[:from], " \t\r\n"))
	if to == 0 {
		return r
	}
	return spanOf(r.Filename, text, 1+bytes.LastIndexAny(text[:to], " \t\r\n"), to)
}

// unquoted explains values such as 15s or 10.0.0.0/16 that lack their quotes.
func unquoted(d *hcl.Diagnostic, text []byte, out *hcl.Diagnostic) bool {
	switch d.Summary {
	case "Missing newline after argument", "Invalid number literal", "Invalid single-argument block definition":
	default:
		return false
	}
	at := d.Subject.Start.Byte
	line := text[bytes.LastIndexByte(text[:at], '\n')+1 : at]
	m := bareBefore.FindSubmatchIndex(line)
	ahead := bareAhead.Find(text[at:])
	if m == nil || len(ahead) == 0 {
		return false
	}
	from := at - len(line) + m[2]
	value := string(text[from : at+len(ahead)])
	if value[0] < '0' || value[0] > '9' {
		return false
	}
	out.Subject = spanOf(d.Subject.Filename, text, from, from+len(value))
	out.Summary = "Text without quotes"
	out.Detail = fmt.Sprintf("Text stands in quotes. Write: %q", value)
	return true
}
