package lang

import (
	"bytes"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Bounds of a text. Parsers and evaluation recurse: without a bound a small hostile file ends the whole program,
// since Go cannot recover from a full stack.
const (
	maxNesting   = 100  // brackets, braces, strings and interpolations inside each other
	maxOperators = 1000 // operators of an expression and of those around it: a + b + c ... nests as deep as it is long
)

// frame is something in the text that is open.
type frame struct {
	open      byte   // '{' '[' '(' as they are, '$' an interpolation, '"' a string, '<' a heredoc, 't' a bare template
	marker    []byte // of a heredoc
	outside   int    // operators of the expressions around it
	operators int    // those, and of the expression inside so far
}

// scanner walks over native syntax byte by byte, as HCL's lexer does, but at a fraction of its cost and without
// recursion. It knows what is open at each byte, and nothing of grammar.
type scanner struct {
	src    []byte
	at     int
	open   []frame
	bottom frame // the file itself

	depth, operators int // the most that was seen
	deepest, longest int // where

	names *nameScan // nil: nobody asks for the blocks' names
}

// scanNative walks over a file.
func scanNative(src []byte, names *nameScan) *scanner {
	s := &scanner{src: src, names: names}
	if bytes.HasPrefix(src, byteOrderMark) {
		s.at = len(byteOrderMark)
	}
	s.run()
	return s
}

// scanTemplate walks over a template without quotes.
func scanTemplate(src []byte) *scanner {
	s := &scanner{src: src}
	s.push('t')
	s.run()
	return s
}

func (s *scanner) run() {
	for s.at < len(s.src) {
		s.step()
	}
}

// step takes what stands at the current byte.
func (s *scanner) step() {
	switch s.top().open {
	case '"', '<', 't':
		s.template()
	default:
		s.expression()
	}
}

func (s *scanner) top() *frame {
	if len(s.open) == 0 {
		return &s.bottom
	}
	return &s.open[len(s.open)-1]
}

func (s *scanner) push(open byte) {
	outside := s.top().operators
	s.open = append(s.open, frame{open: open, outside: outside, operators: outside})
	if len(s.open) > s.depth {
		s.depth, s.deepest = len(s.open), s.at
	}
}

func (s *scanner) operator() {
	f := s.top()
	f.operators++
	if f.operators > s.operators {
		s.operators, s.longest = f.operators, s.at
	}
}

// next starts another expression.
func (s *scanner) next() {
	f := s.top()
	f.operators = f.outside
}

// rest is what follows the current byte, itself included.
func (s *scanner) rest() []byte { return s.src[s.at:] }

// expression takes one step outside of strings.
func (s *scanner) expression() {
	switch c := s.src[s.at]; c {
	case '#':
		s.line()
	case '/':
		s.slash()
	case '"':
		s.quote()
	case '<':
		s.heredoc()
	case '{', '[', '(':
		s.operator() // a[x][y]... nests as deep as it is long
		s.names.bracket(c, len(s.open))
		s.push(c)
		s.at++
	case '}', ']', ')':
		s.close(c)
		s.names.closed(len(s.open))
		s.at++
	case ',':
		s.next()
		s.names.end(len(s.open))
		s.at++
	case '\n':
		if open := s.top().open; open == 0 || open == '{' {
			s.next()
		}
		s.names.end(len(s.open))
		s.at++
	case '+', '-', '*', '%', '>', '=', '!', '?', '&', '|', ':':
		if c == '=' {
			s.names.attribute(len(s.open))
		}
		if !s.second() {
			s.operator()
		}
		s.at++
	default:
		s.word()
	}
}

// second tells of the second byte of ==, !=, <=, >=, && and ||.
func (s *scanner) second() bool {
	if s.at == 0 {
		return false
	}
	switch before := s.src[s.at-1]; s.src[s.at] {
	case '=':
		return before == '=' || before == '!' || before == '<' || before == '>'
	case '&', '|':
		return before == s.src[s.at]
	}
	return false
}

// line skips a comment up to the end of its line.
func (s *scanner) line() {
	if end := bytes.IndexByte(s.rest(), '\n'); end >= 0 {
		s.at += end
		return
	}
	s.at = len(s.src)
}

func (s *scanner) slash() {
	rest := s.rest()
	if len(rest) > 1 && rest[1] == '/' {
		s.line()
		return
	}
	if len(rest) > 1 && rest[1] == '*' {
		if end := bytes.Index(rest[2:], []byte("*/")); end >= 0 {
			s.at += 2 + end + 2
			return
		}
	}
	s.operator()
	s.at++
}

// quote opens a string; where blocks may stand it is a label.
func (s *scanner) quote() {
	if s.names.wanted(len(s.open)) {
		if end := bytes.IndexAny(s.src[s.at+1:], "\"\n"); end >= 0 {
			s.names.word(s.src[s.at+1 : s.at+1+end])
		}
	}
	s.push('"')
	s.at++
}

// heredoc opens <<MARKER or <<-MARKER, where it is one.
func (s *scanner) heredoc() {
	rest := s.rest()
	end := bytes.IndexByte(rest, '\n')
	if len(rest) < 3 || rest[1] != '<' || end < 0 {
		s.operator()
		s.at++
		return
	}
	marker := bytes.TrimSuffix(bytes.TrimPrefix(rest[2:end], []byte("-")), []byte("\r"))
	if !hclsyntax.ValidIdentifier(string(marker)) {
		s.operator()
		s.at++
		return
	}
	s.push('<')
	s.top().marker = marker
	s.at += end + 1
	s.heredocLine()
}

// heredocLine ends a heredoc where the line that starts here is its marker.
func (s *scanner) heredocLine() {
	f := s.top()
	end := bytes.IndexByte(s.rest(), '\n')
	if f.open == '<' && end >= 0 && bytes.Equal(bytes.TrimSpace(s.rest()[:end]), f.marker) {
		s.open = s.open[:len(s.open)-1]
		s.at += end
	}
}

// close closes what a bracket closes. Brackets that were left open inside are closed with it; one that closes
// nothing is passed over.
func (s *scanner) close(c byte) {
	for i := len(s.open) - 1; i >= 0; i-- {
		switch open := s.open[i].open; {
		case c == '}' && open == '$', c == '}' && open == '{', c == ']' && open == '[', c == ')' && open == '(':
			s.open = s.open[:i]
			return
		case open == '$' || c != '}' && open == '{':
			return
		}
	}
}

// word takes letters and whatever else has no meaning here.
func (s *scanner) word() {
	from := s.at
	for s.at < len(s.src) && wordByte(s.src[s.at]) {
		s.at++
	}
	if s.at == from {
		s.at++
		return
	}
	if s.names.wanted(len(s.open)) {
		s.names.word(s.src[from:s.at])
	}
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c >= 0x80
}

// template takes one step inside a string, a heredoc or a bare template.
func (s *scanner) template() {
	quoted := s.top().open == '"'
	switch c := s.src[s.at]; {
	case c == '$' || c == '%':
		s.sequence(c)
	case quoted && c == '"':
		s.open = s.open[:len(s.open)-1]
		s.at++
	case quoted && c == '\\' && s.at+1 < len(s.src) && s.src[s.at+1] != '\n' && s.src[s.at+1] != '\r':
		s.at += 2
	case c == '\n':
		s.at++
		s.heredocLine()
	default:
		s.at++
	}
}

// sequence takes ${, %{, their escapes, or a plain character. Directives count as operators, since
// %{if}%{if}... nests without a bracket.
func (s *scanner) sequence(c byte) {
	rest := s.rest()
	switch {
	case len(rest) > 2 && rest[1] == c && rest[2] == '{':
		s.at += 3
	case len(rest) > 1 && rest[1] == '{':
		if c == '%' {
			s.operator()
		}
		s.push('$')
		s.at += 2
	default:
		s.at++
	}
}
