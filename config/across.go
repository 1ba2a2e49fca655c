package config

import (
	"fmt"
	"maps"
	"slices"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/model"
)

// eachAPI visits every API, by service and then as they stand in the text.
func (l *loader) eachAPI(visit func(*service, *api)) {
	for _, name := range slices.Sorted(maps.Keys(l.known.services)) {
		for _, a := range l.known.services[name].apis {
			visit(l.known.services[name], a)
		}
	}
}

// checkReach holds rule 4: who may use a VPC upstream.
func (l *loader) checkReach(s *service, a *api, ref lang.Value[lang.Ref]) {
	up, in := l.known.upstreams[ref.V.Name], l.known.instances[s.instance.V.Name]
	if !ref.Valid() || !s.instance.Valid() || up == nil || in == nil || in.kind.State == lang.Invalid {
		return
	}
	if in.kind.V == model.Shared {
		l.report(ruleReach, ref.Range, "VPC upstream on a shared instance",
			"API %q of service %q is mounted on instance %q (%s), which is shared and lives in no VPC, and upstream %q lives in VPC %q. VPC upstreams work on dedicated instances only. Mount the service on a dedicated instance, or give the API another backend (url or mock).",
			a.model.Name, s.model.Name, in.model.Name, place(in.head), up.model.Name, up.model.VPC)
		return
	}
	here, there := in.model.VPC, up.model.VPC
	if !in.vpc.Valid() || !up.vpc.Valid() || here == there || l.joinedBy(here, there) {
		return
	}
	l.report(ruleReach, ref.Range, "VPC that cannot be reached",
		"API %q of service %q is mounted on instance %q, which lives in VPC %q (%s), and upstream %q lives in VPC %q (%s). An API uses an upstream of its instance's VPC, or of a VPC that a CCN joins with it%s. Join the two:\n\n  ccn \"%s\" {\n    vpcs = [%s, %s]\n  }",
		a.model.Name, s.model.Name, in.model.Name, here, place(in.vpc.Range), up.model.Name, there, place(up.vpc.Range),
		l.overTwo(here, there), l.freeCCNName(here, there), refer(kindVPC, here), refer(kindVPC, there))
}

// overTwo explains, where one VPC leads to the other over two CCNs, that this is not enough.
func (l *loader) overTwo(here, there string) string {
	for _, name := range slices.Sorted(maps.Keys(l.known.vpcs)) {
		if name != here && name != there && l.joinedBy(here, name) && l.joinedBy(name, there) {
			return fmt.Sprintf("; that both are joined with VPC %q is not enough, a CCN is not transitive", name)
		}
	}
	return ""
}

// freeCCNName makes a name that the configuration does not have yet.
func (l *loader) freeCCNName(here, there string) string {
	name := here + "_" + there
	if len(name) > 50 || l.module.Has(kindCCN, name) {
		name = "backbone"
	}
	for i := 2; l.module.Has(kindCCN, name); i++ {
		name = fmt.Sprintf("backbone_%d", i)
	}
	return name
}

// called are the APIs that call a public server, by its host and port.
type called map[string][]*api

// checkScheme holds that a public server is called by one scheme: one host and port is one cluster of Envoy.
func (l *loader) checkScheme(servers called, a *api) {
	url := a.model.Backend.URL
	if url == nil {
		return
	}
	server := serverOf(url)
	if before := servers[server]; len(before) > 0 && before[0].model.Backend.URL.Protocol != url.Protocol {
		l.report(ruleURL, a.url, "One server with two schemes",
			"%s is called by %s here and by %s elsewhere (%s). A server's port speaks one of the two; correct one of the URLs.", server, url.Protocol, before[0].model.Backend.URL.Protocol, place(before[0].url))
	}
	servers[server] = append(servers[server], a)
}

// route is where an API is mounted and what it matches, without its methods: shape is of the path and the conditions.
type route struct{ instance, listener, domain, shape string }

// mounting is an API at one route.
type mounting struct {
	service *service
	api     *api
}

// taken are the APIs at each route, by service name and position.
type taken map[route][]mounting

// checkConflict holds rule 6. An API is reported against one other at most: the first by service name and position.
func (l *loader) checkConflict(taken taken, s *service, a *api) {
	if !s.mounted || !a.matches {
		return
	}
	this := mounting{s, a}
	routes := routesOf(s, a)
	for _, r := range routes {
		i := slices.IndexFunc(taken[r], func(m mounting) bool { return sharesMethod(m.api.model.Methods, a.model.Methods) })
		if i >= 0 {
			l.reportConflict(taken[r][i], this, r)
			break
		}
	}
	for _, r := range routes {
		taken[r] = append(taken[r], this)
	}
}

func routesOf(s *service, a *api) []route {
	domains := s.model.Domains
	if len(domains) == 0 {
		domains = []string{""}
	}
	shape := pathShape(a.model.Path) + conditionsKey(a.model)
	var out []route
	for _, listener := range s.model.Listeners {
		for _, domain := range domains {
			out = append(out, route{s.model.Instance, listener, domain, shape})
		}
	}
	return out
}

// reportConflict names the place of the other API of the pair.
func (l *loader) reportConflict(first, second mounting, r route) {
	host := "services without domains"
	if r.domain != "" {
		host = fmt.Sprintf("domain %q", r.domain)
	}
	l.report(ruleConflict, second.api.head, "Two APIs for the same requests",
		"API %q of service %q takes %s, and so does API %q of service %q (%s): both stand on listener %q of instance %q, for %s. Two APIs do not share domain, listener, path, conditions and method%s. Change the path, the methods or the conditions of one, or remove it.",
		second.api.model.Name, second.service.model.Name, requests(second.api.model),
		first.api.model.Name, first.service.model.Name, place(first.api.head),
		r.listener, r.instance, host, sameShape(first.api.model.Path, second.api.model.Path))
}

// sameShape explains paths that are written differently.
func sameShape(a, b model.Path) string {
	switch {
	case a == b:
		return ""
	case a.Kind == model.TemplatePath:
		return fmt.Sprintf("; the names of variables make no difference between %q and %q", a.Text, b.Text)
	}
	return "; path_prefix = \"/\" is every path"
}

// requests is what an API takes, "GET and POST of /orders".
func requests(a *model.API) string {
	what, with := "every method", ""
	if len(a.Methods) > 0 {
		what = list(a.Methods, "and")
	}
	if n := len(a.Headers) + len(a.Query); n > 0 {
		with = " under " + count(n, "condition")
	}
	switch a.Path.Kind {
	case model.AnyPath:
		return what + " of every path" + with
	case model.PrefixPath:
		return what + " of all below " + a.Path.Text + with
	}
	return what + " of " + a.Path.Text + with
}
