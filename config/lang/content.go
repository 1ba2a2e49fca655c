package lang

import (
	"fmt"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// inside is what stands between a block's braces, in one of the two syntaxes.
type inside struct {
	native *hclsyntax.Body
	json   hcl.Expression // an object, where native is nil
}

// setting is NAME = VALUE as it stands in the text.
type setting struct {
	name      string
	nameRange hcl.Range
	expr      hclsyntax.Expression
}

// label is a word or a quoted text after a block's type.
type label struct {
	text string
	rng  hcl.Range
}

// element is a nested block as it stands in the text.
type element struct {
	typ       string
	typeRange hcl.Range
	labels    []label
	defRange  hcl.Range
	in        inside
}

// content is a block's inside, split by what its schema names.
type content struct {
	settings []setting // by position in the text
	elements []element // by position in the text
	wrong    []string  // names that the shape knows and that stand there in a wrong form, which was reported
	meant    []string  // names that unknown ones are most likely meant for
}

// shape is what split needs to know: how many labels each block type has. A "dynamic" block has one: its type.
type shape struct {
	attributes []string
	blocks     map[string]int
	values     map[string]string // of attributes, how a message writes them: "[...]"
	hints      map[string]string // as Schema has them
	where      string            // "an upstream block", for messages
	static     bool              // "dynamic" is not to be offered
}

// has tells that the shape knows an attribute.
func (s *shape) has(attribute string) bool {
	for _, a := range s.attributes {
		if a == attribute {
			return true
		}
	}
	return false
}

// names are all names that the shape knows, for suggestions.
func (s *shape) names() []string {
	names := append([]string(nil), s.attributes...)
	for typ := range s.blocks {
		if typ != dynamicBlock || !s.static {
			names = append(names, typ)
		}
	}
	sort.Strings(names)
	return names
}

// split sorts what stands inside a block into attributes and blocks, and reports what the shape does not know.
func (in inside) split(s *shape, d *diagnostics) content {
	if in.native != nil {
		return splitNative(in.native, s, d)
	}
	return splitJSON(in.json, s, d)
}

func splitNative(body *hclsyntax.Body, s *shape, d *diagnostics) content {
	var c content
	for name, attr := range body.Attributes {
		if attr == nil {
			continue
		}
		if !s.has(name) {
			unknownAttribute(name, attr.NameRange, s, d)
			c.wrong, c.meant = append(c.wrong, name), append(c.meant, s.meant(name))
			continue
		}
		c.settings = append(c.settings, setting{name: name, nameRange: attr.NameRange, expr: attr.Expr})
	}
	if len(c.settings) > 1 {
		sort.Slice(c.settings, func(i, j int) bool {
			return c.settings[i].nameRange.Start.Byte < c.settings[j].nameRange.Start.Byte
		})
	}
	for _, block := range body.Blocks {
		want, known := s.blocks[block.Type]
		if !known {
			unknownBlock(block.Type, block.TypeRange, s, d)
			c.wrong, c.meant = append(c.wrong, block.Type), append(c.meant, s.meant(block.Type))
			continue
		}
		e := nativeElement(block)
		if labelsFit(&e, want, block, d) {
			c.elements = append(c.elements, e)
		} else {
			c.wrong = append(c.wrong, block.Type)
		}
	}
	return c
}

func nativeElement(block *hclsyntax.Block) element {
	e := element{typ: block.Type, typeRange: block.TypeRange, defRange: block.DefRange(), in: inside{native: block.Body}}
	for i, text := range block.Labels {
		e.labels = append(e.labels, label{text, block.LabelRanges[i]})
	}
	return e
}

// labelsFit reports labels that lack or are too many.
func labelsFit(e *element, want int, block *hclsyntax.Block, d *diagnostics) bool {
	switch {
	case len(e.labels) < want:
		d.error(RuleMissing, block.TypeRange, "Missing label",
			fmt.Sprintf("A block of type %q has a label. Write: %s \"...\" { ... }", e.typ, e.typ))
		return false
	case len(e.labels) > want:
		remedy := "has no label"
		if want == 1 {
			remedy = "has one label"
		}
		d.error(RuleUnknown, e.labels[want].rng, "Label not expected",
			fmt.Sprintf("A block of type %q %s. Remove this one.", e.typ, remedy))
		return false
	}
	return true
}

func unknownAttribute(name string, at hcl.Range, s *shape, d *diagnostics) {
	if labels, isBlock := s.blocks[name]; isBlock {
		example := name + " {"
		if labels > 0 {
			example = name + ` "..." {`
		}
		d.error(RuleUnknown, at, "A block is written without =",
			fmt.Sprintf("In %s, %q is a block. Write: %s ... }", s.where, name, example))
		return
	}
	d.error(RuleUnknown, at, fmt.Sprintf("Unknown attribute %q", name), unknownDetail(name, s))
}

func unknownBlock(typ string, at hcl.Range, s *shape, d *diagnostics) {
	if s.has(typ) {
		value := s.values[typ]
		if value == "" {
			value = "..."
		}
		d.error(RuleUnknown, at, "An attribute is written with =",
			fmt.Sprintf("In %s, %q is an attribute. Write: %s = %s", s.where, typ, typ, value))
		return
	}
	d.error(RuleUnknown, at, fmt.Sprintf("Unknown block %q", typ), unknownDetail(typ, s))
}

// unknownDetail says what is meant, or names what is near, or all there is.
func unknownDetail(name string, s *shape) string {
	names, hint := s.names(), s.hints[strings.ToLower(name)]
	detail := fmt.Sprintf("There is no %q in %s.", name, s.where)
	switch near := Suggest(name, names); {
	case strings.Contains(hint, " "):
		return detail + " " + hint
	case hint != "":
		return detail + fmt.Sprintf(" Did you mean %q?", hint)
	case near != "":
		return detail + " " + near
	case s.hints[""] != "":
		return detail + " " + strings.ReplaceAll(s.hints[""], "%s", name)
	case len(names) == 0:
		return detail + " Nothing may stand there."
	}
	return detail + " It may hold: " + enumerate(names) + "."
}

// meant is the name that an unknown one is most likely meant for, or empty.
func (s *shape) meant(name string) string {
	if _, isBlock := s.blocks[name]; isBlock || s.has(name) {
		return ""
	}
	if hint := s.hints[strings.ToLower(name)]; hint != "" {
		if strings.Contains(hint, " ") {
			return ""
		}
		return hint
	}
	if near := nearby(name, s.names()); len(near) == 1 {
		return near[0]
	}
	return ""
}
