package translate

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"

	xdsmatcherv3 "github.com/cncf/xds/go/xds/type/matcher/v3"

	"github.com/weirproxy/weir/model"
)

// A variable is any non-empty segment, so it is matched by a regular expression and not by Envoy's URI template, which
// answers 404 where a value holds "[" or "]" (measured over every character that a request line may hold). It would
// also allow only five variables, with names of at most 16 characters. Both are RE2 inside.
const (
	anySegment = `[^/?]+`
	// anyQuery is what may follow a path in ":path". Any byte may: \C, since "." misses what is not UTF-8.
	anyQuery = `(?:\?\C*)?`
)

// isVariable reports whether a segment of a template is one.
func isVariable(segment string) bool { return strings.HasPrefix(segment, "{") }

// shape is what the path matches, apart from the names of its variables: APIs of one shape differ by method.
func shape(p model.Path) string {
	if p.Kind != model.TemplatePath {
		return p.Text
	}
	segments := strings.Split(p.Text, "/")
	for i, segment := range segments {
		if isVariable(segment) {
			segments[i] = "{}"
		}
	}
	return strings.Join(segments, "/")
}

// literalPrefix is the text with which every request path starts that p matches.
func literalPrefix(p model.Path) string {
	if isEvery(p) {
		return ""
	}
	if p.Kind != model.TemplatePath {
		return p.Text
	}
	prefix, _, _ := strings.Cut(p.Text, "{")
	return prefix
}

// isEvery reports whether p matches every path: "/" is the prefix of all.
func isEvery(p model.Path) bool {
	return p.Kind == model.AnyPath || p.Kind == model.PrefixPath && p.Text == "/"
}

// comparePaths is the order of "Matching": exact; then variables, segment by segment from the left, a literal before a
// variable; then the longest prefix; then every path. Paths that no request can match both are ordered by text.
func comparePaths(a, b model.Path) int {
	switch x, y := isEvery(a), isEvery(b); {
	case x && y:
		return 0
	case x:
		return 1
	case y:
		return -1
	case a.Kind != b.Kind:
		return cmp.Compare(b.Kind, a.Kind)
	}
	switch a.Kind {
	case model.TemplatePath:
		return compareTemplates(strings.Split(a.Text, "/"), strings.Split(b.Text, "/"))
	case model.PrefixPath:
		return cmp.Or(cmp.Compare(len(b.Text), len(a.Text)), cmp.Compare(a.Text, b.Text))
	}
	return cmp.Compare(a.Text, b.Text)
}

func compareTemplates(a, b []string) int {
	for i := range min(len(a), len(b)) {
		switch x, y := isVariable(a[i]), isVariable(b[i]); {
		case x && y:
		case x:
			return 1
		case y:
			return -1
		case a[i] != b[i]:
			return cmp.Compare(a[i], b[i])
		}
	}
	return cmp.Compare(len(a), len(b))
}

// pathPredicate asks whether the header ":path", which holds the query string too, matches p. Only what starts with p's
// literal prefix comes here. It is nil for every path.
func pathPredicate(p model.Path) *xdsmatcherv3.Matcher_MatcherList_Predicate {
	switch p.Kind {
	case model.TemplatePath:
		return single(pathInput, regexMatch(templateRegex(p.Text, anySegment)+anyQuery))
	case model.ExactPath:
		return anyOf(
			single(pathInput, exactMatch(p.Text)),
			single(pathInput, prefixMatch(p.Text+"?")))
	case model.PrefixPath:
		return anyOf(
			single(pathInput, exactMatch(p.Text)),
			single(pathInput, prefixMatch(p.Text+"/")),
			single(pathInput, prefixMatch(p.Text+"?")))
	}
	return nil
}

// templateRegex is the template with an expression in place of each variable.
func templateRegex(template, variable string) string {
	segments := strings.Split(template, "/")
	for i, segment := range segments {
		if isVariable(segment) {
			segments[i] = variable
		} else {
			segments[i] = regexp.QuoteMeta(segment)
		}
	}
	return strings.Join(segments, "/")
}

// substitution is the replacement of a template's path by another, in RE2's words: {id} becomes \1 where id is the
// template's first variable. A path holds no backslash of its own.
func substitution(template, replacement string) string {
	groups := map[string]string{}
	for segment := range strings.SplitSeq(template, "/") {
		if isVariable(segment) {
			groups[segment] = `\` + strconv.Itoa(len(groups)+1)
		}
	}
	segments := strings.Split(replacement, "/")
	for i, segment := range segments {
		if isVariable(segment) {
			segments[i] = groups[segment]
		}
	}
	return strings.Join(segments, "/")
}
