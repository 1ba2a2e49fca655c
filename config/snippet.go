package config

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"

	"github.com/weirproxy/weir/config/lang"
)

// lineWidth is how many columns of a line a snippet shows.
const lineWidth = 400

// sources are the texts for snippets, to be masked before they are shown.
func sources(module *lang.Module, files []lang.File) func(string) *hcl.File {
	shown := module.Files()
	return func(name string) *hcl.File {
		if file := shown[name]; file != nil {
			return file
		}
		if slices.ContainsFunc(files, func(f lang.File) bool { return f.Name == name }) {
			return &hcl.File{Bytes: []byte{}} // of zero bytes, which the module does not see
		}
		return nil
	}
}

// pages are the texts that diagnostics point into, as far as they were looked at.
type pages struct {
	source func(string) *hcl.File
	mask   func(string) string
	known  map[string]*page
}

func (r *Result) pages() *pages {
	return &pages{source: r.source, mask: r.mask, known: map[string]*page{}}
}

// page is one text with its lines.
type page struct {
	file   *hcl.File
	mask   func(string) string
	starts []int // of the lines; a last line without an end counts, an empty one too
	binary bool
}

// of is nil where there is no text.
func (p *pages) of(name string) *page {
	if known, ok := p.known[name]; ok {
		return known
	}
	file := p.source(name)
	if file == nil {
		return nil
	}
	out := &page{file: file, mask: p.mask, starts: []int{0}, binary: bytes.IndexByte(file.Bytes, 0) >= 0}
	for i, c := range file.Bytes {
		if c == '\n' {
			out.starts = append(out.starts, i+1)
		}
	}
	p.known[name] = out
	return out
}

// lineOf is the index of the line in which a byte stands; what is behind the text stands in its last line.
func (p *page) lineOf(offset int) int {
	i, exact := slices.BinarySearch(p.starts, offset)
	if !exact {
		i--
	}
	return max(i, 0)
}

// line is one line without its end.
func (p *page) line(i int) []byte {
	line := p.file.Bytes[p.starts[i]:]
	if end := bytes.IndexByte(line, '\n'); end >= 0 {
		line = line[:end]
	}
	return bytes.TrimSuffix(line, []byte("\r"))
}

// parts is a line as it may be shown, masked: what stands before a range of the text, in it, and behind it.
type parts struct{ before, subject, after string }

// parts of an empty range have the character behind it as their subject.
func (p *page) parts(i int, r hcl.Range) parts {
	line, start := string(p.line(i)), p.starts[i]
	a := min(max(r.Start.Byte-start, 0), len(line))
	b := min(max(r.End.Byte-start, a), len(line))
	if _, size := utf8.DecodeRuneInString(line[a:]); r.Empty() && a == r.Start.Byte-start {
		b = a + size
	}
	masked := p.mask(line)
	if masked == line {
		return parts{line[:a], line[a:b], line[b:]}
	}
	// The range moves with what is masked before it. An end that lies within a secret moves to the secret's.
	whole := func(at int) bool { return p.mask(line[:at])+p.mask(line[at:]) == masked }
	for a > 0 && !whole(a) {
		a--
	}
	for b < len(line) && !whole(b) {
		b++
	}
	left := len(p.mask(line[:a]))
	right := max(left, len(masked)-len(p.mask(line[b:])))
	return parts{masked[:left], masked[left:right], masked[right:]}
}

// cut leaves out what is far from the subject in a very long line.
func (p parts) cut() parts {
	before, subject, after := []rune(ending(p.before)), []rune(beginning(p.subject)), []rune(beginning(p.after))
	if len(before)+len(subject)+len(after) <= lineWidth {
		return p
	}
	room := lineWidth - min(len(subject), lineWidth)
	left := min(len(before), max(room/2, room-len(after)))
	right := min(len(after), room-left)
	if left < len(before) {
		p.before = "…" + string(before[len(before)-left:])
	}
	if len(subject) > lineWidth {
		p.subject = string(subject[:lineWidth]) + "…"
		p.after = ""
	} else if right < len(after) {
		p.after = string(after[:right]) + "…"
	}
	return p
}

// ending and beginning spare the rest of a huge line the work: they hold more characters than are shown.
func ending(s string) string    { return s[max(0, len(s)-(lineWidth+1)*utf8.UTFMax):] }
func beginning(s string) string { return s[:min(len(s), (lineWidth+1)*utf8.UTFMax)] }

// visible is what may stand in a terminal: control characters, which could move the cursor or hide what is written, are
// shown by their Unicode pictures or as escapes.
func (p parts) visible() parts {
	return parts{visible(ending(p.before)), visible(beginning(p.subject)), visible(beginning(p.after))}.cut()
}

// contextOf is the header of the block around a place, `upstream "orders"`, or "".
func (p *page) contextOf(offset int) string {
	navigation, ok := p.file.Nav.(interface{ ContextString(offset int) string })
	if !ok {
		return ""
	}
	return p.mask(navigation.ContextString(offset))
}

// codePoints is the column of a position in code points. HCL counts characters as people do, of which one may have
// several.
func (p *page) codePoints(at hcl.Pos) int {
	if at.Byte < 0 || at.Byte > len(p.file.Bytes) {
		return at.Column
	}
	start := bytes.LastIndexByte(p.file.Bytes[:at.Byte], '\n') + 1
	return utf8.RuneCount(bytes.TrimPrefix(p.file.Bytes[start:at.Byte], []byte("\xef\xbb\xbf"))) + 1
}

// visible escapes what a terminal would obey, what changes the direction of writing, and what is not UTF-8.
func visible(text string) string {
	var out strings.Builder
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD"):
			fmt.Fprintf(&out, `\x%02x`, text[i])
		case r == '\t' || !hazardous(r):
			out.WriteRune(r)
		case r < ' ':
			out.WriteRune('\u2400' + r)
		case r == '\x7f':
			out.WriteRune('\u2421')
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.String()
}

// visibleText is visible for several lines.
func visibleText(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = visible(lines[i])
	}
	return strings.Join(lines, "\n")
}

func hazardous(r rune) bool {
	return r < ' ' || r >= '\x7f' && r <= '\u009f' || r == '\u061c' || r == '\u200e' || r == '\u200f' ||
		r >= '\u2028' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' || r == '\ufeff'
}
