package lang

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/weirproxy/weir/model"
)

// Rule is the stable slug of a diagnostic, for programs that read diagnostics.
type Rule string

// The rules of the language itself. Packages above add their own.
const (
	RuleFile       Rule = "file"       // a file that is empty, no text, or nested too deep
	RuleSyntax     Rule = "syntax"     // text that does not parse
	RuleName       Rule = "name"       // rule 1: characters and length of names, uniqueness
	RuleUnknown    Rule = "unknown"    // a block or an attribute that does not exist
	RuleMissing    Rule = "missing"    // a block or an attribute that must be there
	RuleDuplicate  Rule = "duplicate"  // one more than there may be
	RuleType       Rule = "type"       // a value of the wrong type
	RuleReference  Rule = "reference"  // a reference that is wrong or goes nowhere
	RuleExpression Rule = "expression" // an expression that cannot be evaluated
	RuleFunction   Rule = "function"   // a call that cannot be made
	RuleVariable   Rule = "variable"   // a variable's declaration or value
	RuleLocal      Rule = "local"      // locals, their cycles
	RuleDynamic    Rule = "dynamic"    // dynamic blocks
	RuleSensitive  Rule = "sensitive"  // a sensitive value where it would show
	RuleSize       Rule = "size"       // an expression that makes more than any configuration needs
	RuleInternal   Rule = "internal"   // a mistake of weir itself
)

// ruled is what this package puts into a diagnostic's Extra.
type ruled struct {
	rule    Rule
	missing *Ref
}

// Error is an error diagnostic. The detail says what the rule is and what to do.
func Error(rule Rule, subject hcl.Range, summary, detail string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: &subject, Extra: ruled{rule: rule}}
}

// Warning is a warning diagnostic.
func Warning(rule Rule, subject hcl.Range, summary, detail string) *hcl.Diagnostic {
	d := Error(rule, subject, summary, detail)
	d.Severity = hcl.DiagWarning
	return d
}

// RuleOf is the rule of a diagnostic that Error or Warning made, else "".
func RuleOf(d *hcl.Diagnostic) Rule {
	if r, ok := d.Extra.(ruled); ok {
		return r.rule
	}
	return ""
}

// PlaceOf is where a diagnostic points, or no place. Nouns have the Place of their Body or Block, which moves with it.
func PlaceOf(d *hcl.Diagnostic) model.Place {
	if d.Subject == nil {
		return model.Place{}
	}
	return model.PlaceAt(d.Subject.Filename, d.Subject.Start.Line, d.Subject.Start.Column)
}

// MissingOf is the reference that a diagnostic says goes nowhere.
func MissingOf(d *hcl.Diagnostic) (Ref, bool) {
	if r, ok := d.Extra.(ruled); ok && r.missing != nil {
		return *r.missing, true
	}
	return Ref{}, false
}

// Suggest is `Did you mean "x"?` for the candidates that are nearest to what was given, or "" when none is near.
func Suggest(given string, candidates []string) string {
	var quoted []string
	for _, c := range nearby(given, candidates) {
		quoted = append(quoted, strconv.Quote(c))
	}
	if len(quoted) == 0 {
		return ""
	}
	return "Did you mean " + strings.Join(quoted, " or ") + "?"
}

// nearby is the candidate that is nearest by its letters; else the one, two or three that have what was given as a part;
// else the one or two that start with the same word.
func nearby(given string, candidates []string) []string {
	if near := nearest(given, candidates); near != "" {
		return []string{near}
	}
	words := wordsOf(given)
	var holding, sharing []string
	for _, c := range candidates {
		switch own := wordsOf(c); {
		case c == given || len(words) == 0 || len(own) == 0:
		case containsAll(own, words), len(given) > 4 && strings.Contains(strings.Join(own, ""), strings.Join(words, "")):
			holding = append(holding, c)
		case len(words[0]) > 3 && words[0] == own[0]:
			sharing = append(sharing, c)
		}
	}
	switch {
	case len(holding) > 0 && len(holding) <= 3:
		slices.Sort(holding)
		return holding
	case len(holding) == 0 && len(sharing) > 0 && len(sharing) <= 2:
		slices.Sort(sharing)
		return sharing
	}
	return nil
}

// wordsOf are the words of a name, in lower case.
func wordsOf(name string) []string {
	return strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == '_' || r == '-' || r == ' ' })
}

func containsAll(words, some []string) bool {
	for _, w := range some {
		if !slices.Contains(words, w) {
			return false
		}
	}
	return true
}

// nearest is the candidate that the fewest edits lead to; a third of the letters, at least one and at most three, may
// differ. To one or two letters everything short is near: there only their case may differ.
func nearest(given string, candidates []string) string {
	for _, c := range candidates {
		if c != given && strings.EqualFold(c, given) {
			return c
		}
	}
	if utf8.RuneCountInString(given) < 3 {
		return ""
	}
	best, bestEdits := "", min(3, max(1, utf8.RuneCountInString(given)/3))+1
	for _, c := range candidates {
		if c == given || len(c)-len(given) > 3*bestEdits || len(given)-len(c) > 3*bestEdits {
			continue // a letter has up to four bytes
		}
		edits := distance([]rune(given), []rune(c), bestEdits)
		if edits < bestEdits || edits == bestEdits && best != "" && c < best {
			best, bestEdits = c, edits
		}
	}
	return best
}

// distance counts the letters to insert, remove, replace, or swap with their neighbour; it may stop at limit.
func distance(a, b []rune, limit int) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
			least = min(least, row[j])
		}
		if least > limit {
			return least
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// diagnostics collects what is wrong and reports each mistake once.
type diagnostics struct {
	list   hcl.Diagnostics
	seen   map[mistake]bool
	errors int
	faults int // errors, those that were seen before too

	display func(file string) string
}

// place is how a message names another place.
func (d *diagnostics) place(r hcl.Range) string {
	name := r.Filename
	if d.display != nil {
		name = d.display(name)
	}
	return fmt.Sprintf("%s:%d", name, r.Start.Line)
}

type mistake struct {
	subject hcl.Range
	summary string
}

// add takes what it has not seen at the same range yet.
func (d *diagnostics) add(list ...*hcl.Diagnostic) {
	for _, diag := range list {
		if diag.Severity == hcl.DiagError {
			d.faults++
		}
		key := mistake{summary: diag.Summary}
		if diag.Subject != nil {
			key.subject = *diag.Subject
		}
		if d.seen[key] {
			continue
		}
		if d.seen == nil {
			d.seen = map[mistake]bool{}
		}
		d.seen[key] = true
		if diag.Severity == hcl.DiagError {
			d.errors++
		}
		d.list = append(d.list, diag)
	}
}

// error adds an error diagnostic.
func (d *diagnostics) error(rule Rule, subject hcl.Range, summary, detail string) {
	d.add(Error(rule, subject, summary, detail))
}

// sorted is the list by file, line and column.
func (d *diagnostics) sorted() hcl.Diagnostics {
	sort.SliceStable(d.list, func(i, j int) bool { return before(d.list[i].Subject, d.list[j].Subject) })
	return d.list
}

func before(a, b *hcl.Range) bool {
	switch {
	case a == nil || b == nil:
		return a == nil && b != nil
	case a.Filename != b.Filename:
		return a.Filename < b.Filename
	case a.Start.Line != b.Start.Line:
		return a.Start.Line < b.Start.Line
	}
	return a.Start.Column < b.Start.Column
}
