package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/model"
)

// maxHeaderValue is what common servers take of one header line.
const maxHeaderValue = 4096

// connectionHeaders belong to one connection (RFC 9110, 7.6.1): Envoy writes them for each side by itself.
var connectionHeaders = []string{"connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}

// decodeHeaderChanges reads request_headers or response_headers.
func (l *loader) decodeHeaderChanges(body *lang.Body, typ string) (out model.HeaderChanges) {
	for _, inner := range body.Blocks(typ) {
		first := map[string]hcl.Range{}
		out.Set = l.decodeHeaders(inner.StringMap("set"), first)
		out.Add = l.decodeHeaders(inner.StringMap("add"), first)
		for _, item := range inner.StringList("remove").V {
			if item.Valid() && l.checkHeaderName(item, first, typ == "response_headers") {
				out.Remove = append(out.Remove, strings.ToLower(item.V))
			}
		}
		slices.Sort(out.Remove)
		if !inner.StringMap("set").Said() && !inner.StringMap("add").Said() && !inner.StringList("remove").Said() && !inner.Broken() {
			l.report(ruleHeader, inner.DefRange, "Nothing to change", "%s says none of set, add and remove. Say one, or remove the block.", typ)
		}
	}
	return out
}

// decodeHeaders reads names and values; first are the names of the block so far.
func (l *loader) decodeHeaders(v lang.Value[[]lang.Pair], first map[string]hcl.Range) []model.Header {
	var out []model.Header
	inText := slices.SortedStableFunc(slices.Values(v.V), func(a, b lang.Pair) int { return cmp.Compare(a.Key.Range.Start.Byte, b.Key.Range.Start.Byte) })
	for _, pair := range inText {
		known := l.checkHeaderName(pair.Key, first, false)
		if pair.Value.Valid() && l.checkHeaderValue(pair.Value) && known {
			out = append(out, model.Header{Name: strings.ToLower(pair.Key.V), Value: pair.Value.V})
		}
	}
	slices.SortFunc(out, func(a, b model.Header) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// checkHeaderName judges a name that is changed. What nodes that are Envoys themselves say to other Envoys may be taken out of
// answers, and nothing else be done to it.
func (l *loader) checkHeaderName(v lang.Value[string], first map[string]hcl.Range, fromAnswers bool) bool {
	name := strings.ToLower(v.V)
	wrong := wrongChangedHeader(name)
	if wrong == "" && !(fromAnswers && strings.HasPrefix(name, "x-envoy-")) {
		wrong = reservedHeader(name)
	}
	if wrong != "" {
		l.blame(v, &fault{ruleHeader, "Invalid header", "is not a header that can be changed.", wrong, ""})
		return false
	}
	if at, again := first[name]; again {
		l.report(ruleHeader, v.Range, "Header changed twice",
			"%q is changed here already (%s); case makes no difference. A block says one thing of each header.", name, place(at))
		return false
	}
	first[name] = v.Range
	return true
}

func wrongChangedHeader(name string) string {
	switch {
	case name == "host" || name == ":authority":
		return "The Host that nodes see is said by host_header of the upstream."
	case name == ":path" || name == ":method" || name == ":scheme" || name == ":status":
		return "It is no header; what nodes see of the path is said by path of the backend."
	case slices.Contains(connectionHeaders, name):
		return "It belongs to a single connection, and Envoy writes it for each side by itself."
	}
	return wrongHeaderName(name)
}

// reservedHeader says whose a header is that no operator writes and no caller sends to a node, or "".
func reservedHeader(name string) string {
	for prefix, owner := range map[string]string{"x-envoy-": "Envoy", "x-weir-": "weir"} {
		if strings.HasPrefix(name, prefix) {
			return fmt.Sprintf("%s keeps the names that start with %s for itself, and takes them out of callers' requests.", owner, prefix)
		}
	}
	return ""
}

func (l *loader) checkHeaderValue(v lang.Value[string]) bool {
	wrong := ""
	switch {
	case len(v.V) > maxHeaderValue:
		wrong = fmt.Sprintf("It has %d bytes, and the value of a header has at most %d.", len(v.V), maxHeaderValue)
	case strings.ContainsFunc(v.V, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
		wrong = "It holds a line break or another control character."
	case strings.Trim(v.V, " \t") != v.V:
		wrong = "It starts or ends with white space, which is no part of a value."
	}
	if wrong == "" {
		return true
	}
	l.blame(v, &fault{ruleHeader, "Invalid value of a header", "is not the value of a header.", wrong, ""})
	return false
}

// over puts an API's changes over those of its service: what it says of a header replaces what the service says of it.
func over(api, service model.HeaderChanges) model.HeaderChanges {
	said := func(name string) bool {
		is := func(h model.Header) bool { return h.Name == name }
		return slices.ContainsFunc(api.Set, is) || slices.ContainsFunc(api.Add, is) || slices.Contains(api.Remove, name)
	}
	merge := func(own, inherited []model.Header) []model.Header {
		out := slices.Clone(own)
		for _, h := range inherited {
			if !said(h.Name) {
				out = append(out, h)
			}
		}
		slices.SortFunc(out, func(a, b model.Header) int { return cmp.Compare(a.Name, b.Name) })
		return out
	}
	out := model.HeaderChanges{Set: merge(api.Set, service.Set), Add: merge(api.Add, service.Add), Remove: slices.Clone(api.Remove)}
	for _, name := range service.Remove {
		if !said(name) {
			out.Remove = append(out.Remove, name)
		}
	}
	slices.Sort(out.Remove)
	return out
}
