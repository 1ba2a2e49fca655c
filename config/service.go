package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/model"
)

type service struct {
	model    *model.Service
	instance lang.Value[lang.Ref]
	apis     []*api
	mounted  bool // instance, domains and listeners are known
}

func (l *loader) decodeService(block *lang.Block, body *lang.Body) *service {
	out := &service{instance: body.Ref("instance")}
	out.model = &model.Service{
		Name:        block.Name,
		Description: body.String("description").Or(""),
		Instance:    out.instance.V.Name,
		APIs:        map[string]*model.API{},
		Place:       block.Place(),
	}
	domains, domainsKnown := l.decodeDomains(body.StringList("domains"))
	listeners, listenersKnown := l.decodeListenerNames(body.StringList("listeners"), out.instance)
	out.model.Domains, out.model.Listeners = domains, listeners
	out.mounted = out.instance.Valid() && domainsKnown && listenersKnown
	shared := l.decodePolicies(body)
	for _, inner := range body.Blocks("api") {
		one := l.decodeAPI(inner, shared)
		out.apis = append(out.apis, one)
		if inner.Label.Valid() {
			out.model.APIs[inner.Label.V] = one.model
		}
	}
	return out
}

// words reads a list in which each item stands once and none is wrong. The second result tells that all are known.
func (l *loader) words(v lang.Value[[]lang.Value[string]], attribute, absent string, parse func(string) (string, *fault)) ([]string, bool) {
	if !v.Valid() {
		return nil, v.State == lang.Absent
	}
	if len(v.V) == 0 {
		l.report(ruleValue, v.Range, "Empty list", "%s is empty, which would take nothing. Leave it out, or say null, to take %s.", attribute, absent)
		return nil, false
	}
	first := map[string]hcl.Range{}
	known := true
	for _, item := range v.V {
		if !item.Valid() {
			known = false
			continue
		}
		word, bad := parse(item.V)
		if bad == nil {
			if at, taken := first[word]; taken {
				bad = &fault{ruleValue, "Listed twice", fmt.Sprintf("stands in %s already (%s).", attribute, place(at)), "", "Each item stands there once; remove one of the two."}
			}
		}
		if bad != nil {
			l.blame(item, bad)
			known = false
			continue
		}
		first[word] = item.Range
	}
	return slices.Sorted(maps.Keys(first)), known
}

func (l *loader) decodeDomains(v lang.Value[[]lang.Value[string]]) ([]string, bool) {
	v.V = slices.Clone(v.V)
	for i, item := range v.V {
		if v.Sensitive || item.Sensitive {
			l.refuseSensitive(item.Range, "domain")
			v.V[i].State = lang.Invalid
		}
	}
	return l.words(v, "domains", "every host that no other service's domain fits better", parseDomain)
}

// refuseSensitive refuses a sensitive value that would become a name.
func (l *loader) refuseSensitive(at hcl.Range, what string) {
	l.report(lang.RuleSensitive, at, "Sensitive "+what,
		"A %s becomes a name in Envoy, and shows in its statistics and dumps and in weir's own pages. Use a value that is not sensitive, or nonsensitive(...) where it need not be.", what)
}

// decodeListenerNames returns all listeners of the instance when the service names none.
func (l *loader) decodeListenerNames(v lang.Value[[]lang.Value[string]], ref lang.Value[lang.Ref]) ([]string, bool) {
	in := l.instance(ref.V.Name)
	if in == nil {
		return nil, false
	}
	all := in.listenerNames()
	names, known := l.words(v, "listeners", "all listeners of the instance", func(name string) (string, *fault) {
		if slices.Contains(all, name) {
			return name, nil
		}
		return "", &fault{ruleListener, "Unknown listener", fmt.Sprintf("is not a listener of instance %q, which has %s.", in.model.Name, quotedList(all, "and")), suggest(name, all), ""}
	})
	if v.State == lang.Absent {
		return all, len(all) > 0
	}
	return names, known
}

// methods are the request methods that Envoy's HTTP/1 parser takes, in the order of messages.
var methods = []string{
	"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE",
	"ACL", "BIND", "CHECKOUT", "COPY", "LINK", "LOCK", "MERGE", "MKACTIVITY", "MKCALENDAR", "MKCOL", "MOVE", "NOTIFY",
	"PROPFIND", "PROPPATCH", "PURGE", "REBIND", "REPORT", "SEARCH", "SOURCE", "SUBSCRIBE", "UNBIND", "UNLINK", "UNLOCK", "UNSUBSCRIBE",
}

// commonMethods is how many of methods a message lists.
const commonMethods = 8

func parseMethod(text string) (string, *fault) {
	if slices.Contains(methods, text) {
		return text, nil
	}
	upper := strings.ToUpper(text)
	var remedy string
	switch {
	case text == "*" || upper == "ANY" || upper == "ALL":
		remedy = "To take every method, leave the attribute out."
	case slices.Contains(methods, upper):
		remedy = fmt.Sprintf("Did you mean %q?", upper)
	case upper == "CONNECT":
		remedy = "CONNECT opens a tunnel, which an API is not."
	default:
		remedy = suggest(upper, methods)
	}
	return "", &fault{ruleMethod, "Unknown method", "is not a method that an API can take.", remedy,
		fmt.Sprintf("Methods are written in upper case: %s, or one of WebDAV's.", list(methods[:commonMethods], "and"))}
}
