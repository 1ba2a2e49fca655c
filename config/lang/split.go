package lang

import (
	"bytes"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// span is where a top-level block stands in a text: from the start of its first line up to and with its closing brace.
type span struct {
	start, end int
	line       int // of the start, from 1
}

// splitter takes a native text apart into its top-level blocks, without parsing it. What it takes for a block is a
// guess that the parser of that block confirms: a text that parses by itself as one whole block, between white space
// and comments, is that block in the whole file too, since the syntax is read from the left and nothing is open between
// blocks. It gives up on whatever is unusual, such as two blocks on a line.
type splitter struct {
	text []byte
	at   int
	line int
}

// next is the next block. With neither a block nor an end, the text does not split.
func (s *splitter) next() (block span, more, ok bool) {
	start := s.gap()
	if start < 0 {
		return span{}, false, false
	}
	if start == len(s.text) {
		return span{}, false, true
	}
	block = span{start: start, line: s.line}
	header := bytes.IndexByte(s.text[s.at:], '{')
	if header < 0 || bytes.IndexByte(s.text[s.at:s.at+header], '\n') >= 0 {
		return span{}, false, false
	}
	end := pastBrace(s.text, s.at+header+1, 0)
	if end < 0 {
		return span{}, false, false
	}
	s.line += bytes.Count(s.text[s.at:end], newline)
	s.at, block.end = end, end
	return block, true, s.endOfLine()
}

var newline = []byte("\n")

// gap skips white space and comments up to the line on which a block starts, where only blanks stand before it. It
// returns where that line starts, and the text's length where no block follows.
func (s *splitter) gap() int {
	start := s.at
	if s.at == 0 && bytes.HasPrefix(s.text, byteOrderMark) {
		s.at = len(byteOrderMark)
		start = s.at
	}
	for s.at < len(s.text) {
		switch c := s.text[s.at]; {
		case c == '\n':
			s.at++
			s.line++
			start = s.at
		case c == ' ', c == '\t':
			s.at++
		case c == '\r' && s.at+1 < len(s.text) && s.text[s.at+1] == '\n':
			s.at++
		case c == '#', c == '/':
			end := pastComment(s.text, s.at)
			if end < 0 {
				return -1
			}
			s.line += bytes.Count(s.text[s.at:end], newline)
			s.at, start = end, -1 // a block behind a comment on its line
			if s.at == len(s.text) || s.text[s.at-1] == '\n' {
				start = s.at
			}
		case wordByte(c) && start >= 0:
			return start
		default:
			return -1
		}
	}
	return len(s.text)
}

// endOfLine takes the rest of a block's last line, on which nothing but a comment may stand.
func (s *splitter) endOfLine() bool {
	for s.at < len(s.text) {
		switch c := s.text[s.at]; {
		case c == ' ', c == '\t':
			s.at++
		case c == '\r' && s.at+1 < len(s.text) && s.text[s.at+1] == '\n':
			s.at++
		case c == '\n':
			s.at++
			s.line++
			return true
		case c == '#', c == '/' && s.at+1 < len(s.text) && s.text[s.at+1] == '/':
			s.at = pastComment(s.text, s.at)
			if s.text[s.at-1] == '\n' {
				s.line++
			}
			return true
		default:
			return false
		}
	}
	return true
}

// pastComment is the position after a comment, its newline included; -1 where there is none, or one without an end.
func pastComment(text []byte, at int) int {
	rest := text[at:]
	switch {
	case rest[0] == '#' || bytes.HasPrefix(rest, []byte("//")):
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			return len(text)
		}
		return at + end + 1
	case bytes.HasPrefix(rest, []byte("/*")):
		if end := bytes.Index(rest[2:], []byte("*/")); end >= 0 {
			return at + 2 + end + 2
		}
	}
	return -1
}

// telling are the bytes at which something may open or close.
var telling = [256]bool{'"': true, '{': true, '}': true, '#': true, '/': true, '<': true}

// pastBrace is the position after the brace that closes what is open at a position, or -1.
func pastBrace(text []byte, at, depth int) int {
	if depth > maxNesting {
		return -1
	}
	for open := 1; at < len(text); {
		c := text[at]
		if !telling[c] {
			at++
			continue
		}
		switch c {
		case '{':
			open++
			at++
		case '}':
			at++
			if open--; open == 0 {
				return at
			}
		case '"':
			at = pastQuote(text, at+1, depth+1)
		case '<':
			at = pastHeredoc(text, at, depth+1)
		default:
			if end := pastComment(text, at); end >= 0 {
				at = end
			} else {
				at++ // a division
			}
		}
		if at < 0 {
			return -1
		}
	}
	return -1
}

// pastQuote is the position after the quote that closes a text, or -1.
func pastQuote(text []byte, at, depth int) int {
	for at >= 0 && at < len(text) {
		switch c := text[at]; c {
		case '"':
			return at + 1
		case '\n':
			return -1
		case '\\':
			at += 2
		case '$', '%':
			at = pastSequence(text, at, depth)
		default:
			at++
		}
	}
	return -1
}

// pastSequence is the position after ${...}, %{...}, an escape of these, or a plain character.
func pastSequence(text []byte, at, depth int) int {
	c, rest := text[at], text[at:]
	switch {
	case len(rest) > 2 && rest[1] == c && rest[2] == '{':
		return at + 3
	case len(rest) > 1 && rest[1] == '{':
		return pastBrace(text, at+2, depth+1)
	}
	return at + 1
}

// pastHeredoc is the position after the last line of a heredoc, or after what only looks like one.
func pastHeredoc(text []byte, at, depth int) int {
	rest := text[at:]
	end := bytes.IndexByte(rest, '\n')
	if len(rest) < 3 || rest[1] != '<' || end < 0 {
		return at + 1
	}
	marker := bytes.TrimSuffix(bytes.TrimPrefix(rest[2:end], []byte("-")), []byte("\r"))
	if !hclsyntax.ValidIdentifier(string(marker)) {
		return at + 1
	}
	for at += end + 1; at >= 0 && at < len(text); {
		if line := text[at:]; text[at-1] == '\n' {
			if end := bytes.IndexByte(line, '\n'); end >= 0 && bytes.Equal(bytes.TrimSpace(line[:end]), marker) {
				return at + end
			}
		}
		switch c := text[at]; c {
		case '$', '%':
			at = pastSequence(text, at, depth)
		default:
			at++
		}
	}
	return -1
}
