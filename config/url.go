package config

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/model"
)

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
	for _, network := range l.vpcs() {
		if network.declares(addr) {
			l.report(ruleURL, v.Range, "URL inside a VPC",
				"%s lies in VPC %q (%s). A url is a public server. What stands in a VPC is reached through an upstream: upstream \"NAME\" { vpc = %s ... node \"%s\" {} }.",
				addr, network.model.Name, place(network.head), refer(kindVPC, network.model.Name), hostPort{url.Host, url.Port, true})
			return nil
		}
	}
	return &url
}

// serverOf is the host and port that a URL leads to.
func serverOf(url *model.URL) string { return hostPort{url.Host, url.Port, true}.String() }

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
