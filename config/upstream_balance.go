package config

import (
	"fmt"
	"strings"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/model"
)

// decodeBalancing reads how a node is chosen, and holds it against the nodes.
func (l *loader) decodeBalancing(body *lang.Body, up *upstream, nodes []node) {
	algorithm := choice(l, body.String("load_balancing"), model.WeightedRoundRobin,
		model.WeightedRoundRobin, model.LeastRequest, model.Random, model.RingHash, model.Maglev)
	up.model.LoadBalancing = algorithm.V
	keys, starts := body.Blocks("hash_key"), body.Blocks("slow_start")
	for _, inner := range keys {
		up.model.HashKey = l.decodeHashKey(inner)
	}
	for _, inner := range starts {
		up.model.SlowStart = &model.SlowStart{
			Window:           l.span(inner.Duration("window"), "window", 0, false),
			MinWeightPercent: l.number(inner.Int("min_weight_percent"), "min_weight_percent", 10, 1, 100),
		}
	}
	if algorithm.State == lang.Invalid {
		return
	}
	switch hashes := algorithm.V.Hashes(); {
	case hashes && len(keys) == 0:
		l.report(ruleBalancing, algorithm.Range, "Hashing without a key",
			"%q sends requests with the same key to the same node, and upstream %q does not say what the key is. Add hash_key { header = \"...\" }, { cookie = \"...\" } or { source_address = true }.", algorithm.V, up.model.Name)
	case !hashes && len(keys) > 0:
		l.report(ruleBalancing, keys[0].DefRange, "Hash key that is not used",
			"The algorithm of upstream %q is %q, which looks at no key. Write load_balancing = \"ring_hash\" or \"maglev\", or remove the block.", up.model.Name, algorithm.V)
	}
	if len(starts) > 0 && algorithm.V != model.WeightedRoundRobin && algorithm.V != model.LeastRequest {
		l.report(ruleBalancing, starts[0].DefRange, "Slow start that is not used",
			"The algorithm of upstream %q is %q, and only \"weighted_round_robin\" and \"least_request\" start nodes slowly. Change load_balancing, or remove the block.", up.model.Name, algorithm.V)
	}
	l.checkBalancedNodes(up, nodes, starts)
}

// checkBalancedNodes holds the algorithm against the weights and the kinds of the nodes.
func (l *loader) checkBalancedNodes(up *upstream, nodes []node, starts []*lang.Body) {
	algorithm := up.model.LoadBalancing
	weight := 0
	for _, n := range nodes {
		switch {
		case algorithm != model.Random || !n.weight.Valid() || n.weight.V == 0:
		case weight == 0:
			weight = n.weight.V
		case n.weight.V != weight:
			l.report(ruleBalancing, n.weight.Range, "Weights that are not used",
				"The algorithm of upstream %q is \"random\", which looks at no weights: every enabled node gets the same share. Give all of them the same weight or none, or change load_balancing.", up.model.Name)
			return
		}
	}
	for _, n := range nodes {
		if _, isIP := n.model.IP(); !n.good || isIP {
			continue
		}
		switch {
		case algorithm != model.WeightedRoundRobin:
			l.diags = append(l.diags, lang.Warning(ruleBalancing, n.at, "A share for each address of a name",
				fmt.Sprintf("%q chooses among addresses, not among nodes: if %q has several, each has the node's weight, and the node gets more. Only \"weighted_round_robin\" has the addresses of a name share its weight.", algorithm, n.model.Host)))
			return
		case len(starts) > 0:
			l.report(ruleBalancing, starts[0].DefRange, "Slow start of names",
				"Upstream %q has a node that is a name (%s), so that a node's share is its weight whatever the age of its addresses. Remove slow_start, list IP addresses, or write load_balancing = \"least_request\".", up.model.Name, place(n.at))
			return
		}
	}
}

func (l *loader) decodeHashKey(body *lang.Body) *model.HashKey {
	header, cookie, ttl, source := body.String("header"), body.String("cookie"), body.Duration("ttl"), body.Bool("source_address")
	out := &model.HashKey{
		Header: strings.ToLower(l.token(header, "header")), Cookie: l.token(cookie, "cookie"), SourceAddress: source.Or(false),
		MakeCookie: ttl.Said(), CookieTTL: l.span(ttl, "ttl", 0, true),
	}
	said := 0
	for _, is := range []bool{header.Said(), cookie.Said(), source.Said() && (source.V || !source.Valid())} {
		if is {
			said++
		}
	}
	if said != 1 && !body.Broken() {
		l.report(ruleBalancing, body.DefRange, "Not one hash key",
			"A hash key is exactly one of header = \"...\", cookie = \"...\" and source_address = true, and this block says %s.", map[bool]string{true: "none", false: "more than one"}[said == 0])
	}
	if ttl.Said() && !cookie.Said() {
		l.report(ruleBalancing, ttl.Range, "Lifetime without a cookie", "ttl is the lifetime of the cookie that callers without one are given. Say the cookie's name in cookie, or remove ttl.")
	}
	return out
}

// token is the name of a header or a cookie.
func (l *loader) token(v lang.Value[string], what string) string {
	odd := func(r rune) bool { return !isAlphanumeric(r) && !strings.ContainsRune("-_.", r) }
	if v.Valid() && (v.V == "" || strings.ContainsFunc(v.V, odd)) {
		l.blame(v, &fault{ruleBalancing, "Invalid name of a " + what, "is not the name of a " + what + ".", "", "It is made of letters, digits, \"-\", \"_\" and \".\"."})
		return ""
	}
	return v.Or("")
}
