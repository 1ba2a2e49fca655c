package lang

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// expr is an expression in both syntaxes.
type expr struct {
	native string
	json   any
}

// block is a block in both syntaxes.
type block struct {
	typ, label string
	settings   map[string]expr
	blocks     []block
}

// text is any text, with all that either syntax escapes.
func drawText(t *rapid.T) expr {
	s := rapid.StringOf(rapid.SampledFrom([]rune("ab \"\\\n\tü$%{}#é日"))).Draw(t, "text")
	var native strings.Builder
	for _, r := range escapeTemplates(s) {
		switch r {
		case '"', '\\':
			native.WriteRune('\\')
			native.WriteRune(r)
		case '\n':
			native.WriteString(`\n`)
		case '\t':
			native.WriteString(`\t`)
		default:
			native.WriteRune(r)
		}
	}
	return expr{`"` + native.String() + `"`, escapeTemplates(s)}
}

func escapeTemplates(s string) string {
	s = strings.ReplaceAll(s, "$", "a$b") // so that $$ { never meet by accident
	s = strings.ReplaceAll(s, "%", "a%b")
	return strings.ReplaceAll(s, "{", "$${")
}

// computed is an expression; in JSON it stands in a string.
func computed(text string) expr { return expr{text, "${" + text + "}"} }

func drawExpr(t *rapid.T, typ Type) expr {
	switch typ {
	case Int:
		n := rapid.IntRange(-5, 70000).Draw(t, "number")
		return rapid.SampledFrom([]expr{{fmt.Sprint(n), n}, computed("local.seven"), computed("local.seven * 2"), computed(`length("abc")`)}).Draw(t, "int")
	case Bool:
		return rapid.SampledFrom([]expr{{"true", true}, {"false", false}, computed("local.seven > 3"), computed("vpc.a == vpc.b")}).Draw(t, "bool")
	case Duration:
		return rapid.SampledFrom([]expr{{`"15s"`, "15s"}, computed(`"${local.seven}ms"`), {`"${local.seven}m"`, "${local.seven}m"}}).Draw(t, "duration")
	case Reference:
		return rapid.SampledFrom([]expr{computed("vpc.a"), computed(`vpc["1st"]`), computed("vpc[local.name]"), computed("true ? vpc.b : vpc.a"), {"null", nil}}).Draw(t, "reference")
	case ReferenceList:
		n := rapid.IntRange(0, 3).Draw(t, "length")
		out := expr{"[", []any{}}
		for range n {
			out.native += "vpc.a, "
			out.json = append(out.json.([]any), "${vpc.a}")
		}
		out.native += "]"
		return rapid.SampledFrom([]expr{out, computed("values(vpc)"), computed("[for v in vpc : v if v != vpc.a]")}).Draw(t, "references")
	case StringList:
		out := expr{"[", []any{}}
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			e := drawText(t)
			out.native += e.native + ", "
			out.json = append(out.json.([]any), e.json)
		}
		out.native += "]"
		return rapid.SampledFrom([]expr{out, computed("keys(vpc)"), computed(`[for n in ["x"] : upper(n)]`)}).Draw(t, "list")
	}
	return rapid.SampledFrom([]expr{drawText(t), {`"a ${local.name} b"`, "a ${local.name} b"}, computed(`format("%d", local.seven)`), {"null", nil}}).Draw(t, "string")
}

func drawBlock(t *rapid.T, typ, label string, s *Schema, dynamic bool) block {
	b := block{typ: typ, label: label, settings: map[string]expr{}}
	for _, a := range s.Attributes {
		known := a.Kind == "" || a.Kind == "vpc"
		if known && (a.Required || rapid.Bool().Draw(t, a.Name)) {
			b.settings[a.Name] = drawExpr(t, a.Type)
			if a.Required {
				b.settings[a.Name] = computed("vpc.a")
			}
		}
	}
	for _, want := range s.Blocks {
		most := 3
		if want.Max > 0 {
			most = want.Max
		}
		for i := range rapid.IntRange(want.Min, most).Draw(t, want.Type) {
			label := ""
			if want.Label != NoLabel {
				label = fmt.Sprintf("l%d", i)
			}
			inner := drawBlock(t, want.Type, label, want.Schema, dynamic)
			if dynamic && want.Type != "instance" && rapid.IntRange(0, 3).Draw(t, "dynamic") == 0 {
				inner = dynamically(inner)
			}
			b.blocks = append(b.blocks, inner)
		}
	}
	return b
}

