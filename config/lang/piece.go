package lang

import (
	"bytes"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// header is what stands before a block's brace.
type heading struct {
	typ    string
	label  string
	labels int
}

// headingOf reads the first words of a native piece, where they are as people write them.
func headingOf(text []byte) (h heading, ok bool) {
	rest := bytes.TrimLeft(text, " \t")
	n := 0
	for n < len(rest) && wordByte(rest[n]) {
		n++
	}
	h.typ = string(rest[:n])
	rest = bytes.TrimLeft(rest[n:], " \t")
	switch {
	case len(rest) == 0:
		return h, false
	case rest[0] == '"':
		end := bytes.IndexAny(rest[1:], "\"\\$%\n")
		if end < 0 || rest[1+end] != '"' {
			return h, false
		}
		h.label, h.labels, rest = string(rest[1:1+end]), 1, rest[end+2:]
	case wordByte(rest[0]):
		n = 0
		for n < len(rest) && wordByte(rest[n]) {
			n++
		}
		h.label, h.labels, rest = string(rest[:n]), 1, rest[n:]
	}
	rest = bytes.TrimLeft(rest, " \t")
	return h, h.typ != "" && len(rest) > 0 && rest[0] == '{'
}

// elements parses a piece; ok is false where the least is wrong with it. Positions count from the piece's start, unless
// it is asked for at its own place.
func (w *Workspace) elements(p *piece, name string, at hcl.Pos) ([]element, bool) {
	f := File{Name: name, Bytes: p.text()}
	if p.isJSON() && name == here {
		f.Name = here + ".json"
	}
	if unreadable(f) != nil {
		return nil, false
	}
	var d diagnostics
	var in inside
	if p.isJSON() {
		parsed := parseJSON(f, &d)
		if parsed == nil {
			return nil, false
		}
		in = parsed.in
	} else {
		file, diags := hclsyntax.ParseConfig(f.Bytes, f.Name, at)
		body, ok := file.Body.(*hclsyntax.Body)
		if !ok || len(diags) > 0 || len(body.Attributes) > 0 || len(body.Blocks) != 1 ||
			body.Blocks[0].CloseBraceRange.End.Byte != at.Byte+len(f.Bytes) {
			return nil, false
		}
		in.native = body
	}
	list := in.split(w.top, &d).elements
	return list, len(d.list) == 0
}

// block is a unit's block, parsed.
func (w *Workspace) block(u *Unit) (*Block, bool) {
	e, ok := u.piece.parsed[Ref{u.Kind, u.Name}]
	if !ok {
		if u.piece.isJSON() {
			return nil, false
		}
		list, good := w.elements(u.piece, here, hcl.InitialPos)
		if !good || len(list) != 1 || list[0].typ != u.Kind || list[0].labels[0].text != u.Name {
			return nil, false
		}
		e = list[0]
	}
	return &Block{Kind: u.Kind, Name: u.Name, NameRange: e.labels[0].rng, DefRange: e.defRange, anchor: u.anchor, in: e.in}, true
}

// commonPrefix is the number of bytes with which both texts start.
func commonPrefix(a, b []byte) int {
	const step = 1 << 14
	n, at := min(len(a), len(b)), 0
	for at+step <= n && bytes.Equal(a[at:at+step], b[at:at+step]) {
		at += step
	}
	for at < n && a[at] == b[at] {
		at++
	}
	return at
}

// commonSuffix is the number of bytes with which both texts end.
func commonSuffix(a, b []byte) int {
	const step = 1 << 14
	n, at := min(len(a), len(b)), 0
	for at+step <= n && bytes.Equal(a[len(a)-at-step:len(a)-at], b[len(b)-at-step:len(b)-at]) {
		at += step
	}
	for at < n && a[len(a)-1-at] == b[len(b)-1-at] {
		at++
	}
	return at
}
