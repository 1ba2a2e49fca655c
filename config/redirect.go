package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/model"
)

// redirectStatuses are those that browsers and clients follow.
var redirectStatuses = []int{301, 302, 303, 307, 308}

func (l *loader) decodeRedirect(a *api, body *lang.Body, pathKnown bool) {
	before := len(l.diags)
	out := &model.Redirect{
		Scheme:     choice(l, body.String("scheme"), "", model.HTTP, model.HTTPS).V,
		Status:     301,
		StripQuery: body.Bool("strip_query").Or(false),
	}
	if host := body.String("host"); host.Valid() {
		out.Host = l.decodeRedirectHost(host)
	}
	if port := body.Int("port"); port.Valid() {
		if port.V < 1 || port.V > 65535 {
			l.report(ruleValue, port.Range, "Invalid port", "%d is not a port. A port is a whole number, 1-65535.", port.V)
		}
		out.Port = uint16(port.V)
	}
	if status := body.Int("status"); status.Valid() {
		out.Status = status.V
		if !slices.Contains(redirectStatuses, status.V) {
			l.report(ruleValue, status.Range, "Invalid status",
				"%d is not the status of a redirect. It is 301 (for good) or 302 (for now), after which clients may turn a POST into a GET; 308 or 307, after which they do not; or 303, after which they always send a GET.", status.V)
		}
	}
	l.decodeRedirectPath(a, out, body, pathKnown)
	a.model.Backend.Redirect = out
	switch {
	case body.Broken() || len(l.diags) > before:
	case *out == (model.Redirect{Status: out.Status, StripQuery: out.StripQuery}) && pathKnown:
		l.report(ruleRedirect, body.DefRange, "Redirect to nowhere else",
			"A redirect changes at least one of scheme, host, port, path and path_prefix, and this one says none, so the caller would be sent to where it is. From http to https: scheme = \"https\".")
	default:
		a.redirect = body.DefRange
	}
}

// decodeRedirectHost is a host as a URL has it, without a port.
func (l *loader) decodeRedirectHost(v lang.Value[string]) string {
	parsed, _ := parseHostPort(v.V)
	wrong := mend(v.V, func(text string) slip {
		parsed, wrong := parseHostPort(text)
		if _, err := netip.ParseAddr(text); err == nil {
			return slip{} // an IPv6 address without brackets, since no port can follow it
		}
		if wrong.wrong == "" && parsed.hasPort {
			return slip{fmt.Sprintf("Its port stands beside it: port = %d.", parsed.port), strings.TrimSuffix(text, fmt.Sprintf(":%d", parsed.port))}
		}
		return wrong
	})
	if wrong != "" {
		l.blame(v, &fault{ruleValue, "Invalid host", "is not a host to redirect to.", wrong, "A host is a DNS name or an IP address."})
		return ""
	}
	if addr, err := netip.ParseAddr(v.V); err == nil {
		return addr.Unmap().String()
	}
	return parsed.host
}

// decodeRedirectPath reads the new path: whole, or in place of the prefix.
func (l *loader) decodeRedirectPath(a *api, out *model.Redirect, body *lang.Body, pathKnown bool) {
	whole, prefix := body.String("path"), body.String("path_prefix")
	matched := a.model.Path
	byPrefix := matched.Kind == model.PrefixPath || matched.Kind == model.AnyPath
	switch {
	case whole.Said() && prefix.Said():
		l.report(ruleRedirect, later(whole.Range, prefix.Range), "Both path and path_prefix",
			"A redirect has a path, which is the whole new path, or a path_prefix, which takes the place of the prefix that the API matched. Remove one of the two.")
	case !pathKnown:
	case whole.Valid():
		if byPrefix {
			matched = model.Path{Kind: model.ExactPath, Text: matched.Text}
		}
		out.Path = l.redirectPath(whole, matched)
	case prefix.Valid() && !byPrefix:
		l.report(ruleRedirect, prefix.Range, "Nothing to take the place of",
			"The path_prefix of a redirect takes the place of the API's path_prefix, and this API has a path. Write path, the whole new path, which may use the variables of the API's path.")
	case prefix.Valid():
		out.PathPrefix = l.redirectPath(prefix, model.Path{Kind: model.PrefixPath, Text: matched.Text})
	}
}

