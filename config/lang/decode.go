package lang

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// decoder is the state of one Decode.
type decoder struct {
	m        *Module
	block    *Block
	diags    diagnostics
	scope    *scope
	reported bool   // a value was unknown, for a reason that was reported
	lost     []lost // text that was left out: what is missing there may only have stood in it
}

// Decode evaluates everything in a block that the schema names, with dynamic blocks expanded, and reports what is
// unknown, missing, repeated, or of the wrong type. The body is never nil; what was wrong in it is Invalid.
func (m *Module) Decode(b *Block, s *Schema) (body *Body, diags hcl.Diagnostics) {
	d := &decoder{m: m, block: b, scope: m.scope, lost: b.lost, diags: diagnostics{display: m.display}}
	body = d.body(s, b.DefRange)
	body.Label = Value[string]{V: b.Name, Range: b.NameRange, State: Valid}
	defer func() {
		if p := recover(); p != nil {
			body.broken = true
			d.diags.error(RuleInternal, b.DefRange, "weir failed on this block", broke(p))
		}
		failed := m.failed
		diags = m.finish(&d.diags)
		m.failed = failed
	}()
	d.fill(b.in, body, b.Kind)
	return
}

// shapeOf is what split needs of a schema, made once for each.
func (m *Module) shapeOf(s *Schema, typ string) *shape {
	if known, ok := m.shapes[s]; ok {
		return known
	}
	out := &shape{blocks: map[string]int{}, values: map[string]string{}, hints: s.Hints, where: article(typ) + " block"}
	for _, a := range s.Attributes {
		out.attributes = append(out.attributes, a.Name)
		switch a.Type {
		case StringMap:
			out.values[a.Name] = "{ ... }"
		case StringList, ReferenceList:
			out.values[a.Name] = "[...]"
		}
	}
	for _, b := range s.Blocks {
		out.blocks[b.Type] = 1
		if b.Label == NoLabel {
			out.blocks[b.Type] = 0
		}
	}
	if len(s.Blocks) > 0 {
		out.blocks[dynamicBlock] = 1
	}
	m.shapes[s] = out
	return out
}

// article puts "a" or "an" before a word.
func article(word string) string {
	if word != "" && strings.ContainsRune("aeiou", rune(word[0])) || strings.HasPrefix(word, "http") {
		return "an " + word
	}
	return "a " + word
}

// fill evaluates what stands inside a block into its body.
func (d *decoder) fill(in inside, b *Body, typ string) {
	before, reported := d.diags.faults, d.reported
	d.reported = false
	c := in.split(d.m.shapeOf(b.schema, typ), &d.diags)
	for i := range c.settings {
		d.setting(&c.settings[i], b, in.native == nil)
	}
	g := group{body: b}
	for _, name := range c.wrong {
		if i := b.schema.attribute(name); i >= 0 && b.values[i].state == Absent {
			b.values[i] = value{rng: b.DefRange, state: Invalid}
		} else if i := g.at(name); i >= 0 {
			g.open[i] = true
		}
	}
	for _, name := range c.meant { // that it is missing was told by what stands in its place
		if i := b.schema.attribute(name); i >= 0 && b.schema.Attributes[i].Required && b.values[i].state == Absent {
			b.values[i] = value{rng: b.DefRange, state: Invalid}
		} else if i := b.schema.block(name); i >= 0 {
			g.at(name)
			g.open[i] = true
		}
	}
	for i := range c.elements {
		if c.elements[i].typ == dynamicBlock {
			d.dynamic(&c.elements[i], &g)
		} else {
			d.nested(&c.elements[i], &g)
		}
	}
	if list := d.lostIn(in, c); len(list) > 0 {
		b.unsure(list)
		d.reported = true
	} else {
		d.missing(b, typ)
		d.bounds(&g, typ)
	}
	b.broken = d.reported || d.diags.faults > before
	d.reported = d.reported || reported
}

// setting evaluates one attribute.
func (d *decoder) setting(s *setting, b *Body, json bool) {
	i := b.schema.attribute(s.name)
	a := &b.schema.Attributes[i]
	if s.expr == nil {
		b.values[i] = value{rng: s.nameRange, state: Invalid}
		return
	}
	b.values[i] = value{rng: s.expr.Range(), state: Invalid}
	at := position{attribute: s.name, kind: a.Kind, text: a.Type == String || a.Type == StringList || a.Type == StringMap, json: json, iterators: d.scope.iterators}
	if !d.m.check(s.expr, at, &d.diags) {
		return
	}
	if v, ok := d.m.evaluate(s.expr, d.scope.ctx, &d.diags); ok {
		b.values[i] = d.judge(a, s.expr, v, json)
	}
}

// group is the nested blocks of one body as they are collected.
type group struct {
	body  *Body
	names map[label]hcl.Range // NameLabel: rng is zero in the key, text is "type name"
	count []int               // by position in the schema, also those that were dropped
	open  []bool              // a dynamic block's for_each is not known: there may be more
}

// at is the position of a block type, with room for what is counted.
func (g *group) at(typ string) int {
	if g.count == nil {
		g.count = make([]int, len(g.body.schema.Blocks))
		g.open = make([]bool, len(g.body.schema.Blocks))
	}
	return g.body.schema.block(typ)
}

// nested evaluates a block that stands in the text.
func (d *decoder) nested(e *element, g *group) {
	b := d.body(g.body.schema.Blocks[g.at(e.typ)].Schema, e.defRange)
	if len(e.labels) > 0 {
		b.Label = Value[string]{V: e.labels[0].text, Range: e.labels[0].rng, State: Valid}
	}
	d.add(e.typ, e.in, b, g)
}

