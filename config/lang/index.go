package lang

import (
	"fmt"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// The bounds of rule 1.
const maxName = 50

// nameDetail is rule 1 as messages print it.
const nameDetail = "A name has 1 to 50 characters out of a-z, A-Z, 0-9 and _."

// ValidName tells whether a block can have the name, which is rule 1.
func ValidName(name string) bool {
	if name == "" || len(name) > maxName {
		return false
	}
	for i := 0; i < len(name); i++ {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}

// checkName reports a name that rule 1 refuses.
func checkName(typ string, l label, d *diagnostics) bool {
	if ValidName(l.text) {
		return true
	}
	if holdsTemplate(l.text) {
		d.error(RuleName, l.rng, labelSummary, labelDetail(isJSON(l.rng.Filename)))
	} else {
		d.error(RuleName, l.rng, fmt.Sprintf("Invalid name of %s %q", typ, shorten(l.text)), nameDetail)
	}
	return false
}

// holdsTemplate tells of a label that was meant to be computed.
func holdsTemplate(label string) bool {
	return strings.Contains(label, "${") || strings.Contains(label, "%{")
}

// shorten keeps a message readable whatever somebody wrote as a name.
func shorten(name string) string {
	if r := []rune(name); len(r) > maxName+10 {
		return string(r[:maxName+10]) + "…"
	}
	return name
}

// index gives each block its name: the first good one of a kind counts, others are rejected.
func (l *loader) index() {
	first := map[string]map[string]hcl.Range{}
	for _, kind := range l.in.Kinds {
		first[kind] = map[string]hcl.Range{}
	}
	for _, b := range l.all {
		l.m.names[b.Kind][b.Name] = true
		earlier, again := first[b.Kind][b.Name]
		good := checkName(b.Kind, label{b.Name, b.NameRange}, &l.diags)
		switch {
		case good && again:
			sameName(b.Kind, label{b.Name, b.NameRange}, earlier, &l.diags)
			good = false
		case good:
			first[b.Kind][b.Name] = b.NameRange
		}
		if good && len(b.lost) == 0 {
			l.m.blocks[b.Kind] = append(l.m.blocks[b.Kind], b)
		} else {
			l.m.rejected[b.Kind] = append(l.m.rejected[b.Kind], b)
		}
	}
	for _, blocks := range l.m.blocks {
		sort.Slice(blocks, func(i, j int) bool { return blocks[i].Name < blocks[j].Name })
	}
}

// sameName reports the second use of a name.
func sameName(typ string, l label, first hcl.Range, d *diagnostics) {
	d.error(RuleName, l.rng, fmt.Sprintf("Two %s blocks named %q", typ, l.text),
		fmt.Sprintf("The first stands at %s. Names are unique: rename one of them, or remove it.", d.place(first)))
}
