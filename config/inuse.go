package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/weirproxy/weir/config/lang"
)

// maxListed bounds the APIs that one message names.
const maxListed = 20

// use is an API that refers to an upstream, and where.
type use struct {
	service *service
	api     *api
	at      hcl.Range
}

// throughLocals is rule 5 where the name does not stand in an API, but in a local that APIs may use.
const throughLocals = "\n\nIf it was removed: an upstream that APIs use, also through locals, is removed together with them, or after they are changed."

// checkInUse holds rule 5. To the language, an upstream that was removed is a name that stands nowhere; where an API
// uses it, the mistake is told for what it is, once at each of the APIs, with all of them.
func (l *loader) checkInUse() {
	lost := map[string][]use{}
	kept := l.diags[:0:0]
	saying := l.apisByFile()
	for _, d := range l.diags {
		target, missing := lang.MissingOf(d)
		if !missing || target.Kind != kindUpstream {
			kept = append(kept, d)
			continue
		}
		found := findUse(saying[d.Subject.Filename], *d.Subject)
		if found == nil {
			d.Detail += throughLocals
			kept = append(kept, d)
			continue
		}
		if uses := lost[target.Name]; len(uses) == 0 || uses[len(uses)-1].api != found.api {
			lost[target.Name] = append(uses, use{found.service, found.api, *d.Subject})
		}
	}
	l.diags = kept
	for name, uses := range lost {
		all := l.listUses(uses)
		hint := suggest(name, l.module.Names(kindUpstream))
		for _, u := range uses {
			detail := fmt.Sprintf("API %q of service %q uses upstream %q, and no file has that upstream. It is used by %s; an upstream that APIs use cannot be removed. Add the block upstream %q (again, if it was removed), or change or remove these APIs; both in one save is fine. %s",
				u.api.model.Name, u.service.model.Name, name, all, name, hint)
			l.report(ruleInUse, u.at, fmt.Sprintf("There is no upstream %q", name), "%s", strings.TrimSpace(detail))
		}
	}
}

func (l *loader) listUses(uses []use) string {
	var items []string
	for _, u := range uses[:min(len(uses), maxListed)] {
		items = append(items, fmt.Sprintf("%s/%s (%s)", u.service.model.Name, u.api.model.Name, place(u.api.head)))
	}
	if more := len(uses) - maxListed; more > 0 {
		items = append(items, fmt.Sprintf("%d more", more))
	}
	return count(len(uses), "API") + ": " + list(items, "and")
}

// apisByFile are the APIs whose backend says upstreams, by file and by the position of what it says.
func (l *loader) apisByFile() map[string][]use {
	out := map[string][]use{}
	l.eachAPI(func(s *service, a *api) {
		for _, up := range a.uses() {
			out[up.Range.Filename] = append(out[up.Range.Filename], use{s, a, up.Range})
		}
	})
	for _, uses := range out {
		slices.SortFunc(uses, func(a, b use) int { return cmp.Compare(a.at.Start.Byte, b.at.Start.Byte) })
	}
	return out
}

// findUse is the one of a file's sorted uses in whose range a place lies.
func findUse(uses []use, at hcl.Range) *use {
	i, exact := slices.BinarySearchFunc(uses, at.Start.Byte, func(u use, start int) int { return cmp.Compare(u.at.Start.Byte, start) })
	if !exact {
		i--
	}
	if i < 0 || uses[i].at.End.Byte < at.End.Byte {
		return nil
	}
	return &uses[i]
}
