package lang

import (
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
)

// masked stands in messages where a sensitive value was.
const masked = "(sensitive)"

// shortText is the length up to which a text is not masked: "1" stands in every message, and to mask it would tell
// less of it than of everything else. What a message of this package says of a sensitive value is left out there.
const shortText = 3

// mask knows the texts that no message may show.
type mask struct {
	texts  map[string]bool
	sorted []string // longest first; nil: to be made
	long   *strings.Replacer
}

// learn takes a value's texts and numbers, at any depth.
func (m *mask) learn(v cty.Value) {
	v, _ = v.UnmarkDeep()
	_ = cty.Walk(v, func(_ cty.Path, v cty.Value) (bool, error) {
		if !v.IsKnown() || v.IsNull() {
			return false, nil
		}
		switch v.Type() {
		case cty.String:
			m.learnText(v.AsString())
		case cty.Number:
			m.learnText(v.AsBigFloat().Text('f', -1))
		}
		return true, nil
	})
}

// learnText takes a text, as it is and as the files may spell it: escaped, or over several lines.
func (m *mask) learnText(text string) {
	quoted := strconv.Quote(text)
	for _, t := range append(strings.Split(text, "\n"), text, quoted[1:len(quoted)-1]) {
		t = strings.TrimSpace(t)
		if utf8.RuneCountInString(t) <= shortText || m.texts[t] {
			continue
		}
		if m.texts == nil {
			m.texts = map[string]bool{}
		}
		m.texts[t], m.sorted = true, nil
	}
}

// apply replaces what the mask knows.
func (m *mask) apply(s string) string {
	if len(m.texts) == 0 {
		return s
	}
	if m.sorted == nil {
		m.sort()
	}
	return m.long.Replace(s)
}

// sort puts longer texts first: one may hold another.
func (m *mask) sort() {
	m.sorted = make([]string, 0, len(m.texts))
	for t := range m.texts {
		m.sorted = append(m.sorted, t)
	}
	sort.Slice(m.sorted, func(i, j int) bool {
		a, b := m.sorted[i], m.sorted[j]
		return len(a) > len(b) || len(a) == len(b) && a < b
	})
	var pairs []string
	for _, t := range m.sorted {
		pairs = append(pairs, t, masked)
	}
	m.long = strings.NewReplacer(pairs...)
}
