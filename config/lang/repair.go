package lang

import (
	"bytes"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Bounds of the search for further syntax errors in one file.
const (
	maxSyntaxErrors = 25
	maxRepairBytes  = 32 << 20 // that are parsed again
)

// HCL's summaries that need care.
const (
	summaryRedefined    = "Attribute redefined"
	summaryUnclosed     = "Unclosed configuration block"
	summaryInvalidBlock = "Invalid block definition"
	summaryNoNewline    = "Missing newline after block definition"
)

// parsed is a file as far as it parses.
type parsed struct {
	in   inside
	nav  any    // of a native file: how snippets name the block around a line
	lost []lost // text that was left out because of mistakes
	torn int    // from this byte on, blocks are not what they seem to be; -1: nowhere
}

// lost is text that was left out.
type lost struct {
	at   int    // where it started, in bytes
	name string // of the attribute, if it was one
}

// parseNative parses a file. HCL's parser is silent about most of what follows its first error, and repeats itself
// about that one. So only the first is reported; then the item in which it stands is blanked, which leaves all
// positions as they are, and the rest is parsed again.
func parseNative(f File, d *diagnostics) *parsed {
	text, out, reported := f.Bytes, &parsed{torn: -1}, map[int]bool{}
	braces := false // a brace may have been blanked together with what stands beside it
	for budget := max(1, maxRepairBytes/len(text)); ; budget-- {
		file, diags := hclsyntax.ParseConfig(text, f.Name, hcl.InitialPos)
		out.in.native, out.nav = file.Body.(*hclsyntax.Body), file.Nav
		first := firstSyntaxError(diags)
		if first == nil {
			redefined(diags, f.Bytes, d)
			return out
		}
		if plain := plainLabel(text, first); plain != nil && budget > 0 {
			text = plain
			continue
		}
		from, to := extent(text, first)
		if first.Subject.Start.Byte >= len(bytes.TrimRight(text, "\n")) && from < len(text) {
			opened := at(f, from+len(text[from:to])-len(bytes.TrimLeft(text[from:to], " \t")))
			first.Subject, first.Context, out.torn = &opened, nil, from // it is at the end that a text misses its own
		}
		if line := first.Subject.Start.Line; !reported[line] && !(braces && first.Summary == summaryUnclosed) {
			reported[line] = true // what is left of a line that was blanked is the same mistake
			d.add(explained(first, f.Bytes, text))
		}
		braces = braces || first.Summary == summaryNoNewline
		out.lost = append(out.lost, lost{from, attributeName(text[from:to])})
		if out.torn >= 0 || first.Summary == summaryUnclosed || budget <= 0 || len(out.lost) >= maxSyntaxErrors {
			out.torn = from
			return out
		}
		text = blanked(text, from, to)
	}
}

// attributeName is the name before the first "=" of an item.
func attributeName(text []byte) string {
	if m := assignment.FindSubmatch(text); m != nil {
		return string(m[1])
	}
	return ""
}

// firstSyntaxError is the one that stands first in the text. An unclosed block is most often the result of another
// mistake and comes last.
func firstSyntaxError(diags hcl.Diagnostics) *hcl.Diagnostic {
	var list hcl.Diagnostics
	for _, diag := range diags {
		if diag.Severity == hcl.DiagError && diag.Summary != summaryRedefined && diag.Subject != nil {
			list = append(list, diag)
		}
	}
	if len(list) == 0 {
		return nil
	}
	sort.SliceStable(list, func(i, j int) bool {
		a, b := list[i], list[j]
		if (a.Summary == summaryUnclosed) != (b.Summary == summaryUnclosed) {
			return b.Summary == summaryUnclosed
		}
		return a.Subject.Start.Byte < b.Subject.Start.Byte
	})
	return list[0]
}

// redefined are the attributes that are said twice: the tree is whole in spite of them.
func redefined(diags hcl.Diagnostics, text []byte, d *diagnostics) {
	for _, diag := range diags {
		if diag.Summary != summaryRedefined {
			continue
		}
		first := *diag.Subject
		if m := alreadySet.FindStringSubmatch(diag.Detail); m != nil {
			first.Start.Line, _ = strconv.Atoi(m[1])
		}
		repeated(string(diag.Subject.SliceBytes(text)), *diag.Subject, first, d)
	}
}

// alreadySet finds the line of the first place in HCL's words, which hold it nowhere else.
var alreadySet = regexp.MustCompile(`already set at .*:(\d+),\d+(?:-[\d,]+)?\. Each`)

// extent is the lines to blank because of a mistake: from the line on which the outermost expression or single-line
// block starts that holds it, to the line on which that ends.
func extent(text []byte, diag *hcl.Diagnostic) (from, to int) {
	at := min(diag.Subject.Start.Byte, len(text))
	from = itemStart(text, at)
	to = itemEnd(text, from, at)
	if diag.Summary == summaryInvalidBlock {
		// The brace may stand on the next line: the whole block goes.
		if rest := bytes.TrimLeft(text[to:], " \t\r\n"); len(rest) > 0 && rest[0] == '{' {
			to = itemEnd(text, len(text)-len(rest), at)
		}
	}
	return from, to
}

// itemEnd is the end of the line on which everything is closed that opened since from, at a mistake at the
// earliest. A bracket that closes something outside is not part of the item, and text never goes over a line.
func itemEnd(text []byte, from, mistake int) int {
	s := &scanner{src: text, at: from}
	for s.at < len(text) {
		open := s.top().open
		switch c := text[s.at]; {
		case c == '\n' && (open == '"' || len(s.open) == 0 && s.at >= mistake):
			return s.at
		case open != '"' && open != '<' && (c == '}' || c == ']' || c == ')'):
			depth := len(s.open)
			s.step()
			if len(s.open) == depth { // it closes nothing in here
				before := bytes.LastIndexByte(text[:s.at], '\n')
				if before > from {
					return before
				}
				return lineEnd(text, s.at)
			}
			continue
		}
		s.step()
	}
	return len(text)
}

// itemStart is the start of the line on which the outermost thing opened that is no block and is still open at a
// byte.
func itemStart(text []byte, at int) int {
	s := &scanner{src: text[:at]}
	start := at
	var opened []int // where each open frame starts
	for s.at < at {
		before := s.at
		s.step()
		for len(opened) > len(s.open) {
			opened = opened[:len(opened)-1]
		}
		for len(opened) < len(s.open) {
			opened = append(opened, before)
		}
	}
	for i, f := range s.open {
		if f.open != '{' || !opensBlock(text, opened[i]) {
			start = opened[i]
			break
		}
	}
	return bytes.LastIndexByte(text[:start], '\n') + 1
}

// opensBlock tells whether the brace at a byte is that of a block with lines of its own.
func opensBlock(text []byte, brace int) bool {
	head := text[bytes.LastIndexByte(text[:brace], '\n')+1 : brace]
	if bytes.ContainsAny(head, "=[({:") {
		return false
	}
	tail := bytes.TrimSpace(text[brace+1 : lineEnd(text, brace)])
	return len(tail) == 0 || tail[0] == '#' || bytes.HasPrefix(tail, []byte("//"))
}

// lineEnd is the position of the next newline, or the end of the text.
func lineEnd(text []byte, at int) int {
	if end := bytes.IndexByte(text[at:], '\n'); end >= 0 {
		return at + end
	}
	return len(text)
}

// blanked is a copy in which a part is spaces; newlines stay.
func blanked(text []byte, from, to int) []byte {
	out := append([]byte(nil), text...)
	for i := from; i < to; i++ {
		if out[i] != '\n' {
			out[i] = ' '
		}
	}
	return out
}

// plainLabel is a copy in which a label that holds an expression is text for the parser ("$${" stands for "${"): the
// checks of names explain it better. It is nil for other mistakes.
func plainLabel(text []byte, d *hcl.Diagnostic) []byte {
	if d.Summary != "Invalid string literal" || !strings.Contains(d.Detail, "Template sequences") {
		return nil
	}
	from := bytes.LastIndexByte(text[:d.Subject.Start.Byte], '"')
	if from < 0 {
		return nil
	}
	s := &scanner{src: text, at: from}
	for s.step(); len(s.open) > 0 && s.at < len(text) && text[s.at] != '\n'; {
		s.step()
	}
	inside := text[from+1 : max(from+1, s.at-1)]
	if len(s.open) > 0 || len(inside) < len("$${") {
		return nil
	}
	out := append([]byte(nil), text...)
	for i := range inside {
		out[from+1+i] = '_'
	}
	copy(out[from+1:], "$${")
	return out
}
