package lang

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

var dynamicShape = &shape{
	attributes: []string{"for_each", "iterator", "labels"},
	blocks:     map[string]int{"content": 0},
	where:      "a dynamic block",
}

// expansion is a dynamic block as it stands in the text.
type expansion struct {
	typ      string
	typeAt   hcl.Range
	defRange hcl.Range
	json     bool
	forEach  hclsyntax.Expression
	iterator string
	label    hclsyntax.Expression // nil: the block has none, or it was wrong and reported
	noLabel  bool                 // the label was wrong and reported
	content  inside
}

// dynamic expands a dynamic block into the blocks of its type. Its content is checked also when there is none.
func (d *decoder) dynamic(e *element, g *group) {
	x, ok := d.expansion(e, g)
	if !ok {
		if i := g.at(e.labels[0].text); i >= 0 {
			g.open[i] = true // the blocks that it was to make are not missed as well
		}
		return
	}
	items, known := d.items(x)
	outer := d.scope
	defer func() { d.scope = outer }()
	if !known {
		g.open[g.at(x.typ)] = true
	}
	if len(items) == 0 {
		d.scope = outer.with(x.iterator, cty.DynamicVal, cty.DynamicVal)
		d.scope.unsure = true
		d.one(x, g)
		return
	}
	for _, item := range items {
		d.scope = outer.with(x.iterator, item.key, item.value)
		d.one(x, g)
	}
}

// with is the scope inside a dynamic block's content.
func (s *scope) with(iterator string, key, value cty.Value) *scope {
	ctx := s.ctx.NewChild()
	ctx.Variables = map[string]cty.Value{iterator: cty.ObjectVal(map[string]cty.Value{"key": key, "value": value})}
	return &scope{ctx: ctx, iterators: append(append([]string(nil), s.iterators...), iterator), unsure: s.unsure}
}

// expansion reads a dynamic block; ok is false where nothing can be made of it.
func (d *decoder) expansion(e *element, g *group) (x *expansion, ok bool) {
	typ := e.labels[0]
	i := g.at(typ.text)
	if i < 0 {
		d.unknownType(typ, g)
		return nil, false
	}
	x = &expansion{typ: typ.text, typeAt: typ.rng, defRange: e.defRange, json: e.in.native == nil, iterator: typ.text}
	c := e.in.split(dynamicShape, &d.diags)
	ok = true
	iteratorAt := typ.rng
	var labels hclsyntax.Expression
	for _, s := range c.settings {
		if s.expr == nil {
			ok = false
			continue
		}
		switch s.name {
		case "for_each":
			x.forEach = s.expr
		case "iterator":
			x.iterator, iteratorAt = keyword(s.expr, x.json), s.expr.Range()
		case "labels":
			labels = s.expr
		}
	}
	if x.forEach == nil && ok {
		d.diags.error(RuleMissing, e.defRange, `Missing attribute "for_each"`, "A dynamic block makes one block for each element of for_each.")
		ok = false
	}
	if slices.Contains(c.wrong, "content") && len(c.elements) == 0 {
		return nil, false
	}
	if !d.iterator(x, iteratorAt) || !d.content(x, c.elements) {
		return nil, false
	}
	d.labelOf(x, labels, g.body.schema.Blocks[i].Label)
	return x, ok
}

// unknownType reports a dynamic block of a type that does not belong here.
func (d *decoder) unknownType(typ label, g *group) {
	s := g.body.schema
	if s.attribute(typ.text) >= 0 {
		d.diags.error(RuleDynamic, typ.rng, "Dynamic attribute", fmt.Sprintf("%q is an attribute: give it a value with a condition or a \"for\". Only blocks are dynamic.", typ.text))
		return
	}
	var types []string
	for _, b := range s.Blocks {
		types = append(types, b.Type)
	}
	detail := Suggest(typ.text, types)
	if detail == "" {
		detail = "Blocks here: " + enumerate(types) + "."
	}
	d.diags.error(RuleUnknown, typ.rng, fmt.Sprintf("Unknown block %q", typ.text), detail)
}

// iterator checks the name under which content finds the element.
func (d *decoder) iterator(x *expansion, at hcl.Range) bool {
	switch {
	case !hclsyntax.ValidIdentifier(x.iterator):
		d.diags.error(RuleDynamic, at, "Invalid iterator", "An iterator is one word, in native syntax without quotes. Write: "+iteratorSample(x.json))
	case d.m.isRoot(x.iterator):
		d.diags.error(RuleDynamic, at, fmt.Sprintf("Iterator named %q", x.iterator),
			fmt.Sprintf("%q is the root of references and cannot be hidden. Name the iterator: %s", x.iterator, iteratorSample(x.json)))
	default:
		return true
	}
	return false
}

