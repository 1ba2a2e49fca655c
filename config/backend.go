package config

import (
	"fmt"
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

func (l *loader) decodeBackend(a *api, body *lang.Body, pathKnown bool) {
	up, url, timeout := body.Ref("upstream"), body.String("url"), body.Duration("timeout")
	a.timeout = timeout
	a.model.Backend = model.Backend{Upstream: up.V.Name, Timeout: timeout.Or(defaultTimeout), Place: body.Place()}
	if up.Said() {
		a.targets = append(a.targets, up)
	}
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
	for _, inner := range body.Blocks("split") {
		l.decodeSplit(a, inner)
	}
	for _, inner := range body.Blocks("mirror") {
		l.decodeMirror(a, inner)
	}
	for _, inner := range body.Blocks("mock") {
		a.model.Backend.Mock = l.decodeMock(inner)
	}
	for _, inner := range body.Blocks("redirect") {
		l.decodeRedirect(a, inner, pathKnown)
	}
	single := l.checkOneBackend(body)
	if answersItself(body) {
		a.model.Backend.Timeout = 0
		if single {
			l.refuseWithoutNodes(body)
		}
	} else if path := body.String("path"); path.Valid() && pathKnown {
		l.decodeReplacement(a, path)
	}
}

// answersItself tells that no request leaves the gateway.
func answersItself(body *lang.Body) bool {
	return len(body.Blocks("mock")) > 0 || len(body.Blocks("redirect")) > 0
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

// refuseWithoutNodes finds what changes a request that a node would see, where none does.
func (l *loader) refuseWithoutNodes(body *lang.Body) {
	what, remedy := "mock", ""
	if len(body.Blocks("redirect")) > 0 {
		what, remedy = "redirect", " Where the caller is sent stands in redirect itself."
	}
	refuse := func(at hcl.Range, name string) {
		l.report(ruleBackend, at, "Meaningless with a "+what,
			"A %s is an answer that the gateway gives itself, so there is no request to which %s could apply. Remove it.%s", what, name, remedy)
	}
	if path := body.String("path"); path.Said() {
		refuse(path.Range, "path")
	}
	if timeout := body.Duration("timeout"); timeout.Said() {
		refuse(timeout.Range, "timeout")
	}
	for _, inner := range body.Blocks("mirror") {
		refuse(inner.DefRange, "mirror")
	}
}

// checkOneBackend holds that a backend is exactly one of the five.
func (l *loader) checkOneBackend(body *lang.Body) bool {
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
	if up := body.Ref("upstream"); up.Said() {
		add("upstream", up.Range)
	}
	if url := body.String("url"); url.Said() {
		add("url", url.Range)
	}
	for _, word := range []string{"split", "redirect", "mock"} {
		if blocks := body.Blocks(word); len(blocks) > 0 {
			add(word, blocks[0].DefRange)
		}
	}
	switch {
	case len(said) == 1:
		return true
	case len(said) == 0 && !body.Broken():
		l.report(ruleBackend, body.DefRange, "Backend without a target",
			"A backend is exactly one of upstream = upstream.NAME, url = \"https://HOST\", split { ... }, redirect { ... } and mock { ... }, and this one says none.%s", l.knownUpstreams())
	case len(said) > 1:
		l.report(ruleBackend, last, "Backend with more than one target",
			"A backend is exactly one of upstream, url, split, redirect and mock, and this one says %s. Remove all but one.%s", list(said, "and"), severalUpstreams(body))
	}
	return false
}

// severalUpstreams is the way to what somebody may have meant who said an upstream beside a split.
func severalUpstreams(body *lang.Body) string {
	if len(body.Blocks("split")) == 0 {
		return ""
	}
	return " Every upstream of a split stands in it as a target."
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
	out := &model.Mock{Status: status.Or(200), Body: text.Or(""), Headers: l.decodeHeaders(body.StringMap("headers"), map[string]hcl.Range{})}
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
