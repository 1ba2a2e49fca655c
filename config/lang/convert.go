package lang

import (
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// judge turns an evaluated expression into what the attribute holds.
func (d *decoder) judge(a *Attribute, expr hclsyntax.Expression, v cty.Value, json bool) value {
	switch a.Type {
	case StringList, ReferenceList:
		return d.list(a, expr, v, json)
	case StringMap:
		return d.texts(a, expr, v, json)
	}
	return d.single(a, v, expr.Range(), json)
}

// single judges a value that is no list, or a list's element.
func (d *decoder) single(a *Attribute, v cty.Value, at hcl.Range, json bool) value {
	out := value{rng: at, state: Invalid}
	v, out.sensitive = d.open(v)
	switch {
	case !v.IsKnown():
		d.unknown(at)
		return out
	case v.IsNull():
		out.state = Absent
		return out
	case a.Type == Reference || a.Type == ReferenceList:
		if out.sensitive {
			d.diags.error(RuleSensitive, at, "Reference by a sensitive value",
				"Which block is meant would show in names. Choose it by a value that is not sensitive.")
			return out
		}
		return d.reference(a, v, at, json)
	case a.Type == Duration:
		return d.duration(a, v, out)
	}
	want := map[Type]cty.Type{String: cty.String, StringList: cty.String, Bool: cty.Bool, Int: cty.Number, Number: cty.Number}[a.Type]
	if ref, is := asReference(v); is {
		d.diags.error(RuleType, at, wrongType(a), fmt.Sprintf("%s is a reference, which cannot become %s.", spelling(ref, json), elementType(a)))
		return out
	}
	converted, err := convert.Convert(v, want)
	if err != nil || converted.IsNull() {
		d.diags.error(RuleType, at, wrongType(a), fmt.Sprintf("The value of %q is %s; this is %s.%s", a.Name, elementType(a), friendly(v.Type()), numberRemedy(a, v, out.sensitive)))
		return out
	}
	switch {
	case want == cty.String:
		out.v = converted.AsString()
	case want == cty.Bool:
		out.v = converted.True()
	case a.Type == Number:
		out.v, _ = converted.AsBigFloat().Float64()
	default:
		whole, ok := wholeNumber(converted)
		if !ok {
			d.diags.error(RuleType, at, wrongType(a), notWhole(a, converted, out.sensitive))
			return out
		}
		out.v = whole
	}
	out.state = Valid
	return out
}

// leadingNumber is a number with something behind it that a reader understands: "50%", "10/s", "60KB".
var leadingNumber = regexp.MustCompile(`^\s*(\d{1,9})\s*(%?)`)

// numberRemedy is the number in a text that starts with one, or true and false in other words, or empty.
func numberRemedy(a *Attribute, v cty.Value, sensitive bool) string {
	if sensitive || v.Type() != cty.String {
		return ""
	}
	m := leadingNumber.FindStringSubmatch(v.AsString())
	switch text := strings.ToLower(v.AsString()); {
	case a.Type == Bool && (text == "yes" || text == "on"):
		return " Write: true"
	case a.Type == Bool && (text == "no" || text == "off"):
		return " Write: false"
	case a.Type == Int && m != nil:
		return " Write: " + m[1]
	case a.Type == Number && m != nil && m[2] == "%":
		number, _ := strconv.ParseFloat(m[1], 64)
		return " Write: " + strconv.FormatFloat(number/100, 'f', -1, 64)
	}
	return ""
}

// open takes the marks off a value; what was sensitive is known to the mask from then on.
func (d *decoder) open(v cty.Value) (cty.Value, bool) {
	if !v.ContainsMarked() {
		return v, false
	}
	d.m.mask.learn(v)
	v, _ = v.UnmarkDeep()
	return v, true
}

// unknown judges a value that is not known: that has a reason that was reported, or it depends on an iterator
// whose values are not known.
func (d *decoder) unknown(at hcl.Range) {
	if d.scope.unsure {
		return
	}
	d.reported = true
	if !d.m.failed && d.diags.errors == 0 {
		d.diags.error(RuleInternal, at, "Value is not known", "This is a mistake in weir, not in the file; please report it.")
	}
}

func wholeNumber(v cty.Value) (int, bool) {
	n, accuracy := v.AsBigFloat().Int64()
	return int(n), accuracy == big.Exact
}

// notWhole says of a number why it is none that an attribute takes.
func notWhole(a *Attribute, v cty.Value, sensitive bool) string {
	n := v.AsBigFloat()
	shown, why := n.Text('g', 10), "has a fraction"
	if n.IsInt() || n.IsInf() {
		why = "is out of all bounds"
	}
	if sensitive {
		shown = "It"
	}
	return fmt.Sprintf("%s %s; the value of %q is a whole number.", shown, why, a.Name)
}

// wrongType is the summary for a value of another type.
func wrongType(a *Attribute) string {
	return fmt.Sprintf("%q is %s", a.Name, describe(a))
}

// describe is an attribute's type, or the kind that it refers to.
func describe(a *Attribute) string {
	switch a.Type {
	case Reference:
		return "a reference to " + article(a.Kind)
	case ReferenceList:
		return "a list of references to " + a.Kind + " blocks"
	}
	return a.Type.String()
}

// elementType is the type of an attribute's value or, of a list, of its elements.
func elementType(a *Attribute) string {
	switch a.Type {
	case StringList:
		return String.String()
	case ReferenceList:
		return "a reference to " + article(a.Kind)
	}
	return describe(a)
}

// friendly names a value's type with an article.
func friendly(t cty.Type) string {
	switch {
	case t == cty.String:
		return "text"
	case t == cty.Bool:
		return "true or false"
	case t.IsListType() || t.IsTupleType() || t.IsSetType():
		return "a list"
	case t.IsMapType() || t.IsObjectType():
		return "an object"
	case t.IsCapsuleType():
		if kind, ok := strings.CutPrefix(t.FriendlyName(), referenceTo); ok {
			return "a reference to " + article(kind)
		}
	}
	return "a " + t.FriendlyName()
}

func (d *decoder) duration(a *Attribute, v cty.Value, out value) value {
	if v.Type() == cty.Number {
		number := v.AsBigFloat().Text('f', -1)
		if out.sensitive {
			number = "..."
		}
		d.diags.error(RuleType, out.rng, wrongType(a), fmt.Sprintf("A number has no unit. Write: \"%ss\"", number))
		return out
	}
	if v.Type() != cty.String {
		d.diags.error(RuleType, out.rng, wrongType(a), fmt.Sprintf("The value of %q is a text with a unit: ms, s, m or h.", a.Name))
		return out
	}
	parsed, err := time.ParseDuration(v.AsString())
	switch {
	case err != nil && out.sensitive:
		d.diags.error(RuleType, out.rng, wrongType(a), "The value, which is sensitive, is no duration. It is a number and a unit (ms, s, m or h).")
	case err != nil:
		d.diags.error(RuleType, out.rng, wrongType(a), fmt.Sprintf("%q is no duration. %s", v.AsString(), durationRemedy(v.AsString())))
	case parsed < 0:
		d.diags.error(RuleType, out.rng, wrongType(a), "A duration cannot be negative.")
	default:
		out.v, out.state = parsed, Valid
	}
	return out
}

// durationWord is one number of a duration with its unit, as other programs write it and people do.
var durationWord = regexp.MustCompile(`(?i)([\d.]+)\s*(milliseconds?|msecs?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|)(?:[\s,]|$|\b)`)

// durationRemedy says what to write, where that can be told.
func durationRemedy(text string) string {
	rest := strings.TrimSpace(durationWord.ReplaceAllString(text, ""))
	var sum time.Duration
	for _, m := range durationWord.FindAllStringSubmatch(text, -1) {
		number, err := strconv.ParseFloat(m[1], 64)
		unit := time.Second
		switch word := strings.ToLower(m[2]); {
		case strings.HasPrefix(word, "min"), word == "m":
			unit = time.Minute
		case strings.HasPrefix(word, "m"):
			unit = time.Millisecond
		case strings.HasPrefix(word, "h"):
			unit = time.Hour
		case strings.HasPrefix(word, "d"):
			unit = 24 * time.Hour
		}
		if err != nil || number > 1e6 {
			rest = text
		}
		sum += time.Duration(number * float64(unit))
	}
	if rest != "" || sum <= 0 {
		return "Write a number and a unit (ms, s, m or h), such as \"500ms\" or \"1m30s\"."
	}
	return fmt.Sprintf("It is a number and a unit (ms, s, m or h), without spaces. Write: %q", spoken(sum))
}

// spoken is a duration without the parts that are nothing.
func spoken(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}

// list judges a list, each element at its own place where the text has one.
func (d *decoder) list(a *Attribute, expr hclsyntax.Expression, v cty.Value, json bool) value {
	out := value{rng: expr.Range(), state: Invalid}
	if v.IsMarked() {
		v, out.sensitive = d.open(v)
	}
	switch ty := v.Type(); {
	case !v.IsKnown():
		d.unknown(out.rng)
		return out
	case v.IsNull():
		out.state = Absent
		return out
	case !ty.IsListType() && !ty.IsTupleType() && !ty.IsSetType():
		d.noList(a, v, out.rng, out.sensitive)
		return out
	}
	places := []hclsyntax.Expression(nil)
	if tuple, ok := expr.(*hclsyntax.TupleConsExpr); ok && len(tuple.Exprs) == v.LengthInt() {
		places = tuple.Exprs
	}
	var texts []Value[string]
	var refs []Value[Ref]
	i := 0
	for it := v.ElementIterator(); it.Next(); i++ {
		_, element := it.Element()
		rng := out.rng
		if places != nil {
			rng = places[i].Range()
		}
		one := d.single(a, element, rng, json)
		if one.state == Absent {
			d.diags.error(RuleType, rng, "null in a list", fmt.Sprintf("The elements of %q are never null. Leave the element out.", a.Name))
			one.state = Invalid
		}
		if a.Type == StringList {
			texts = append(texts, typed[string](one))
		} else {
			refs = append(refs, typed[Ref](one))
		}
	}
	out.state, out.v = Valid, any(texts)
	if a.Type == ReferenceList {
		out.v = refs
	}
	return out
}

// noList reports one value where a list belongs.
func (d *decoder) noList(a *Attribute, v cty.Value, at hcl.Range, sensitive bool) {
	remedy := "Write brackets around it: [...]."
	if text, err := convert.Convert(v, cty.String); err == nil && v.Type().IsPrimitiveType() && a.Type == StringList && !sensitive {
		remedy = fmt.Sprintf("Write brackets around it: [%q]", text.AsString())
	}
	if v.Type().IsMapType() || v.Type().IsObjectType() {
		values := "values(...)"
		if isJSON(at.Filename) {
			values = `"${values(...)}"`
		}
		remedy = "This is an object. Write a list: [...], or " + values + " of it."
	}
	d.diags.error(RuleType, at, wrongType(a), remedy)
}

func typed[T any](v value) Value[T] {
	out := Value[T]{Range: v.rng, State: v.state, Sensitive: v.sensitive}
	if v.state == Valid {
		out.V = v.v.(T)
	}
	return out
}

// reference judges a value where a reference belongs.
func (d *decoder) reference(a *Attribute, v cty.Value, at hcl.Range, json bool) value {
	out := value{rng: at, state: Invalid}
	ref, is := asReference(v)
	switch {
	case is && ref.Kind == a.Kind:
		out.v, out.state = ref, Valid
	case is:
		d.diags.error(RuleReference, at, "Reference to the wrong kind of block",
			fmt.Sprintf("%s is %s; %q refers to %s. %s", spelling(ref, json), article(ref.Kind), a.Name, article(a.Kind), d.right(a.Kind, ref.Name, json)))
	case v.Type() == cty.String:
		d.diags.error(RuleReference, at, "Text where a reference belongs",
			fmt.Sprintf("%q refers to %s block. %s", a.Name, article(a.Kind), d.right(a.Kind, v.AsString(), json)))
	case v.Type().IsMapType() && v.Type().ElementType().IsCapsuleType():
		d.diags.error(RuleReference, at, "Reference without a name",
			fmt.Sprintf("This is the map of all blocks of a kind. %s", d.right(a.Kind, "", json)))
	default:
		d.diags.error(RuleReference, at, wrongType(a),
			fmt.Sprintf("This is %s. %s", friendly(v.Type()), d.right(a.Kind, d.meant(a.Kind, v), json)))
	}
	return out
}

// meant is the name that stands in a list of one, where no list belongs.
func (d *decoder) meant(kind string, v cty.Value) string {
	element, ok := single(v)
	if !ok {
		return ""
	}
	if ref, is := asReference(element); is && ref.Kind == kind {
		return ref.Name
	}
	if element.Type() == cty.String {
		return element.AsString()
	}
	return ""
}

// right is the right spelling of what somebody most likely meant.
func (d *decoder) right(kind, text string, json bool) string {
	name := text
	if prefix := kind + "."; len(name) > len(prefix) && name[:len(prefix)] == prefix {
		name = name[len(prefix):]
	}
	if !d.m.Has(kind, name) {
		name = d.m.near(kind, name)
	}
	if name == "" {
		return "Write: " + spelling(Ref{kind, "NAME"}, json)
	}
	return "Write: " + spelling(Ref{kind, name}, json)
}
