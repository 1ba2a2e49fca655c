package config

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/weirproxy/weir/config/lang"
)

// maxListed bounds the APIs that one message names.
const maxListed = 20

// lostUse is an API that refers to an upstream that stands nowhere.
type lostUse struct {
	service *service
	api     *api
	at      hcl.Range
}

// checkInUse holds rule 5. To the language, an upstream that was removed is a name that stands nowhere; where an API
// uses it, the mistake is told for what it is, once at each of the APIs, with all of them.
func (l *loader) checkInUse() {
	uses := map[string][]lostUse{}
	kept := l.diags[:0:0]
	for _, d := range l.diags {
		name, ok := l.missingUpstream(d)
		s, a := l.apiAt(d.Subject)
		if !ok || a == nil {
			kept = append(kept, d)
			continue
		}
		uses[name] = append(uses[name], lostUse{s, a, *d.Subject})
	}
	l.diags = kept
	for name, list := range uses {
		all := listUses(l, list)
		hint := suggest(name, l.module.Names(kindUpstream))
		for _, use := range list {
			detail := fmt.Sprintf("API %q of service %q uses upstream %q, and no file has that upstream. An upstream that APIs use cannot be removed. It is used by %s. Put it back, or remove these APIs or give them another backend; both in one save is fine. %s",
				use.api.model.Name, use.service.model.Name, name, all, hint)
			l.report(ruleInUse, use.at, fmt.Sprintf("Upstream %q is in use and does not exist", name), "%s", strings.TrimSpace(detail))
		}
	}
}

func listUses(l *loader, uses []lostUse) string {
	var items []string
	for _, use := range uses[:min(len(uses), maxListed)] {
		items = append(items, fmt.Sprintf("%s/%s (%s)", use.service.model.Name, use.api.model.Name, l.place(use.api.head)))
	}
	if more := len(uses) - maxListed; more > 0 {
		items = append(items, fmt.Sprintf("%d more", more))
	}
	return count(len(uses), "API") + ": " + list(items, "and")
}

// missingUpstream reads the name out of the diagnostic of a reference to an upstream that stands nowhere.
func (l *loader) missingUpstream(d *hcl.Diagnostic) (string, bool) {
	if lang.RuleOf(d) != lang.RuleReference || d.Subject == nil {
		return "", false
	}
	file := l.module.Files()[d.Subject.Filename]
	if file == nil || !d.Subject.CanSliceBytes(file.Bytes) {
		return "", false
	}
	name, ok := upstreamName(string(d.Subject.SliceBytes(file.Bytes)))
	return name, ok && !l.module.Has(kindUpstream, name)
}

// upstreamName reads "upstream.orders" and `upstream["1st"]`, also as JSON has them, with quotes escaped.
func upstreamName(text string) (string, bool) {
	text = strings.ReplaceAll(text, `\"`, `"`)
	traversal, diags := hclsyntax.ParseTraversalAbs([]byte(text), "", hcl.InitialPos)
	if diags.HasErrors() || len(traversal) != 2 || traversal.RootName() != kindUpstream {
		return "", false
	}
	switch step := traversal[1].(type) {
	case hcl.TraverseAttr:
		return step.Name, true
	case hcl.TraverseIndex:
		if step.Key.Type() == cty.String {
			return step.Key.AsString(), true
		}
	}
	return "", false
}

// apiAt is the API whose backend's upstream is said at the place.
func (l *loader) apiAt(at *hcl.Range) (found *service, of *api) {
	if at == nil {
		return nil, nil
	}
	l.eachAPI(func(s *service, a *api) {
		r := a.upstream.Range
		if a.upstream.Said() && r.Filename == at.Filename && r.Start.Byte <= at.Start.Byte && at.End.Byte <= r.End.Byte {
			found, of = s, a
		}
	})
	return found, of
}
