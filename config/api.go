package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/model"
)

// defaultTimeout is Envoy's own for a route that says none.
const defaultTimeout = 15 * time.Second

// maxTimeout is short of what Envoy can hold.
const maxTimeout = 365 * 24 * time.Hour

// maxMockBody bounds what weir sends to each Envoy with every change of an API.
const maxMockBody = 1 << 20

type api struct {
	model    *model.API
	upstream lang.Value[lang.Ref] // of the backend
	url      hcl.Range            // of the backend, where it has one that is valid
	timeout  lang.Value[time.Duration]
	head     hcl.Range
	matches  bool // path and methods are known
}

func (l *loader) decodeAPI(body *lang.Body) *api {
	out := &api{head: body.DefRange, model: &model.API{
		Name:        body.Label.V,
		Description: body.String("description").Or(""),
		Place:       body.Place(),
	}}
	taken, methodsKnown := l.words(body.StringList("methods"), "methods", "every method", parseMethod)
	path, pathKnown := l.decodePath(body)
	out.model.Methods, out.model.Path = taken, path
	out.matches = methodsKnown && pathKnown && body.Label.Valid()
	for _, inner := range body.Blocks("backend") {
		l.decodeBackend(out, inner, pathKnown)
	}
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

func (l *loader) decodeBackend(a *api, body *lang.Body, pathKnown bool) {
	up, url, mocks := body.Ref("upstream"), body.String("url"), body.Blocks("mock")
	path, timeout := body.String("path"), body.Duration("timeout")
	a.upstream, a.timeout = up, timeout
	a.model.Backend = model.Backend{Upstream: up.V.Name, Timeout: timeout.Or(defaultTimeout), Place: body.Place()}
	single := l.checkOneBackend(body, up, url, mocks)
	if timeout.Valid() && (timeout.V > 0 && timeout.V < time.Millisecond || timeout.V > maxTimeout) {
		l.report(ruleValue, timeout.Range, "Invalid timeout",
			"%s is not a timeout. A timeout is 1ms to %s, or \"0s\" for none.", timeout.V, "8760h")
		a.timeout.State = lang.Invalid
	}
	if url.Valid() {
		a.model.Backend.URL = l.decodeURL(url)
		if a.model.Backend.URL != nil {
			a.url = url.Range
		}
	}
	for _, inner := range mocks {
		a.model.Backend.Mock = l.decodeMock(inner)
		a.model.Backend.Timeout = 0
		l.refuseWithMock(single && path.Said(), path.Range, "path")
		l.refuseWithMock(single && timeout.Said(), timeout.Range, "timeout")
	}
	if path.Valid() && pathKnown && len(mocks) == 0 {
		l.decodeReplacement(a, path)
	}
}

// decodeReplacement reads backend.path. Where the API takes every path, it goes in front of what the caller sent, as
// it does for the prefix "/".
func (l *loader) decodeReplacement(a *api, path lang.Value[string]) {
	if a.model.Path.Kind == model.AnyPath {
		a.model.Path = model.Path{Kind: model.PrefixPath, Text: "/"}
	}
	text, bad := parseReplacement(path.V, a.model.Path)
	if bad != nil {
		l.blame(path, bad)
	}
	a.model.Backend.Path = text
}

func (l *loader) refuseWithMock(said bool, at hcl.Range, attribute string) {
	if said {
		l.report(ruleBackend, at, "Meaningless with a mock", "A mock is an answer that the gateway gives itself, so there is no request to which %s could apply. Remove it.", attribute)
	}
}

// checkOneBackend holds that a backend is exactly one of the three.
func (l *loader) checkOneBackend(body *lang.Body, up lang.Value[lang.Ref], url lang.Value[string], mocks []*lang.Body) bool {
	var said []string
	var last hcl.Range
	add := func(word string, at hcl.Range) {
		if len(said) == 0 {
			last = at
		} else {
			last = later(last, at)
		}
		said = append(said, word)
	}
	if up.Said() {
		add("upstream", up.Range)
	}
	if url.Said() {
		add("url", url.Range)
	}
	if len(mocks) > 0 {
		add("mock", mocks[0].DefRange)
	}
	switch {
	case len(said) == 1:
		return true
	case len(said) == 0 && !body.Broken():
		l.report(ruleBackend, body.DefRange, "Backend without a target",
			"A backend is exactly one of upstream = upstream.NAME, url = \"https://HOST\" and mock { ... }, and this one says none.%s", l.knownUpstreams())
	case len(said) > 1:
		l.report(ruleBackend, last, "Backend with more than one target",
			"A backend is exactly one of upstream, url and mock, and this one says %s. Remove all but one.", list(said, "and"))
	}
	return false
}

func (l *loader) knownUpstreams() string {
	names := l.module.Names(kindUpstream)
	if len(names) == 0 || len(names) > 5 {
		return ""
	}
	for i, name := range names {
		names[i] = refer(kindUpstream, name)
	}
	return fmt.Sprintf(" Upstreams: %s.", list(names, "and"))
}

func (l *loader) decodeMock(body *lang.Body) *model.Mock {
	status, text := body.Int("status"), body.String("body")
	out := &model.Mock{Status: status.Or(200), Body: text.Or("")}
	switch {
	case status.Valid() && (status.V < 200 || status.V > 599):
		l.report(ruleValue, status.Range, "Invalid status", "%d is not the status of an answer. It is a whole number, 200-599.", status.V)
	case (out.Status == 204 || out.Status == 205 || out.Status == 304) && out.Body != "":
		l.report(ruleValue, text.Range, "Body of an answer without one", "An answer with status %d has no body. Remove body, or change the status.", out.Status)
	}
	if len(out.Body) > maxMockBody {
		l.report(ruleValue, text.Range, "Body too large", "The body has %d bytes, and the body of a mock has at most %d. Serve it from an upstream.", len(out.Body), maxMockBody)
	}
	return out
}

// decodeURL returns nil when it is wrong.
func (l *loader) decodeURL(v lang.Value[string]) *model.URL {
	if v.Sensitive {
		l.refuseSensitive(v.Range, "url")
		return nil
	}
	url, _ := parseURL(v.V)
	if wrong := mendURL(v.V); wrong != "" {
		l.blame(v, &fault{ruleURL, "Invalid URL", "is not the URL of a backend.", wrong, "A URL is http://HOST or https://HOST, with :PORT where it is not the scheme's own."})
		return nil
	}
	addr, err := netip.ParseAddr(url.Host)
	if err != nil {
		return &url
	}
	for _, block := range l.module.Blocks(kindVPC) {
		if l.vpcs[block.Name].declares(addr) {
			l.report(ruleURL, v.Range, "URL inside a VPC",
				"%s lies in VPC %q (%s). A url is a public server. What stands in a VPC is reached through an upstream: upstream \"NAME\" { vpc = %s ... node \"%s\" {} }.",
				addr, block.Name, place(block.DefRange), refer(kindVPC, block.Name), hostPort{url.Host, url.Port, true})
			return nil
		}
	}
	return &url
}

// mendURL names the path of the URL too, where it can stand in the attribute of that name.
func mendURL(text string) string {
	wrong := mend(text, func(text string) slip {
		_, wrong := parseURL(text)
		return wrong
	})
	_, rest, _ := strings.Cut(text, "://")
	_, path, _ := strings.Cut(rest, "/")
	path, _, _ = strings.Cut("/"+path, "?")
	path, _, _ = strings.Cut(path, "#")
	_, bad := parseReplacement(path, model.Path{Kind: model.ExactPath})
	if wrong != "" && strings.TrimRight(path, "/") != "" && bad == nil {
		wrong += fmt.Sprintf(" Its path stands beside it: path = %q.", strings.TrimRight(path, "/"))
	}
	return wrong
}

func parseURL(text string) (model.URL, slip) {
	scheme, rest, found := strings.Cut(text, "://")
	protocol := model.Protocol(strings.ToLower(scheme))
	switch {
	case !found:
		return model.URL{}, slip{"It does not start with http:// or https://.", "https://" + text}
	case protocol != model.HTTP && protocol != model.HTTPS:
		return model.URL{}, slip{wrong: fmt.Sprintf("Its scheme is %q, and only http and https can be called.", scheme)}
	case rest == "":
		return model.URL{}, slip{wrong: "The host is missing."}
	}
	parsed, wrong := parseHostPort(rest)
	if wrong.instead != "" {
		wrong.instead = scheme + "://" + wrong.instead
	}
	if wrong.wrong != "" {
		return model.URL{}, wrong
	}
	if why := uncallable(parsed.host); why != "" {
		return model.URL{}, slip{wrong: why}
	}
	out := model.URL{Protocol: protocol, Host: parsed.host, Port: parsed.port, Explicit: parsed.hasPort}
	if !parsed.hasPort {
		out.Port = 80
		if protocol == model.HTTPS {
			out.Port = 443
		}
	}
	return out, slip{}
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
