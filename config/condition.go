package config

import (
	"cmp"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/model"
)

const (
	maxConditionText = 256
	// maxRegex and maxRegexProgram keep a regular expression far below the size that Envoy's engine refuses.
	maxRegex        = 256
	maxRegexProgram = 500
)

// matches are the ways of a condition, each an attribute of its block. regex is for headers alone.
var matches = []model.Match{model.MatchExact, model.MatchPrefix, model.MatchSuffix, model.MatchContains, model.MatchRegex}

// decodeMatches reads the blocks of a type, by name and then as they stand in the text. The second result tells that all
// are known.
func (l *loader) decodeMatches(body *lang.Body, typ string) (out []model.Condition, known bool) {
	first := map[string]hcl.Range{}
	known = true
	for _, inner := range body.Blocks(typ) {
		before := len(l.diags)
		name := inner.Label.V
		if typ == "header" {
			name = strings.ToLower(name)
		}
		one := model.Condition{Name: name}
		if inner.Label.Valid() {
			l.checkConditionName(inner.Label, typ, first)
		}
		l.decodeMatch(inner, typ, &one)
		known = known && !inner.Broken() && len(l.diags) == before
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b model.Condition) int { return cmp.Compare(a.Name, b.Name) })
	return out, known
}

func (l *loader) checkConditionName(label lang.Value[string], typ string, first map[string]hcl.Range) {
	name, wrong := label.V, ""
	if typ == "header" {
		name = strings.ToLower(name)
		wrong = wrongConditionHeader(name)
	} else {
		wrong = wrongQueryName(name)
	}
	if wrong != "" {
		l.blame(label, &fault{ruleCondition, "Invalid name of a " + typ, "is not a " + typ + " that a condition can ask for.", wrong, ""})
		return
	}
	if at, again := first[name]; again {
		l.report(ruleCondition, label.Range, "Two conditions on one "+typ,
			"%q is asked for already (%s). All conditions of an API hold at once, so write one block that says what is meant; for headers, regex = \"a|b\" is either of two values.", name, place(at))
		return
	}
	first[name] = label.Range
}

// wrongConditionHeader says why no condition asks for a header, or "".
func wrongConditionHeader(name string) string {
	switch {
	case name == "host" || name == ":authority":
		return "The host decides before APIs are looked at: write it into the service's domains."
	case name == ":method":
		return "Methods stand in the API's methods."
	case name == ":path":
		return "Paths stand in the API's path or path_prefix, and parts of the query in query blocks."
	case name == ":scheme":
		return "Which listeners the API stands on, plain or TLS, is said by the service's listeners."
	}
	return cmp.Or(reservedHeader(name), wrongHeaderName(name))
}

// wrongHeaderName says why a name in lower case is no header, or "".
func wrongHeaderName(name string) string {
	switch {
	case strings.HasPrefix(name, ":"):
		return "Names that start with a colon are no headers."
	case len(name) > 128:
		return "It is longer than 128 characters."
	}
	for _, r := range name {
		if !isAlphanumeric(r) && !strings.ContainsRune("!#$%&'*+-.^_`|~", r) {
			return fmt.Sprintf("The character %q cannot stand in the name of a header.", r)
		}
	}
	if name == "" {
		return "It is empty."
	}
	return ""
}

func wrongQueryName(name string) string {
	for _, r := range name {
		if r < ' ' || r == 0x7f {
			return "It holds a control character."
		}
	}
	if len(name) > 128 {
		return "It is longer than 128 characters."
	}
	return ""
}

// decodeMatch reads how the value of one header or parameter is compared.
func (l *loader) decodeMatch(body *lang.Body, typ string, out *model.Condition) {
	var said []string
	for _, way := range matches {
		if way == model.MatchRegex && typ != "header" {
			continue
		}
		v := body.String(string(way))
		if !v.Said() {
			continue
		}
		said = append(said, string(way))
		out.Match, out.Text = way, v.V
		if v.Valid() {
			l.checkConditionText(v, way)
		}
	}
	present := body.Bool("present")
	if present.Said() {
		said = append(said, "present")
		out.Match, out.Invert = model.MatchPresent, !present.Or(true)
	}
	if len(said) != 1 && !body.Broken() {
		l.report(ruleCondition, body.DefRange, "Condition that is not one",
			"A %s block says exactly one of %s, and this one says %s.", typ, conditionWays(typ), cmp.Or(list(said, "and"), "none"))
	}
	if typ == "header" {
		l.decodeInvert(body, out)
	}
}

