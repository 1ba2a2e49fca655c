package config

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/model"
)

// decodeSplit reads the upstreams that share the requests of an API. Their weights follow the rule of nodes: all that get
// requests say one or none does.
func (l *loader) decodeSplit(a *api, body *lang.Body) {
	var silent []*lang.Body
	said, open, whole := 0, false, true
	first := map[string]hcl.Range{}
	for _, inner := range body.Blocks("target") {
		up, weight := inner.Ref("upstream"), inner.Int("weight")
		l.checkOnce(first, up, ruleSplit, "Upstream in a split twice", "Each upstream of a split stands in it once: add the weights up and remove one of the two.")
		if up.Said() {
			a.targets = append(a.targets, up)
		}
		switch {
		case weight.Valid() && (weight.V < 0 || weight.V > maxWeight):
			l.report(ruleSplit, weight.Range, "Invalid weight", "%d is not a weight. A weight is a whole number, 0-%d; with 0 the upstream gets no request.", weight.V, maxWeight)
			whole = false
		case weight.State == lang.Invalid:
			whole = false
		case weight.State == lang.Absent:
			silent = append(silent, inner)
		case weight.V > 0:
			said++
		}
		open = open || weight.State != lang.Valid || weight.V > 0
		a.model.Backend.Split = append(a.model.Backend.Split, model.Target{Upstream: up.V.Name, Weight: uint32(min(max(weight.Or(1), 0), maxWeight))})
	}
	switch {
	case !open && len(a.model.Backend.Split) > 0:
		l.report(ruleSplit, body.DefRange, "Split without a share", "All upstreams of this split have weight = 0, so none of them gets a request. At least one has a weight of 1-%d.", maxWeight)
	case said > 0 && len(silent) > 0 && whole:
		l.report(ruleSplit, silent[0].DefRange, "Targets with and without a weight",
			"This split says a weight for %s and none for %s, of which this is the first. Either all targets say a weight or none does, which gives equal shares; weight = 0 may always be said. Add weight = 0-%d here, or remove the weights.",
			count(said, "target"), count(len(silent), "target"), maxWeight)
	}
}

// decodeMirror reads an upstream that gets copies.
func (l *loader) decodeMirror(a *api, body *lang.Body) {
	up, percent := body.Ref("upstream"), body.Int("percent")
	first := map[string]hcl.Range{}
	for _, before := range a.mirrors {
		first[before.V.Name] = before.Range
	}
	l.checkOnce(first, up, ruleBackend, "Two mirrors of one upstream", "An upstream gets one copy of a request at most; remove one of the two.")
	if up.Said() {
		a.mirrors = append(a.mirrors, up)
	}
	if percent.Valid() && (percent.V < 0 || percent.V > 100) {
		l.report(ruleValue, percent.Range, "Invalid percentage", "%d is not a percentage of the requests. It is a whole number, 0-100.", percent.V)
	}
	a.model.Backend.Mirrors = append(a.model.Backend.Mirrors, model.Mirror{Upstream: up.V.Name, Percent: percent.Or(100)})
}

// checkOnce reports an upstream that stands in a list already.
func (l *loader) checkOnce(first map[string]hcl.Range, up lang.Value[lang.Ref], rule lang.Rule, summary, remedy string) {
	if !up.Valid() {
		return
	}
	if at, again := first[up.V.Name]; again {
		l.report(rule, up.Range, summary, "%s", fmt.Sprintf("%s stands there already (%s). %s", refer(kindUpstream, up.V.Name), place(at), remedy))
		return
	}
	first[up.V.Name] = up.Range
}
