package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/model"
)

type api struct {
	model     *model.API
	targets   []lang.Value[lang.Ref] // the upstreams that answer, in the order of the text
	mirrors   []lang.Value[lang.Ref] // the upstreams that get copies
	url       hcl.Range              // of the backend, where it has one that is valid
	redirect  hcl.Range              // of the backend, where it has one that can be judged
	timeout   lang.Value[time.Duration]
	webSocket lang.Value[bool]
	head      hcl.Range
	matches   bool            // path, methods and conditions are known
	warnings  hcl.Diagnostics // of the rules across nouns, where a Loader keeps them
}

// uses are all upstreams that the API refers to.
func (a *api) uses() []lang.Value[lang.Ref] { return slices.Concat(a.targets, a.mirrors) }

func (l *loader) decodeAPI(body *lang.Body, shared model.Policies) *api {
	out := &api{head: body.DefRange, model: &model.API{
		Name:        body.Label.V,
		Description: body.String("description").Or(""),
		Place:       body.Place(),
	}}
	taken, methodsKnown := l.words(body.StringList("methods"), "methods", "every method", parseMethod)
	path, pathKnown := l.decodePath(body)
	out.model.Methods, out.model.Path = taken, path
	headers, headersKnown := l.decodeMatches(body, "header")
	query, queryKnown := l.decodeMatches(body, "query")
	out.model.Headers, out.model.Query = headers, query
	out.matches = methodsKnown && pathKnown && headersKnown && queryKnown && body.Label.Valid()
	for _, inner := range body.Blocks("backend") {
		l.decodeBackend(out, inner, pathKnown)
	}
	l.decodeWebSocket(out, body)
	l.setPolicies(out, body, shared)
	return out
}

func (l *loader) decodePath(body *lang.Body) (model.Path, bool) {
	whole, prefix := body.String("path"), body.String("path_prefix")
	var out model.Path
	switch {
	case whole.Said() && prefix.Said():
		l.report(rulePath, later(whole.Range, prefix.Range), "Both path and path_prefix",
			"An API has a path, which is the whole path of a request, or a path_prefix, which is how the path starts, or neither, which takes every path. Remove one of the two.")
		return out, false
	case whole.Valid():
		return l.judgePath(whole, parsePath, wrongPath)
	case prefix.Valid():
		return l.judgePath(prefix, parsePrefix, wrongPrefixPath)
	}
	return out, !whole.Said() && !prefix.Said()
}

func (l *loader) judgePath(v lang.Value[string], parse func(string) (model.Path, *fault), judge func(string) slip) (model.Path, bool) {
	path, bad := parse(v.V)
	if bad != nil {
		l.blame(v, bad)
		return path, false
	}
	l.warnLookalikes(v, judge)
	return path, true
}

// later is the one of two ranges that stands behind the other.
func later(a, b hcl.Range) hcl.Range {
	if a.Filename == b.Filename && a.Start.Byte > b.Start.Byte {
		return a
	}
	return b
}

// warnLookalikes finds what other gateways take for a variable or a wildcard and what is only a character here.
func (l *loader) warnLookalikes(v lang.Value[string], judge func(string) slip) {
	segments := strings.Split(v.V, "/")
	for i, segment := range segments {
		switch {
		case segment == "*" || segment == "**":
			l.diags = append(l.diags, lang.Warning(rulePath, v.Range, "A * that matches only a *",
				fmt.Sprintf("In %q the * is an ordinary character: only a request with a * there matches. A variable is one whole segment, as in \"/orders/{id}\"; path_prefix takes everything below a path.", v.V)))
			return
		case strings.HasPrefix(segment, ":") && isName(segment[1:]):
			remedy := "A variable is one whole segment of path, as in \"/orders/{id}\"."
			segments[i] = "{" + segment[1:] + "}"
			if judge(strings.Join(segments, "/")).wrong == "" {
				remedy = fmt.Sprintf("If it is to be a variable, write %q.", segments[i])
			}
			l.diags = append(l.diags, lang.Warning(rulePath, v.Range, "A : that matches only a :",
				fmt.Sprintf("In %q the segment %q is ordinary text. %s", v.V, segment, remedy)))
			return
		}
	}
}

// refer is how the language refers to a block: upstream.orders, or vpc["1st"] where the name is no identifier.
func refer(kind, name string) string {
	if name != "" && name[0] >= '0' && name[0] <= '9' {
		return fmt.Sprintf("%s[%q]", kind, name)
	}
	return kind + "." + name
}

// sharesMethod tells whether two APIs take a method in common. No method means all.
func sharesMethod(a, b []string) bool {
	return len(a) == 0 || len(b) == 0 || slices.ContainsFunc(a, func(m string) bool { return slices.Contains(b, m) })
}