// dynamically is a dynamic block that makes one block.
func dynamically(b block) block {
	d := block{typ: "dynamic", label: b.typ, settings: map[string]expr{"for_each": {fmt.Sprintf("[%q]", b.label), []any{b.label}}}}
	if b.label != "" {
		d.settings["labels"] = expr{fmt.Sprintf("[%s.value]", b.typ), []any{fmt.Sprintf("${%s.value}", b.typ)}}
	}
	content := b
	content.typ, content.label = "content", ""
	d.blocks = []block{content}
	return d
}

func (b block) asNative(out *strings.Builder, indent string) {
	out.WriteString(indent + b.typ)
	if b.label != "" {
		fmt.Fprintf(out, " %q", b.label)
	}
	out.WriteString(" {\n")
	for name, e := range b.settings {
		fmt.Fprintf(out, "%s  %s = %s\n", indent, name, e.native)
	}
	for _, inner := range b.blocks {
		inner.asNative(out, indent+"  ")
	}
	out.WriteString(indent + "}\n")
}

// inside is the block's JSON object: blocks of a type are a list of objects, so that their order stays.
func (b block) asJSON() map[string]any {
	object := map[string]any{}
	for name, e := range b.settings {
		object[name] = e.json
	}
	for _, inner := range b.blocks {
		one := any(inner.asJSON())
		if inner.label != "" {
			one = map[string]any{inner.label: one}
		}
		list, _ := object[inner.typ].([]any)
		object[inner.typ] = append(list, one)
	}
	return object
}

const surroundings = `
vpc "a" {}
vpc "b" {}
vpc "1st" {}
locals {
  name  = "b"
  seven = 7
}
`

// TestSameInJSON holds that a text and its JSON form say the same.
func TestSameInJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		top := block{}
		for _, kind := range []string{"upstream", "instance"} {
			for i := range rapid.IntRange(0, 3).Draw(t, kind) {
				top.blocks = append(top.blocks, drawBlock(t, kind, fmt.Sprintf("n%d", i), testSchemas[kind], true))
			}
		}
		var native strings.Builder
		native.WriteString("# native\n")
		for _, b := range top.blocks {
			b.asNative(&native, "")
		}
		asJSON, err := json.Marshal(top.asJSON())
		if err != nil {
			t.Fatal(err)
		}
		one, other := dumpAll(t, "a.hcl", []byte(native.String())), dumpAll(t, "a.hcl.json", asJSON)
		for i, b := range top.blocks {
			id := b.typ + "." + b.label
			if one[id] == "" || cmp.Diff(one[id], other[id]) != "" {
				t.Fatalf("block %d %s differs: %s\n%s\n%s", i, id, cmp.Diff(one[id], other[id]), native.String(), asJSON)
			}
		}
	})
}

// dumpAll is what a text says, by block. JSON keeps no order between blocks of one type and its dynamic form: the
// blocks of each type are sorted by label.
func dumpAll(t *rapid.T, name string, text []byte) map[string]string {
	m, bodies, diags := loadAll(Input{
		Root: "/nowhere", Kinds: testKinds,
		Files: []File{{Name: name, Bytes: text}, {Name: "around.hcl", Bytes: []byte(surroundings)}},
	})
	if len(diags) > 0 {
		t.Fatalf("%s:\n%s\n%s", name, text, render(m, diags))
	}
	out := map[string]string{}
	for id, b := range bodies {
		sortBlocks(b)
		out[id] = id + "\n" + dump(b, "  ")
	}
	return out
}
