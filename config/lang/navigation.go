package lang

import (
	"fmt"
	"sort"

	"github.com/hashicorp/hcl/v2"
)

// Outlined is a file that knows the header of the block around a position, as one has that was parsed. It is found out
// when it is asked for.
func Outlined(name string, file *hcl.File) *hcl.File {
	if isJSON(name) || file.Nav != nil {
		return file
	}
	return &hcl.File{Bytes: file.Bytes, Nav: &navigation{text: file.Bytes}}
}

// navigation names blocks in the form of HCL's own.
type navigation struct {
	text   []byte
	blocks []span
	done   bool
}

// ContextString is the header of the block in which a byte stands, or "".
func (n *navigation) ContextString(offset int) string {
	if !n.done {
		n.done = true
		s := splitter{text: n.text, line: 1}
		for {
			block, more, ok := s.next()
			if !more || !ok {
				break
			}
			n.blocks = append(n.blocks, block)
		}
	}
	i := sort.Search(len(n.blocks), func(i int) bool { return n.blocks[i].end > offset })
	if i == len(n.blocks) || n.blocks[i].start > offset {
		return ""
	}
	text := n.text[n.blocks[i].start:n.blocks[i].end]
	h, ok := headingOf(text)
	switch {
	case !ok:
		return ""
	case h.labels == 0:
		return h.typ
	}
	return fmt.Sprintf("%s %q", h.typ, h.label)
}