// add evaluates a nested block whose label is known and gives it to its parent.
func (d *decoder) add(typ string, in inside, b *Body, g *group) {
	i := g.at(typ)
	want := &g.body.schema.Blocks[i]
	keep := d.label(want, b, g)
	labelBad := b.Label.State == Invalid
	d.fill(in, b, typ)
	b.broken = b.broken || labelBad
	if d.scope.unsure {
		return
	}
	g.count[i]++
	if want.Max > 0 && g.count[i] == want.Max+1 {
		d.tooMany(want, b)
	}
	if keep {
		g.body.blocks[i] = append(g.body.blocks[i], b)
	}
}

// label checks a nested block's label; keep is false for the second block of a name.
func (d *decoder) label(want *BlockType, b *Body, g *group) (keep bool) {
	if b.Label.State != Valid {
		return true
	}
	l := label{b.Label.V, b.Label.Range}
	switch want.Label {
	case FreeLabel:
		if l.text == "" {
			d.diags.error(RuleName, l.rng, fmt.Sprintf("Empty label of %s", article(want.Type)), "Write what it stands for between the quotes.")
			b.Label.State = Invalid
		} else if holdsTemplate(l.text) {
			d.diags.error(RuleName, l.rng, labelSummary, labelDetail(isJSON(l.rng.Filename)))
			b.Label.State = Invalid
		}
	case NameLabel:
		if !checkName(want.Type, l, &d.diags) {
			b.Label.State = Invalid
			return true
		}
		if d.scope.unsure {
			return true
		}
		key := label{text: want.Type + " " + l.text}
		if first, again := g.names[key]; again {
			sameName(want.Type, l, first, &d.diags)
			return false
		}
		if g.names == nil {
			g.names = map[label]hcl.Range{}
		}
		g.names[key] = l.rng
	}
	return true
}

func (d *decoder) tooMany(want *BlockType, b *Body) {
	summary, remedy := fmt.Sprintf("More than %d %s blocks", want.Max, want.Type), fmt.Sprintf("There may be at most %d of them here.", want.Max)
	if want.Max == 1 {
		summary, remedy = fmt.Sprintf("A second %s block", want.Type), "There may be only one here. Put what they say into one block."
	}
	d.diags.error(RuleDuplicate, b.DefRange, summary, remedy)
}

// missing reports attributes that must be said and are not.
func (d *decoder) missing(b *Body, typ string) {
	for i := range b.schema.Attributes {
		a := &b.schema.Attributes[i]
		if !a.Required || b.values[i].state != Absent {
			continue
		}
		at, remedy := b.DefRange, fmt.Sprintf("%s block needs the attribute %q; its value is %s.", upperFirst(article(typ)), a.Name, describe(a))
		if b.values[i].rng != (hcl.Range{}) {
			at, remedy = b.values[i].rng, remedy+" null is the same as not saying it."
		}
		d.diags.error(RuleMissing, at, fmt.Sprintf("Missing attribute %q", a.Name), remedy)
	}
}

// lostIn are the mistakes that stood directly in a body, not in a block inside it.
func (d *decoder) lostIn(in inside, c content) []lost {
	if len(d.lost) == 0 || in.native == nil {
		return nil
	}
	var list []lost
	for _, l := range d.lost {
		direct := within(l.at, in.native)
		for i := range c.elements {
			direct = direct && !within(l.at, c.elements[i].in.native)
		}
		if direct {
			list = append(list, l)
		}
	}
	return list
}

func within(at int, body *hclsyntax.Body) bool {
	return at >= body.SrcRange.Start.Byte && at < body.SrcRange.End.Byte
}

// unsure makes attributes Invalid that stood in the text that was left out.
func (b *Body) unsure(list []lost) {
	for _, l := range list {
		if i := b.schema.attribute(l.name); i >= 0 && b.values[i].state == Absent {
			b.values[i] = value{rng: b.DefRange, state: Invalid}
		}
	}
}

// bounds reports blocks that must be there and are not.
func (d *decoder) bounds(g *group, typ string) {
	if d.scope.unsure {
		return
	}
	for i := range g.body.schema.Blocks {
		want := &g.body.schema.Blocks[i]
		count := 0
		if g.count != nil {
			count = g.count[i]
		}
		if want.Min <= count || g.open != nil && g.open[i] {
			continue
		}
		label, number := "", fmt.Sprintf("at least one %s block", want.Type)
		if want.Label != NoLabel {
			label = "..."
		}
		switch {
		case want.Min > 1:
			number = fmt.Sprintf("at least %d %s blocks", want.Min, want.Type)
		case want.Max == 1:
			number = article(want.Type) + " block"
		}
		d.diags.error(RuleMissing, g.body.DefRange, fmt.Sprintf("Missing block %q", want.Type),
			fmt.Sprintf("%s block needs %s. Write: %s", upperFirst(article(typ)), number, blockSample(want.Type, label, isJSON(g.body.DefRange.Filename))))
	}
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// keyword is the single word that an expression is, in JSON a string.
func keyword(expr hclsyntax.Expression, json bool) string {
	if !json {
		return hcl.ExprAsKeyword(expr)
	}
	if t, ok := expr.(*hclsyntax.TemplateExpr); ok && t.IsStringLiteral() {
		v, _ := t.Value(nil)
		return v.AsString()
	}
	return ""
}