func conditionWays(typ string) string {
	if typ == "header" {
		return "exact, prefix, suffix, contains, regex and present"
	}
	return "exact, prefix, suffix, contains and present"
}

func (l *loader) decodeInvert(body *lang.Body, out *model.Condition) {
	invert := body.Bool("invert")
	switch {
	case !invert.Valid():
	case out.Match == model.MatchPresent:
		l.report(ruleCondition, invert.Range, "Absence said twice", "present = false is a header that is not there; invert belongs to the comparisons. Remove invert.")
	case invert.V && out.Match == model.MatchRegex && matchesEmpty(out.Text):
		l.report(ruleCondition, invert.Range, "Inverted regex that matches nothing",
			"An inverted condition also holds where the header is absent, as if its value were empty, and this regex matches the empty text. Let it match at least one character.")
	default:
		out.Invert = invert.V
	}
}

func matchesEmpty(regex string) bool {
	re, err := regexp.Compile("^(?:" + regex + ")$")
	return err == nil && re.MatchString("")
}

// checkConditionText judges what values are compared with.
func (l *loader) checkConditionText(v lang.Value[string], way model.Match) {
	wrong := ""
	switch {
	case v.V == "":
		wrong = "It is empty. Where only the presence counts, write present = true."
	case len(v.V) > maxConditionText:
		wrong = fmt.Sprintf("It has %d bytes; the text of a condition has at most %d.", len(v.V), maxConditionText)
	case way == model.MatchRegex:
		wrong = wrongRegex(v.V)
	case strings.ContainsFunc(v.V, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
		wrong = "It holds a control character, which no value has."
	case way != model.MatchContains && way != model.MatchSuffix && strings.TrimLeft(v.V, " \t") != v.V,
		way != model.MatchContains && way != model.MatchPrefix && strings.TrimRight(v.V, " \t") != v.V:
		wrong = "It starts or ends with white space, which values never do."
	}
	if wrong != "" {
		l.blame(v, &fault{ruleCondition, "Invalid text of a condition", fmt.Sprintf("is not a text for %s.", way), wrong, ""})
	}
}

// wrongRegex says why Envoy would not take a regular expression, or "". Envoy's engine and Go's have one syntax, but Envoy
// compares bytes (RE2's Latin-1), and refuses what has no byte.
func wrongRegex(text string) string {
	for i := 0; i < len(text); i++ {
		next := text[i+1:]
		switch {
		case text[i] < ' ' || text[i] >= 0x7f:
			return "A regular expression is printable ASCII; Envoy compares bytes, and other characters have several."
		case text[i] == '\\' && (strings.HasPrefix(next, "p") || strings.HasPrefix(next, "P") || strings.HasPrefix(next, "x{")):
			return "Envoy compares bytes, so there are no classes of Unicode (\\p) and no code points (\\x{...})."
		case text[i] == '\\':
			i++
		}
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return fmt.Sprintf("It is no regular expression of RE2: %s.", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	if len(text) > maxRegex {
		return fmt.Sprintf("It has %d bytes; a regular expression has at most %d.", len(text), maxRegex)
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil || len(program.Inst) > maxRegexProgram {
		return "Its repetitions make it too large. Use smaller ones."
	}
	if strings.Contains(text, "(?<") {
		return "A named group is written (?P<name>...) here; a plain group (...) does as well."
	}
	return ""
}

// conditionsKey is the same for two APIs whose conditions are.
func conditionsKey(a *model.API) string {
	if len(a.Headers)+len(a.Query) == 0 {
		return ""
	}
	return fmt.Sprintf(" %#v %#v", a.Headers, a.Query)
}