func (l *loader) redirectPath(v lang.Value[string], matched model.Path) string {
	text, bad := parseReplacement(v.V, matched)
	if bad != nil {
		bad.summary, bad.what = "Invalid path of a redirect", "is not a path to redirect to."
		l.blame(v, bad)
	}
	return text
}

// checkRedirect finds a redirect that surely sends a caller back to the same API, for ever.
func (l *loader) checkRedirect(s *service, a *api) {
	r, in := a.model.Backend.Redirect, l.known.instances[s.instance.V.Name]
	if r == nil || a.redirect == (hcl.Range{}) || !s.mounted || !a.matches || in == nil || r.Port != 0 || !samePath(a.model.Path, r) || !asksAgain(a.model) {
		return
	}
	// A wildcard is no proof: the host may be an exact domain of another service.
	if r.Host != "" && (!slices.Contains(s.model.Domains, hostPort{host: r.Host}.String()) || len(a.model.Headers) > 0) {
		return
	}
	for _, name := range s.model.Listeners {
		listener := in.model.Listeners[name]
		switch {
		case listener == nil: // its name is wrong, which is told elsewhere
		case r.Host != "" && leadsToAnother(in.model, listener, r):
		case r.Scheme == model.HTTPS && len(listener.Certificates) > 0:
			l.report(ruleRedirect, a.redirect, "Redirect in a circle",
				"API %q of service %q also stands on listener %q of instance %q, which speaks https already: its callers would be sent to where they are, for ever. Mount the redirect on the plain listeners only, in a service of its own: listeners = [...].",
				a.model.Name, s.model.Name, name, in.model.Name)
			return
		case r.Scheme == "":
			l.report(ruleRedirect, a.redirect, "Redirect in a circle",
				"API %q of service %q takes the requests that this redirect leads to, on listener %q of instance %q: callers would be sent to where they are, for ever. Redirect to another host, path or scheme, or take the target out of what the API matches.",
				a.model.Name, s.model.Name, name, in.model.Name)
			return
		}
	}
}

// leadsToAnother tells whether a redirect to a host, which names no port, leads to another listener: the one that has the port
// which goes without saying. Where none has it, that is mapped from outside, and may lead to this one.
func leadsToAnother(in *model.Instance, from *model.Listener, r *model.Redirect) bool {
	port := uint16(80)
	if r.Scheme == model.HTTPS || r.Scheme == "" && len(from.Certificates) > 0 {
		port = 443
	}
	if from.Port == port {
		return false
	}
	for _, l := range in.Listeners {
		if l.Port == port {
			return true
		}
	}
	return false
}

// asksAgain tells whether a caller who follows the redirect to the same place sends what the API takes: the same method, which
// only GET and HEAD keep after each status, the same query, and no cookie that it was given.
func asksAgain(a *model.API) bool {
	r := a.Backend.Redirect
	keeps := r.Status == 307 || r.Status == 308
	return (keeps || takes(a, "GET") || takes(a, "HEAD")) && !(r.StripQuery && len(a.Query) > 0) && !givesCookie(a)
}

func takes(a *model.API, method string) bool {
	return len(a.Methods) == 0 || slices.Contains(a.Methods, method)
}

// givesCookie tells whether answers to the API may change what its caller sends next.
func givesCookie(a *model.API) bool {
	return slices.ContainsFunc(slices.Concat(a.ResponseHeaders.Set, a.ResponseHeaders.Add), func(h model.Header) bool { return h.Name == "set-cookie" })
}

// samePath tells that the target's path is one that surely leads to the same API again.
func samePath(p model.Path, r *model.Redirect) bool {
	switch {
	case r.Path == "" && r.PathPrefix == "":
		return true
	case r.PathPrefix != "":
		return r.PathPrefix == p.Text || p.Kind == model.AnyPath && r.PathPrefix == "/"
	}
	return p.Kind == model.ExactPath && p.Text == r.Path
}
