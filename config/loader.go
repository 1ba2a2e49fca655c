package config

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/model"
)

// loader is one load. Each noun is decoded into the model's form and keeps, beside it, the places that messages of
// rules across nouns need. A noun with a mistake is kept too: the rules that do not touch the mistake still hold.
type loader struct {
	module *lang.Module
	now    time.Time
	diags  hcl.Diagnostics

	vpcs      map[string]*vpc
	ccns      map[string]*ccn
	instances map[string]*instance
	upstreams map[string]*upstream
	services  map[string]*service
}

// decode reads every noun. Later kinds look at earlier ones. A block with a bad or a taken name is read only for the
// mistakes inside.
func (l *loader) decode() {
	l.vpcs = decodeKind(l, kindVPC, l.decodeVPC)
	l.ccns = decodeKind(l, kindCCN, l.decodeCCN)
	l.instances = decodeKind(l, kindInstance, l.decodeInstance)
	l.upstreams = decodeKind(l, kindUpstream, l.decodeUpstream)
	l.services = decodeKind(l, kindService, l.decodeService)
}

func decodeKind[T any](l *loader, kind string, decode func(*lang.Block, *lang.Body) T) map[string]T {
	blocks := l.module.Blocks(kind)
	nouns := make(map[string]T, len(blocks))
	for _, block := range blocks {
		body, diags := l.module.Decode(block, schemas[kind])
		l.diags = append(l.diags, diags...)
		nouns[block.Name] = decode(block, body)
	}
	for _, block := range l.module.Rejected(kind) {
		body, diags := l.module.Decode(block, schemas[kind])
		l.diags = append(l.diags, diags...)
		decode(block, body)
	}
	return nouns
}

// checkAcross holds the rules that join several nouns.
func (l *loader) checkAcross() {
	l.checkOverlaps()
	l.checkSchemes()
	l.checkReach()
	l.checkRedirects()
	l.checkConflicts()
	l.checkTimeouts()
	l.checkSplits()
	l.checkInUse()
}

func (l *loader) configuration() *model.Configuration {
	return &model.Configuration{
		VPCs:      plain(l.vpcs, func(n *vpc) *model.VPC { return n.model }),
		CCNs:      plain(l.ccns, func(n *ccn) *model.CCN { return n.model }),
		Instances: plain(l.instances, func(n *instance) *model.Instance { return n.model }),
		Upstreams: plain(l.upstreams, func(n *upstream) *model.Upstream { return n.model }),
		Services:  plain(l.services, func(n *service) *model.Service { return n.model }),
	}
}

func plain[N, M any](nouns map[string]N, of func(N) M) map[string]M {
	out := make(map[string]M, len(nouns))
	for name, noun := range nouns {
		out[name] = of(noun)
	}
	return out
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
	slices.SortStableFunc(l.diags, func(a, b *hcl.Diagnostic) int {
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
	return l.diags
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
	l.blame(v, &fault{ruleValue, "Unknown value", fmt.Sprintf("is none of the values that stand here: %s.", quotedList(candidates, "or")), suggest(v.V, candidates), ""})
	return out
}
