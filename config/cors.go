package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/model"
)

// maxCORSAge is more than any browser keeps the answer to a preflight.
const maxCORSAge = 24 * time.Hour

func (l *loader) decodeCORS(body *lang.Body) *model.CORS {
	age := body.Duration("max_age")
	credentials := body.Bool("allow_credentials")
	out := &model.CORS{AllowCredentials: credentials.Or(false), MaxAge: age.Or(-1)}
	origins, _ := l.words(body.StringList("allow_origins"), "allow_origins", "nothing; to let pages of every origin in, write [\"*\"]", parseOrigin)
	out.AllowOrigins = origins
	if slices.Contains(origins, "*") {
		out.AnyOrigin, out.AllowOrigins = true, nil
		if len(origins) > 1 {
			l.report(ruleCORS, body.StringList("allow_origins").Range, "Origins beside every origin", "\"*\" is every origin, so the others mean nothing. Remove either.")
		}
	}
	out.AllowMethods, _ = l.words(body.StringList("allow_methods"), "allow_methods", "the API's methods", parseMethod)
	out.AllowHeaders, _ = l.words(body.StringList("allow_headers"), "allow_headers", "the headers that need no permission", parseCORSHeader)
	out.ExposeHeaders, _ = l.words(body.StringList("expose_headers"), "expose_headers", "the headers that need no permission", parseCORSHeader)
	if out.AllowCredentials {
		for name, any := range map[string]bool{
			"allow_origins": out.AnyOrigin, "allow_headers": slices.Contains(out.AllowHeaders, "*"), "expose_headers": slices.Contains(out.ExposeHeaders, "*"),
		} {
			if any {
				l.report(ruleCORS, body.StringList(name).Range, "Everything, with credentials",
					"With allow_credentials, browsers do not take \"*\" for everything, and every page on the web could act in a visitor's name. Name what %s is.", name)
			}
		}
	}
	if age.Valid() && (age.V > maxCORSAge || age.V%time.Second != 0) {
		l.report(ruleCORS, age.Range, "Invalid max_age", "%s is no time for which browsers keep an answer. It is a number of whole seconds, \"24h\" at most, or \"0s\" for none.", age.V)
	}
	return out
}

// parseOrigin reads "https://shop.example.com:8443", with "*." before the host for every name below it, or "*".
func parseOrigin(text string) (string, *fault) {
	wrong := mend(text, wrongOrigin)
	if wrong == "" {
		return text, nil
	}
	return "", &fault{ruleCORS, "Invalid origin", "is not an origin that a browser sends.", wrong,
		"An origin is a scheme, a host and, where it is not the scheme's own, a port: \"https://shop.example.com\", \"https://*.example.com\" for all names below, or \"*\" for every origin."}
}

func wrongOrigin(text string) slip {
	if text == "*" {
		return slip{}
	}
	scheme, rest, found := strings.Cut(text, "://")
	switch {
	case text == "null":
		return slip{wrong: "It is what pages without an origin send, of whoever they are: every page can be one. Only \"*\" lets them in."}
	case !found:
		return slip{"It has no scheme.", "https://" + text}
	case scheme != "http" && scheme != "https" && strings.ToLower(scheme) == scheme && isScheme(scheme) && isLabelText(rest):
		return slip{} // of an application, such as chrome-extension://ID
	case strings.ToLower(text) != text:
		return slip{"Browsers send origins in lower case.", strings.ToLower(text)}
	case scheme != "http" && scheme != "https":
		return slip{wrong: fmt.Sprintf("Its scheme is %q, and pages come by http or https.", scheme)}
	case strings.HasSuffix(rest, "/"):
		return slip{"An origin has no path, not even a slash.", scheme + "://" + strings.TrimRight(rest, "/")}
	}
	host, wildcard := strings.CutPrefix(rest, "*.")
	parsed, wrong := parseHostPort(host)
	if wrong.wrong != "" {
		if wrong.instead != "" {
			wrong.instead = scheme + "://" + strings.TrimSuffix(rest, host) + wrong.instead
		}
		return wrong
	}
	if wildcard && strings.Contains(parsed.host, ":") {
		return slip{wrong: "An IP address has no wildcard."}
	}
	if parsed.hasPort && (scheme == "http" && parsed.port == 80 || scheme == "https" && parsed.port == 443) {
		return slip{"Browsers leave out the scheme's own port.", strings.TrimSuffix(text, fmt.Sprintf(":%d", parsed.port))}
	}
	return slip{}
}

func isScheme(text string) bool {
	return text != "" && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789+-.") == ""
}

func isLabelText(text string) bool {
	return text != "" && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789-._") == ""
}

func parseCORSHeader(text string) (string, *fault) {
	name := strings.ToLower(text)
	if wrong := wrongHeaderName(name); wrong != "" && name != "*" {
		return "", &fault{ruleCORS, "Invalid header", "is not a header.", wrong, ""}
	}
	return name, nil
}

// corsMethods are those of an API or, where it takes all, the usual ones.
func corsMethods(methods []string) []string {
	if len(methods) > 0 {
		return methods
	}
	return []string{"DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"}
}
