package lang

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// blockSample is a block as a message says to write it, in the syntax of the file. Without a label, label is "".
func blockSample(typ, label string, json bool) string {
	switch {
	case json && label == "":
		return fmt.Sprintf(`"%s": {...}`, typ)
	case json:
		return fmt.Sprintf(`"%s": {%q: {...}}`, typ, label)
	case label == "":
		return typ + " { ... }"
	}
	return fmt.Sprintf("%s %q { ... }", typ, label)
}

// settingSample is NAME = VALUE, where the value is an expression.
func settingSample(name, expression string, json bool) string {
	if json {
		return fmt.Sprintf(`%q: "${%s}"`, name, strings.ReplaceAll(expression, `"`, `\"`))
	}
	return name + " = " + expression
}

// labelsSample is the labels of a dynamic block.
func labelsSample(iterator string, json bool) string {
	if json {
		return fmt.Sprintf(`"labels": ["${%s.value}"]`, iterator)
	}
	return fmt.Sprintf("labels = [%s.value]", iterator)
}

// iteratorSample names an iterator.
func iteratorSample(json bool) string {
	if json {
		return `"iterator": "each"`
	}
	return "iterator = each"
}

// localSample declares a local.
func localSample(name string, json bool) string {
	if json {
		return fmt.Sprintf(`"locals": {%q: ...}`, name)
	}
	return fmt.Sprintf("locals { %s = ... }", name)
}

// A label that holds an expression.
const labelSummary = "Label with an expression"

func labelDetail(json bool) string {
	address := `address = "..."`
	if json {
		address = `"address": "..."`
	}
	return "Labels are literal: names stand in the text as they are, without ${...}. Where labels are computed, use a dynamic block with labels, or, for a node, a plain label and " + address + "."
}

// parser is one of HCL's.
type parser func(src []byte, filename string, start hcl.Pos) (hclsyntax.Expression, hcl.Diagnostics)

// inString are the mistakes that a parser finds in the text of a JSON string.
func inString(text string, str hcl.Range, parse parser) hcl.Diagnostics {
	_, diags := parse([]byte(text), str.Filename, hcl.InitialPos) // with positions inside the text
	var list hcl.Diagnostics
	for _, d := range diags {
		out := syntaxMistake(d, []byte(text))
		switch {
		case out.Summary == digitSummary:
			out.Detail = strings.ReplaceAll(out.Detail, `"`, `\"`)
		case d.Summary == "Unterminated template string":
			out.Summary, out.Detail = "Text is not closed", `Text inside an expression starts with \" and ends with \" before the } of the expression.`
		case strings.Contains(d.Detail, "end of the file") && strings.Contains(text, "{"), strings.HasPrefix(d.Summary, "Unclosed template"):
			out.Summary = "Template is not closed"
			out.Detail = "The } that closes ${ or %{ is missing in this text. Where they are meant as they stand, write $${ or %%{."
		default:
			out.Detail = strings.ReplaceAll(out.Detail, "end of the file", "end of the text")
		}
		out.Context = nil
		if out.Subject = shifted(out.Subject, str); len(text) != str.End.Byte-str.Start.Byte-2 {
			out.Subject = &str // there are escapes: positions differ
		}
		list = append(list, out)
	}
	return list
}

// shifted is a range inside the text of a JSON string as one of the file. The string has no escapes, so it stands on
// one line.
func shifted(r *hcl.Range, str hcl.Range) *hcl.Range {
	if r == nil {
		return nil
	}
	move := func(p hcl.Pos) hcl.Pos {
		return hcl.Pos{Line: str.Start.Line, Column: str.Start.Column + p.Column, Byte: min(str.Start.Byte+1+p.Byte, str.End.Byte-1)}
	}
	return &hcl.Range{Filename: str.Filename, Start: move(r.Start), End: move(r.End)}
}

// unknownEach explains each.value, which other programs have: here the element is named after the block.
func (c *checker) unknownEach(t hcl.Traversal) bool {
	if t.RootName() != "each" || len(c.at.iterators) == 0 {
		return false
	}
	iterator, part := c.at.iterators[len(c.at.iterators)-1], "value"
	if len(t) > 1 {
		if name, _ := stepName(t[1]); name == "key" {
			part = name
		}
	}
	c.report(RuleReference, t.SourceRange(), `Unknown name "each"`,
		fmt.Sprintf("In a dynamic block the element is named after the block, or after its iterator. Write: %s.%s", iterator, part))
	return true
}

// truths are other programs' words for true and false, in lower case.
var truths = map[string]string{"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}

// constantDetail is the remedy for a name in a variable's value, of the type want where that is known.
func constantDetail(name, want string) string {
	switch {
	case want == "bool" && truths[strings.ToLower(name)] != "":
		return "The variable's type is bool. Write: " + truths[strings.ToLower(name)]
	case want == "":
		return "A variable's value may use no names. Text stands in quotes."
	}
	return fmt.Sprintf("The variable's type is %s, and its value may use no names. Text stands in quotes.", want)
}

// What Terraform has and a configuration cannot have, by the names of the functions.
const (
	noClock  = "There is no clock and no chance in a configuration: the same files always mean the same. Hand the value in as a variable: --var NAME=VALUE."
	noSecret = "There is no such function: what it makes is different each time. Hand the value in as a variable: --var NAME=VALUE."
)

// absent says of functions that Terraform has why they are not here.
var absent = map[string]string{"timestamp": noClock, "plantimestamp": noClock, "uuid": noClock, "bcrypt": noSecret}

// types are the words of type constraints.
var types = []string{"any", "bool", "list", "map", "number", "object", "optional", "set", "string", "tuple"}

var quotedWord = regexp.MustCompile(`"([^"]*)"`)

// typeDetail adds to HCL's words about a type the one that was most likely meant.
func typeDetail(detail string) string {
	if m := quotedWord.FindStringSubmatch(detail); m != nil && !slices.Contains(types, m[1]) {
		return strings.TrimSpace(detail + " " + Suggest(m[1], types))
	}
	return detail
}

// explainCondition says which two types a condition would have.
func explainCondition(e *hclsyntax.ConditionalExpr, ctx *hcl.EvalContext, out *hcl.Diagnostic) {
	yes, _ := e.TrueResult.Value(ctx)
	no, _ := e.FalseResult.Value(ctx)
	first, second := friendly(yes.Type()), friendly(no.Type())
	if first == second {
		return // lists or objects of different elements: HCL says more
	}
	out.Summary = "Condition with results of two types"
	out.Detail = fmt.Sprintf("Whichever way a condition goes, its result is of one type. The first result is %s, the second is %s.", first, second)
	if yes.Type().IsCapsuleType() && no.Type().IsCapsuleType() {
		out.Detail += " An attribute refers to blocks of one kind."
		out.Extra = ruled{rule: RuleReference}
	}
}

// single is the one element of a list.
func single(v cty.Value) (cty.Value, bool) {
	if !v.CanIterateElements() || v.Type().IsMapType() || v.Type().IsObjectType() || v.LengthInt() != 1 {
		return cty.NilVal, false
	}
	for it := v.ElementIterator(); it.Next(); {
		_, element := it.Element()
		return element, element.IsKnown() && !element.IsNull()
	}
	return cty.NilVal, false
}
