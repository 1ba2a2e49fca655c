package translate

import (
	"regexp"
	"strings"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"github.com/weirproxy/weir/model"
)

var redirectCodes = map[int]routev3.RedirectAction_RedirectResponseCode{
	301: routev3.RedirectAction_MOVED_PERMANENTLY,
	302: routev3.RedirectAction_FOUND,
	303: routev3.RedirectAction_SEE_OTHER,
	307: routev3.RedirectAction_TEMPORARY_REDIRECT,
	308: routev3.RedirectAction_PERMANENT_REDIRECT,
}

// redirectAction sends the caller to another URL.
func redirectAction(r *model.Redirect, path model.Path) *routev3.RedirectAction {
	out := &routev3.RedirectAction{
		HostRedirect: r.Host,
		PortRedirect: uint32(r.Port),
		ResponseCode: redirectCodes[r.Status],
		StripQuery:   r.StripQuery,
	}
	if strings.Contains(r.Host, ":") {
		out.HostRedirect = "[" + r.Host + "]"
	}
	if r.Scheme != "" {
		out.SchemeRewriteSpecifier = &routev3.RedirectAction_SchemeRedirect{SchemeRedirect: string(r.Scheme)}
	}
	switch {
	case r.Path != "" && path.Kind == model.TemplatePath && strings.Contains(r.Path, "{"):
		pattern := "^" + templateRegex(path.Text, "("+anySegment+")")
		out.PathRewriteSpecifier = &routev3.RedirectAction_RegexRewrite{RegexRewrite: regexRewrite(pattern, substitution(path.Text, r.Path))}
	case r.Path != "":
		out.PathRewriteSpecifier = &routev3.RedirectAction_PathRedirect{PathRedirect: r.Path}
	case r.PathPrefix != "":
		redirectPrefix(out, strings.TrimRight(path.Text, "/"), strings.TrimRight(r.PathPrefix, "/"))
	}
	return out
}

// redirectPrefix joins as rewritePrefix does.
func redirectPrefix(out *routev3.RedirectAction, prefix, replacement string) {
	switch {
	case prefix == replacement:
	case prefix == "":
		out.PathRewriteSpecifier = &routev3.RedirectAction_PrefixRewrite{PrefixRewrite: replacement + "/"}
	case replacement == "":
		out.PathRewriteSpecifier = &routev3.RedirectAction_RegexRewrite{RegexRewrite: regexRewrite("^"+regexp.QuoteMeta(prefix)+"/?", "/")}
	default:
		out.PathRewriteSpecifier = &routev3.RedirectAction_PrefixRewrite{PrefixRewrite: replacement}
	}
}
