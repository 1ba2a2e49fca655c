package lang

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// referenceTo starts the names of the types of references.
const referenceTo = "reference to "

// target is what a reference's value holds: kind and name, nothing to look into.
type target Ref

// What conversions of a reference end with. It is found again in HCL's and cty's messages, which are then replaced by
// words of ours.
var (
	errAsText   = errors.New("a reference cannot become text")
	errAsNumber = errors.New("a reference cannot become a number")
	errAsBool   = errors.New("a reference cannot become true or false")
)

// misused finds what a reference was to become, in our errors and in those of functions.
var misused = regexp.MustCompile(`a reference (?:cannot become (text|a number|true or false)|is not a (number|bool))`)

// misusedReference finds words for a value that was to be made of a reference.
func misusedReference(d, out *hcl.Diagnostic) bool {
	m := misused.FindStringSubmatch(d.Detail)
	if m == nil && !referenceAsCondition(d) {
		return false
	}
	become := "bool"
	if m != nil {
		become = m[1] + m[2]
	}
	if call, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](d); ok && strings.HasPrefix(call.CalledFunctionName(), "to") {
		become = call.CalledFunctionName()[len("to"):] // tonumber takes any value, so its error speaks of text
	}
	out.Extra = ruled{rule: RuleReference}
	out.Detail = "A reference can be listed, compared, chosen and handed on; there is nothing in it to calculate with. Share values through locals."
	switch become {
	case "number", "a number":
		out.Summary = "A reference cannot become a number"
	case "bool", "true or false":
		out.Summary = "A reference cannot become true or false"
	default:
		out.Summary = "A reference cannot become text"
		out.Detail = "A reference can be listed, compared, chosen and handed on; it cannot become text. Write the name itself, or share it through locals."
	}
	return true
}

// referenceAsCondition tells of vpc.main ? 1 : 2, which HCL describes without its type.
func referenceAsCondition(d *hcl.Diagnostic) bool {
	if d.Summary != "Incorrect condition type" || d.Expression == nil {
		return false
	}
	v, _ := d.Expression.Value(d.EvalContext)
	return v.Type().IsCapsuleType()
}

// MarshalJSON refuses: functions that make JSON of a value come here.
func (*target) MarshalJSON() ([]byte, error) { return nil, errAsText }

// referenceType is the type of the references to one kind of block.
func referenceType(kind string) cty.Type {
	equal := func(a, b any) bool { return *a.(*target) == *b.(*target) }
	return cty.CapsuleWithOps(referenceTo+kind, reflect.TypeFor[target](), &cty.CapsuleOps{
		GoString:     func(any) string { return "reference" },
		TypeGoString: func(reflect.Type) string { return "reference" },
		Equals:       func(a, b any) cty.Value { return cty.BoolVal(equal(a, b)) },
		RawEquals:    equal,
		HashKey:      func(v any) string { return v.(*target).Name },
		ConversionFrom: func(dst cty.Type) func(any, cty.Path) (cty.Value, error) {
			if !dst.IsPrimitiveType() {
				return nil
			}
			err := errAsText
			switch dst {
			case cty.Number:
				err = errAsNumber
			case cty.Bool:
				err = errAsBool
			}
			return func(any, cty.Path) (cty.Value, error) { return cty.NilVal, err }
		},
	})
}

// referenceMap is a root of expressions: all names of a kind.
func referenceMap(typ cty.Type, kind string, names map[string]bool) cty.Value {
	if len(names) == 0 {
		return cty.MapValEmpty(typ)
	}
	values := make(map[string]cty.Value, len(names))
	for name := range names {
		values[name] = cty.CapsuleVal(typ, &target{Kind: kind, Name: name})
	}
	return cty.MapVal(values)
}

// asReference is the reference that a value holds.
func asReference(v cty.Value) (Ref, bool) {
	if !v.Type().IsCapsuleType() || v.IsNull() || !v.IsKnown() {
		return Ref{}, false
	}
	t, ok := v.EncapsulatedValue().(*target)
	if !ok {
		return Ref{}, false
	}
	return Ref(*t), true
}

// spelling is how a reference is written, in JSON as a template.
func spelling(r Ref, json bool) string {
	text := r.Kind + "." + r.Name
	if !hclsyntax.ValidIdentifier(r.Name) {
		text = fmt.Sprintf("%s[%q]", r.Kind, r.Name)
		if json {
			text = fmt.Sprintf(`%s[\"%s\"]`, r.Kind, r.Name)
		}
	}
	if json {
		return fmt.Sprintf(`"${%s}"`, text)
	}
	return text
}
