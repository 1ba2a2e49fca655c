package lang

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Bounds of what is laid out anew: a remedy that fills a page is none.
const (
	maxLaidBytes = 4 << 10
	maxLaidLines = 30
)

// laid is a text that starts with a block's header, read by its tokens.
type laid struct {
	brace  int    // the position of the block's {; -1: the text does not start with a header
	end    int    // behind the block's }; the text's length where it is not closed
	lines  bool   // the block goes over several lines
	blocks int    // that it holds, at any depth
	sample string // the block over as many lines as it needs; "" where that is not certain
}

// layOut reads the block whose header a text starts with. The sample says all that the block says, also its comments.
func layOut(text []byte) laid {
	out := laid{brace: -1, end: blockEnd(text)}
	if out.end < 0 {
		out.end, out.lines = len(text), true
	}
	text = text[:min(lineEnd(text, out.end), maxLaidBytes)]
	tokens, _ := hclsyntax.LexConfig(text, "", hcl.InitialPos)
	p := &layoutParser{text: text, tokens: tokens, brace: -1}
	p.skipBlank()
	block := p.block()
	out.brace, out.blocks, out.lines = p.brace, p.blocks, out.lines || p.lines
	if block == nil || !p.rest(block) {
		return out
	}
	var sample strings.Builder
	block.write(&sample, "  ")
	_, diags := hclsyntax.ParseConfig([]byte(sample.String()), "", hcl.InitialPos)
	if !diags.HasErrors() && strings.Count(sample.String(), "\n") <= maxLaidLines {
		out.sample = strings.TrimRight(sample.String(), "\n")
	}
	return out
}

// blockEnd is the position behind the bracket that closes the first one of a text, or -1.
func blockEnd(text []byte) int {
	s := &scanner{src: text}
	for s.at < len(text) {
		before := len(s.open)
		if s.step(); before == 1 && len(s.open) == 0 && text[s.at-1] == '}' {
			return s.at
		}
	}
	return -1
}

// laidBlock is a block to be written.
type laidBlock struct {
	head  string
	items []laidItem
	after string // a comment behind the block
}

// laidItem is an attribute, a comment, or a block.
type laidItem struct {
	text  string
	block *laidBlock
	after string // a comment behind it
}

// write writes the block: on one line where it may stand on one.
func (b *laidBlock) write(out *strings.Builder, indent string) {
	out.WriteString(indent + b.head + " {")
	switch {
	case len(b.items) == 0:
	case len(b.items) == 1 && b.items[0].fitsOneLine():
		out.WriteString(" " + b.items[0].text + " ")
	default:
		out.WriteString("\n")
		for _, item := range b.items {
			item.write(out, indent+"  ")
		}
		out.WriteString(indent)
	}
	out.WriteString("}" + behind(b.after) + "\n")
}

func (i *laidItem) write(out *strings.Builder, indent string) {
	if i.block != nil {
		i.block.after = i.after
		i.block.write(out, indent)
		return
	}
	out.WriteString(indent + i.text + behind(i.after) + "\n")
}

// fitsOneLine tells that the item may share the line of its block's braces.
func (i *laidItem) fitsOneLine() bool {
	return i.block == nil && i.after == "" && !isComment(i.text) && !strings.Contains(i.text, "\n")
}

func isComment(text string) bool { return strings.HasPrefix(text, "#") || strings.HasPrefix(text, "/") }

func behind(comment string) string {
	if comment == "" {
		return ""
	}
	return " " + comment
}

// layoutParser reads blocks whose items may share lines. It gives up where one item ends and the next one starts is
// not certain.
type layoutParser struct {
	text   []byte
	tokens hclsyntax.Tokens
	at     int

	brace, blocks int
	lines         bool
}

func (p *layoutParser) peek() hclsyntax.Token { return p.tokens[min(p.at, len(p.tokens)-1)] }

func (p *layoutParser) between(from, to int) string {
	return strings.TrimSpace(string(p.text[from:to]))
}

func (p *layoutParser) skipBlank() {
	for p.peek().Type == hclsyntax.TokenNewline {
		p.at++
	}
}

