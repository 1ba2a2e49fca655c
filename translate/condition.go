package translate

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	xdsmatcherv3 "github.com/cncf/xds/go/xds/type/matcher/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"

	"github.com/weirproxy/weir/model"
)

// Conditions stand in a route's match, and in a tree (tree.go) also in front of it. Both must find the same, since a route
// that the tree has chosen and that does not match then is answered with 404. Therefore query parameters are asked for in
// the header ":path": a tree can ask for nothing else, and Envoy's own matcher of parameters would not agree with it on
// encoded values.

// anyValue is what a value may be. Any byte may stand in it.
const anyValue = `\C*`

func hasConditions(api *model.API) bool { return len(api.Headers)+len(api.Query) > 0 }

// compareConditions puts more conditions first.
func compareConditions(a, b *model.API) int {
	return cmp.Compare(len(b.Headers)+len(b.Query), len(a.Headers)+len(a.Query))
}

// conditionMatchers are the conditions of an API in the match of its route.
func conditionMatchers(api *model.API) []*routev3.HeaderMatcher {
	var out []*routev3.HeaderMatcher
	for _, c := range api.Headers {
		m := &routev3.HeaderMatcher{Name: c.Name, InvertMatch: c.Invert}
		if c.Match == model.MatchPresent {
			m.InvertMatch = false
			m.HeaderMatchSpecifier = &routev3.HeaderMatcher_PresentMatch{PresentMatch: !c.Invert}
		} else {
			m.TreatMissingHeaderAsEmpty = c.Invert
			m.HeaderMatchSpecifier = &routev3.HeaderMatcher_StringMatch{StringMatch: stringMatcher(c)}
		}
		out = append(out, m)
	}
	for _, c := range api.Query {
		out = append(out, &routev3.HeaderMatcher{
			Name:        ":path",
			InvertMatch: c.Invert,
			HeaderMatchSpecifier: &routev3.HeaderMatcher_StringMatch{StringMatch: &matcherv3.StringMatcher{
				MatchPattern: &matcherv3.StringMatcher_SafeRegex{SafeRegex: regexMatcher(queryRegex(c))},
			}},
		})
	}
	return out
}

func stringMatcher(c model.Condition) *matcherv3.StringMatcher {
	switch c.Match {
	case model.MatchPrefix:
		return &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Prefix{Prefix: c.Text}}
	case model.MatchSuffix:
		return &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Suffix{Suffix: c.Text}}
	case model.MatchContains:
		return &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Contains{Contains: c.Text}}
	case model.MatchRegex:
		return &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_SafeRegex{SafeRegex: regexMatcher(c.Text)}}
	}
	return &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Exact{Exact: c.Text}}
}

// conditionPredicate asks the methods and conditions of an API in a tree.
func conditionPredicate(api *model.API) *xdsmatcherv3.Matcher_MatcherList_Predicate {
	var all []*xdsmatcherv3.Matcher_MatcherList_Predicate
	add := func(p *xdsmatcherv3.Matcher_MatcherList_Predicate, inverted bool) {
		if inverted {
			p = not(p)
		}
		all = append(all, p)
	}
	if len(api.Methods) > 0 {
		add(single(methodInput, regexMatch(strings.Join(api.Methods, "|"))), false)
	}
	for _, c := range api.Headers {
		add(single(headerInput(c.Name), valueMatch(c)), c.Invert)
	}
	for _, c := range api.Query {
		add(single(pathInput, regexMatch(queryRegex(c))), c.Invert)
	}
	return allOf(all)
}

func valueMatch(c model.Condition) *xdsmatcherv3.StringMatcher {
	switch c.Match {
	case model.MatchPrefix:
		return prefixMatch(c.Text)
	case model.MatchSuffix:
		return &xdsmatcherv3.StringMatcher{MatchPattern: &xdsmatcherv3.StringMatcher_Suffix{Suffix: c.Text}}
	case model.MatchContains:
		return &xdsmatcherv3.StringMatcher{MatchPattern: &xdsmatcherv3.StringMatcher_Contains{Contains: c.Text}}
	case model.MatchRegex:
		return regexMatch(c.Text)
	case model.MatchPresent:
		return regexMatch(anyValue)
	}
	return exactMatch(c.Text)
}

// queryRegex matches a ":path" with a parameter that fits the condition.
func queryRegex(c model.Condition) string {
	name, value := encodedRegex(c.Name), encodedRegex(c.Text)
	switch c.Match {
	case model.MatchPrefix:
		value += `[^&]*`
	case model.MatchSuffix:
		value = `[^&]*` + value
	case model.MatchContains:
		value = `[^&]*` + value + `[^&]*`
	}
	if c.Match == model.MatchPresent {
		return `[^?]*\?(?:\C*&)?` + name + `(?:[=&]\C*)?`
	}
	return `[^?]*\?(?:\C*&)?` + name + `=` + value + `(?:&\C*)?`
}

// encodedRegex matches a text however a client may percent-encode it.
func encodedRegex(text string) string {
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		switch {
		case c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			fmt.Fprintf(&b, "(?:%c|%%%s)", c, hexRegex(c))
		case c == ' ':
			b.WriteString(`(?:\+|%20)`)
		case c == '&' || c == '%' || c == '+' || c == '#' || c < ' ' || c >= 0x7f:
			b.WriteString("%" + hexRegex(c))
		default:
			fmt.Fprintf(&b, "(?:%s|%%%s)", regexp.QuoteMeta(string(c)), hexRegex(c))
		}
	}
	return b.String()
}

// hexRegex is the two digits of an encoding, in either case.
func hexRegex(c byte) string {
	var b strings.Builder
	for _, digit := range fmt.Sprintf("%02x", c) {
		if digit >= 'a' {
			fmt.Fprintf(&b, "[%c%c]", digit, digit-'a'+'A')
		} else {
			b.WriteRune(digit)
		}
	}
	return b.String()
}