// content takes the one content block.
func (d *decoder) content(x *expansion, blocks []element) bool {
	if len(blocks) == 0 {
		d.diags.error(RuleMissing, x.defRange, `Missing block "content"`, "What each of the blocks holds stands in: "+blockSample("content", "", x.json))
		return false
	}
	for _, second := range blocks[1:] {
		d.diags.error(RuleDuplicate, second.defRange, "A second content block", "There may be only one here. Put what they say into one block.")
	}
	x.content = blocks[0].in
	return true
}

// labelOf takes the one element of labels.
func (d *decoder) labelOf(x *expansion, labels hclsyntax.Expression, want Label) {
	if want == NoLabel {
		if labels != nil {
			d.diags.error(RuleUnknown, labels.Range(), "Label not expected", fmt.Sprintf("A block of type %q has no label. Remove labels.", x.typ))
		}
		return
	}
	if labels == nil {
		d.diags.error(RuleMissing, x.defRange, `Missing attribute "labels"`, fmt.Sprintf("A block of type %q has a label. Write: %s", x.typ, labelsSample(x.iterator, x.json)))
		x.noLabel = true
		return
	}
	tuple, ok := labels.(*hclsyntax.TupleConsExpr)
	if !ok || len(tuple.Exprs) != 1 {
		d.diags.error(RuleDynamic, labels.Range(), "Labels of a dynamic block", fmt.Sprintf("A block of type %q has one label. Write a list of one: %s", x.typ, labelsSample(x.iterator, x.json)))
		x.noLabel = true
		return
	}
	x.label = tuple.Exprs[0]
}

// item is one element of for_each.
type item struct{ key, value cty.Value }

// items are the elements of for_each; known is false where they are not known, which was reported.
func (d *decoder) items(x *expansion) (list []item, known bool) {
	at := x.forEach.Range()
	if !d.m.check(x.forEach, position{attribute: "for_each", json: x.json, iterators: d.scope.iterators}, &d.diags) {
		return nil, false
	}
	v, ok := d.m.evaluate(x.forEach, d.scope.ctx, &d.diags)
	if !ok {
		return nil, false
	}
	if v.ContainsMarked() {
		d.m.mask.learn(v)
		d.diags.error(RuleSensitive, at, "for_each over a sensitive value", "How many blocks there are would show. Use a value that is not sensitive.")
		return nil, false
	}
	if !v.IsKnown() {
		d.unknown(at)
		return nil, false
	}
	if v.IsNull() || !v.CanIterateElements() {
		d.diags.error(RuleDynamic, at, "for_each goes over a list, a set, a map or an object", fmt.Sprintf("This is %s.", orNull(v)))
		return nil, false
	}
	if !d.m.bounded(d.m.meter.Repeat(v.LengthInt()), at, &d.diags) {
		return nil, false
	}
	isSet := v.Type().IsSetType()
	for it := v.ElementIterator(); it.Next(); {
		key, value := it.Element()
		if isSet {
			key = value
		}
		list = append(list, item{key, value})
	}
	return list, true
}

func orNull(v cty.Value) string {
	if v.IsNull() {
		return "null"
	}
	return friendly(v.Type())
}

// one makes the block of one element.
func (d *decoder) one(x *expansion, g *group) {
	b := d.body(g.body.schema.Blocks[g.at(x.typ)].Schema, x.defRange)
	switch {
	case x.label != nil:
		b.Label = d.computedLabel(x)
	case x.noLabel:
		b.Label = Value[string]{Range: x.defRange, State: Invalid}
	}
	d.add(x.typ, x.content, b, g)
}

// computedLabel evaluates a dynamic block's label.
func (d *decoder) computedLabel(x *expansion) Value[string] {
	out := Value[string]{Range: x.label.Range(), State: Invalid}
	if !d.m.check(x.label, position{attribute: "labels", text: true, json: x.json, iterators: d.scope.iterators}, &d.diags) {
		return out
	}
	v, ok := d.m.evaluate(x.label, d.scope.ctx, &d.diags)
	if !ok {
		return out
	}
	if v.ContainsMarked() {
		d.m.mask.learn(v)
		d.diags.error(RuleSensitive, out.Range, "Label from a sensitive value", "A label shows in messages and names. Use a value that is not sensitive.")
		return out
	}
	if !v.IsKnown() {
		d.unknown(out.Range)
		return out
	}
	text, err := convert.Convert(v, cty.String)
	if err != nil || text.IsNull() {
		d.diags.error(RuleType, out.Range, "A label is text", fmt.Sprintf("This is %s.", orNull(v)))
		return out
	}
	out.V, out.State = text.AsString(), Valid
	return out
}
