package lang

import (
	"fmt"
	"slices"
)

// BlockNames are the ids of the blocks in one file's text, sorted, each once: of the top level such as
// "upstream.orders" or "locals", of those inside such as "upstream.orders/node.127.0.0.1:9001" or
// "service.shop/api.all/backend", with "#2" behind the second of a name. JSON does not tell labels from types: there
// it is "upstream.orders/node/127.0.0.1:9001". It never fails: of a text that does not parse it gives what can be
// recognised.
func BlockNames(f File) []string {
	var ids []string
	room := 1<<20 + 8*len(f.Bytes) // blocks inside each other would have ids that are longer than any memory
	if isJSON(f.Name) {
		n := jsonNames{room: room}
		n.scan(f.Bytes)
		ids = n.ids
	} else {
		n := nameScan{room: room}
		scanNative(f.Bytes, &n)
		ids = n.ids
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// nameScan collects the names of blocks while a scanner walks over a text. A nil one collects nothing.
type nameScan struct {
	ids    []string
	room   int         // bytes that the ids of blocks inside others may still have
	blocks []openBlock // in which the scanner is
	line   []byte      // the words since the last item ended, joined
	in     bool        // an attribute's value
}

// openBlock is a block in which the scanner is.
type openBlock struct {
	id    string
	depth int            // of what is open inside
	seen  map[string]int // how often each name was inside
}

// here tells that blocks may stand at a depth.
func (n *nameScan) here(depth int) bool {
	if n == nil {
		return false
	}
	if last := len(n.blocks) - 1; last >= 0 {
		return n.blocks[last].depth == depth
	}
	return depth == 0
}

// wanted tells that a word at a depth may belong to a block's header.
func (n *nameScan) wanted(depth int) bool { return n.here(depth) && !n.in }

func (n *nameScan) word(w []byte) {
	if len(n.line) > 0 {
		n.line = append(n.line, '.')
	}
	n.line = append(n.line, w...)
}

// attribute takes the "=" that makes the words before it an attribute's name.
func (n *nameScan) attribute(depth int) {
	if n.here(depth) {
		n.line, n.in = n.line[:0], true
	}
}

// end takes the end of an item.
func (n *nameScan) end(depth int) {
	if n.here(depth) {
		n.line, n.in = n.line[:0], false
	}
}

// bracket takes an opening bracket: with words before it a brace opens a block.
func (n *nameScan) bracket(c byte, depth int) {
	if !n.wanted(depth) {
		return
	}
	if c == '{' && len(n.line) > 0 {
		n.blocks = append(n.blocks, openBlock{id: n.found(string(n.line)), depth: depth + 1})
	}
	n.line = n.line[:0]
}

// found notes a block and gives it its id. At the top level a name that is repeated is one.
func (n *nameScan) found(name string) string {
	id := name
	if last := len(n.blocks) - 1; last >= 0 {
		parent := &n.blocks[last]
		if parent.seen == nil {
			parent.seen = map[string]int{}
		}
		parent.seen[name]++
		if n.room -= len(parent.id) + len(name); n.room < 0 {
			return ""
		}
		id = parent.id + "/" + name
		if count := parent.seen[name]; count > 1 {
			id = fmt.Sprintf("%s#%d", id, count)
		}
	}
	n.ids = append(n.ids, id)
	return id
}

// closed takes a closing bracket; so much is still open.
func (n *nameScan) closed(depth int) {
	if n == nil {
		return
	}
	for last := len(n.blocks) - 1; last >= 0 && n.blocks[last].depth > depth; last-- {
		n.blocks = n.blocks[:last]
		n.line, n.in = n.line[:0], false
	}
}
