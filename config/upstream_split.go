package config

import (
	"fmt"
	"time"

	"github.com/weirproxy/weir/config/lang"
)

// checkSplit holds that upstreams which share the requests of an API are alike in what Envoy reads from the API's route
// before it has chosen among them.
func (l *loader) checkSplit(a *api) {
	var first *upstream
	for _, ref := range a.targets {
		up := l.known.upstreams[ref.V.Name]
		switch {
		case !ref.Valid() || up == nil:
		case first == nil:
			first = up
		default:
			l.checkAlike(ref, first, up)
		}
	}
}

// checkCopies warns where copies cannot be told apart by what their upstream hashes: Envoy makes them without the
// caller's connection.
func (l *loader) checkCopies(a *api) {
	for _, ref := range a.mirrors {
		up := l.known.upstreams[ref.V.Name]
		if ref.Valid() && up != nil && up.model.HashKey != nil && up.model.HashKey.SourceAddress {
			l.diags = append(l.diags, lang.Warning(ruleBalancing, ref.Range, "Copies without the caller's address",
				fmt.Sprintf("Upstream %q (%s) chooses nodes by the caller's address, which Envoy does not know of copies, so each goes to any node. Headers and cookies are copied, so hash_key { header = \"...\" } or { cookie = \"...\" } works.", up.model.Name, place(up.head))))
		}
	}
}

func (l *loader) checkAlike(ref lang.Value[lang.Ref], first, second *upstream) {
	if a, b := first.model.Retry.PerTryTimeout, second.model.Retry.PerTryTimeout; a != b {
		l.report(ruleSplit, ref.Range, "Split over different per_try_timeouts",
			"Upstream %q has %s (%s), and upstream %q, in the same split, %s (%s). Envoy limits an attempt before it knows which of them it goes to, so they say the same retry { per_try_timeout }, or none of them does.",
			second.model.Name, spoken("per_try_timeout", b), place(second.head), first.model.Name, spoken("per_try_timeout", a), place(first.head))
	}
}

// spoken is an attribute with its duration, or that there is none.
func spoken(name string, d time.Duration) string {
	if d == 0 {
		return "no " + name
	}
	return name + " = \"" + d.String() + "\""
}
