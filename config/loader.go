package config

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/weirproxy/weir/config/lang"
)

// loader is one load. Each noun is decoded into the model's form and keeps, beside it, the places that messages of
// rules across nouns need. A noun with a mistake is kept too: the rules that do not touch the mistake still hold.
type loader struct {
	module *lang.Module
	now    time.Time
	diags  hcl.Diagnostics

	known *nouns

	noting bool       // of a block that is decoded, to know later whether its result still holds:
	looked []lang.Ref // what it looked at; without a name, at a whole kind
	since  time.Time  // and from when to when the files that it read are judged as they are; zero: always
	until  time.Time
}

// decode reads every noun. Later kinds look at earlier ones. A block with a bad or a taken name is read only for the
// mistakes inside.
func (l *loader) decode() {
	l.known = newNouns()
	decodeKind(l, kindVPC, l.known.vpcs, l.decodeVPC)
	decodeKind(l, kindCCN, l.known.ccns, l.decodeCCN)
	decodeKind(l, kindInstance, l.known.instances, l.decodeInstance)
	decodeKind(l, kindUpstream, l.known.upstreams, l.decodeUpstream)
	decodeKind(l, kindService, l.known.services, l.decodeService)
}

func decodeKind[T any](l *loader, kind string, nouns map[string]T, decode func(*lang.Block, *lang.Body) T) {
	for _, block := range l.module.Blocks(kind) {
		body, diags := l.module.Decode(block, schemas[kind])
		l.diags = append(l.diags, diags...)
		nouns[block.Name] = decode(block, body)
	}
	for _, block := range l.module.Rejected(kind) {
		body, diags := l.module.Decode(block, schemas[kind])
		l.diags = append(l.diags, diags...)
		decode(block, body)
	}
}

// checkAcross holds the rules that join several nouns.
func (l *loader) checkAcross() {
	l.checkOverlaps()
	taken, called := taken{}, called{}
	l.eachAPI(func(s *service, a *api) {
		l.checkScheme(called, a)
		l.checkAPI(s, a)
		l.checkConflict(taken, s, a)
	})
	l.checkCircles()
	l.checkInUse()
}

// checkAPI holds the rules that join an API with the instance, the upstreams and the CCNs that it uses. Nothing else of
// the configuration counts: the rules are asked again when one of these changes.
func (l *loader) checkAPI(s *service, a *api) {
	for _, ref := range a.uses() {
		l.checkReach(s, a, ref)
	}
	l.checkRedirect(s, a)
	l.checkTimeout(s, a)
	l.checkSplit(a)
	l.checkCopies(a)
	l.checkWebSocket(a)
}

func (l *loader) empty() bool {
	for _, kind := range kinds {
		if len(l.module.Names(kind)) > 0 {
			return false
		}
	}
	return true
}

// report adds a mistake.
func (l *loader) report(rule lang.Rule, at hcl.Range, summary, detail string, args ...any) {
	l.diags = append(l.diags, lang.Error(rule, at, summary, fmt.Sprintf(detail, args...)))
}

// place is a range as details of messages name it, "shop.hcl:12".
func place(r hcl.Range) string {
	return fmt.Sprintf("%s:%d", r.Filename, r.Start.Line)
}

// finish masks the diagnostics and orders them as they stand in the files; those without a place come first.
func (l *loader) finish() hcl.Diagnostics {
	for _, d := range l.diags {
		d.Summary, d.Detail = l.module.Mask(d.Summary), l.module.Mask(d.Detail)
	}
	sortDiagnostics(l.diags)
	return l.diags
}

func sortDiagnostics(diags hcl.Diagnostics) {
	slices.SortStableFunc(diags, func(a, b *hcl.Diagnostic) int {
		switch {
		case a.Subject == nil && b.Subject == nil:
			return 0
		case a.Subject == nil:
			return -1
		case b.Subject == nil:
			return 1
		}
		return cmp.Or(
			cmp.Compare(a.Subject.Filename, b.Subject.Filename),
			cmp.Compare(a.Subject.Start.Byte, b.Subject.Start.Byte),
		)
	})
}

// suggest is `Did you mean "x"?` or empty.
func suggest(given string, candidates []string) string { return lang.Suggest(given, candidates) }

// choice reads an attribute that takes one of a few words. It returns the default when nothing valid is said.
func choice[T ~string](l *loader, v lang.Value[string], def T, words ...T) lang.Value[T] {
	out := lang.Value[T]{V: def, Range: v.Range, State: v.State}
	if !v.Valid() {
		return out
	}
	if slices.Contains(words, T(v.V)) {
		out.V = T(v.V)
		return out
	}
	candidates := make([]string, len(words))
	for i, w := range words {
		candidates[i] = string(w)
	}
	out.State = lang.Invalid
	l.blame(v, &fault{ruleValue, "Unknown value", fmt.Sprintf("is none of the values that stand here: %s.", quotedList(candidates, "or")), valueHint(v.V, candidates), ""})
	return out
}