// header reads a block's type, its labels and its brace.
func (p *layoutParser) header() (head string, ok bool) {
	from := p.peek().Range.Start.Byte
	for n := 0; ; n++ {
		t := p.peek()
		switch t.Type {
		case hclsyntax.TokenIdent, hclsyntax.TokenOQuote, hclsyntax.TokenQuotedLit, hclsyntax.TokenCQuote:
			if n == 0 && t.Type != hclsyntax.TokenIdent {
				return "", false
			}
			p.at++
		case hclsyntax.TokenOBrace:
			if n == 0 {
				return "", false
			}
			if p.brace < 0 {
				p.brace = t.Range.Start.Byte
			}
			p.at++
			return p.between(from, t.Range.Start.Byte), true
		default:
			return "", false
		}
	}
}

// block reads a block, nil where that is not certain.
func (p *layoutParser) block() *laidBlock {
	head, ok := p.header()
	if !ok {
		return nil
	}
	b, fresh := &laidBlock{head: head}, true // fresh: nothing stands on this line yet that a comment could belong to
	for {
		t := p.peek()
		item := laidItem{}
		switch t.Type {
		case hclsyntax.TokenNewline:
			p.lines, fresh = true, true
			p.at++
			continue
		case hclsyntax.TokenComma, hclsyntax.TokenSemicolon:
			p.at++
			continue
		case hclsyntax.TokenComment:
			p.comment(b, fresh)
			fresh = fresh || isLineComment(t)
			continue
		case hclsyntax.TokenCBrace:
			p.at++
			return b
		case hclsyntax.TokenIdent:
			if p.tokens[p.at+1].Type == hclsyntax.TokenEqual {
				item.text = p.attribute()
			} else {
				if item.block = p.block(); item.block != nil {
					p.blocks++
				}
			}
		}
		if item.text == "" && item.block == nil {
			return nil
		}
		b.items, fresh = append(b.items, item), false
	}
}

// comment takes a comment: behind the item on whose line it stands, else as an item.
func (p *layoutParser) comment(b *laidBlock, fresh bool) {
	t := p.peek()
	p.at++
	p.lines = p.lines || isLineComment(t)
	text := strings.TrimSpace(string(t.Bytes))
	if last := len(b.items) - 1; !fresh && last >= 0 && b.items[last].after == "" && !isComment(b.items[last].text) {
		b.items[last].after = text
		return
	}
	b.items = append(b.items, laidItem{text: text})
}

func isLineComment(t hclsyntax.Token) bool { return !strings.HasPrefix(string(t.Bytes), "/*") }

// attribute reads NAME = VALUE. The value ends with its line, at a separator, or where a word follows that cannot
// belong to it; "" where that is not certain.
func (p *layoutParser) attribute() string {
	from, to := p.peek().Range.Start.Byte, 0
	p.at += 2
	depth, complete := 0, false // complete: what stands before could be a whole value
	for ; ; p.at++ {
		t := p.peek()
		switch t.Type {
		case hclsyntax.TokenEOF:
			return ""
		case hclsyntax.TokenNewline, hclsyntax.TokenComma, hclsyntax.TokenSemicolon:
			if depth == 0 {
				return p.ended(from, to, complete)
			}
		case hclsyntax.TokenComment:
			if depth == 0 && isLineComment(t) {
				return p.ended(from, to, complete)
			}
			to = t.Range.End.Byte
			continue
		case hclsyntax.TokenIdent:
			if depth == 0 && complete {
				return p.ended(from, to, t.Range.Start.Byte > to) // 15s is one word that lacks its quotes
			}
			complete = true
		case hclsyntax.TokenNumberLit:
			complete = true
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc,
			hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			depth++
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc,
			hclsyntax.TokenTemplateSeqEnd:
			if depth == 0 {
				return p.ended(from, to, complete && t.Type == hclsyntax.TokenCBrace)
			}
			depth--
			complete = true
		default:
			complete = false
		}
		to = t.Range.End.Byte
	}
}

func (p *layoutParser) ended(from, to int, whole bool) string {
	if !whole {
		return ""
	}
	return p.between(from, to)
}

// rest takes what follows the outermost block: nothing, or a comment.
func (p *layoutParser) rest(b *laidBlock) bool {
	for ; ; p.at++ {
		switch t := p.peek(); t.Type {
		case hclsyntax.TokenEOF:
			return true
		case hclsyntax.TokenNewline:
		case hclsyntax.TokenComment:
			if b.after != "" {
				return false
			}
			b.after = strings.TrimSpace(string(t.Bytes))
		default:
			return false
		}
	}
}
