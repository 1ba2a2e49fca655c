package lang

import (
	"sort"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
)

// masked stands in messages where a sensitive value was.
const masked = "(sensitive)"

// shortText is the length up to which a text is masked only where it stands alone.
const shortText = 3

// mask knows the texts that no message may show.
type mask struct {
	texts  map[string]bool
	sorted []string // longest first; nil: to be made
	short  []string
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
		if t == "" || m.texts[t] {
			continue
		}
		if m.texts == nil {
			m.texts = map[string]bool{}
		}
		m.texts[t], m.sorted = true, nil
	}
}

// apply replaces what the mask knows. A short text, such as "1", is masked where it stands alone: it would make
// every message unreadable otherwise.
func (m *mask) apply(s string) string {
	if len(m.texts) == 0 {
		return s
	}
	if m.sorted == nil {
		m.sort()
	}
	for _, text := range m.short {
		s = replaceAlone(s, text)
	}
	return m.long.Replace(s)
}

// sort puts longer texts first: one may hold another.
func (m *mask) sort() {
	m.sorted, m.short = make([]string, 0, len(m.texts)), nil
	for t := range m.texts {
		m.sorted = append(m.sorted, t)
	}
	sort.Slice(m.sorted, func(i, j int) bool {
		a, b := m.sorted[i], m.sorted[j]
		return len(a) > len(b) || len(a) == len(b) && a < b
	})
	var pairs []string
	for _, t := range m.sorted {
		if utf8.RuneCountInString(t) <= shortText {
			m.short = append(m.short, t)
		} else {
			pairs = append(pairs, t, masked)
		}
	}
	m.long = strings.NewReplacer(pairs...)
}

// replaceAlone masks a text where no letter or digit stands beside it.
func replaceAlone(s, text string) string {
	var out strings.Builder
	done := 0
	for {
		i := strings.Index(s[done:], text)
		if i < 0 {
			out.WriteString(s[done:])
			return out.String()
		}
		from, to := done+i, done+i+len(text)
		left, _ := utf8.DecodeLastRuneInString(s[:from])
		right, _ := utf8.DecodeRuneInString(s[to:])
		out.WriteString(s[done:from])
		if wordly(left) || wordly(right) {
			out.WriteString(text)
		} else {
			out.WriteString(masked)
		}
		done = to
	}
}

func wordly(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
