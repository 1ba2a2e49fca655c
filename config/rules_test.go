package config

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/weirproxy/weir/config/lang"
)

// TestRules shows, for each rule of the language, the whole message that its violation makes: testdata/rules holds an
// archive of input and message for each case, named after the number of the rule.
func TestRules(t *testing.T) {
	for rule := 1; rule <= 7; rule++ {
		if names, _ := filepath.Glob(fmt.Sprintf("testdata/rules/rule%d_*.txtar", rule)); len(names) == 0 {
			t.Errorf("rule %d has no message here", rule)
		}
	}
	eachArchive(t, "testdata/rules", "message", func(t *testing.T, root string) string {
		r := fromDir(t, root)
		if len(r.Diagnostics) == 0 {
			t.Fatal("accepted")
		}
		for _, d := range r.Diagnostics {
			d.Detail = strings.ReplaceAll(d.Detail, root, "/etc/weir")
		}
		return text(t, r)
	})
}

// TestEveryRuleIsExplained holds that the rule list of a SARIF log says something about each rule, not about one case.
func TestEveryRuleIsExplained(t *testing.T) {
	names, err := filepath.Glob("testdata/invalid/*.hcl")
	if err != nil {
		t.Fatal(err)
	}
	root := writeFiles(t, nil)
	used := map[lang.Rule]bool{}
	for _, name := range names {
		for _, d := range FromText(name, must(os.ReadFile(name)), root, Options{Now: testNow}).Diagnostics {
			used[lang.RuleOf(d)] = true
			if ruleTexts[lang.RuleOf(d)] == "" {
				t.Errorf("rule %q of %q is not explained", lang.RuleOf(d), d.Summary)
			}
		}
	}
	for _, rule := range []lang.Rule{
		ruleValue, ruleCIDR, ruleOverlap, ruleOutside, ruleInstance, ruleListener, rulePort, ruleCertificate, ruleNode, ruleWeight,
		ruleRetries, ruleHealth, ruleBalancing, ruleVerify, ruleInsecure, ruleTimeout, ruleDomain, ruleMethod, rulePath, ruleBackend, ruleSplit, ruleRedirect, ruleURL, ruleReach, ruleInUse, ruleConflict,
		ruleCondition, ruleHeader, ruleCORS, ruleWebSocket,
	} {
		if !used[rule] {
			t.Errorf("no fixture breaks rule %q", rule)
		}
	}
}

// TestRulesAreSpeltAlike holds the one spelling of rules: lower case, words joined by an underscore, as the language's
// own names are.
func TestRulesAreSpeltAlike(t *testing.T) {
	slug := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	for rule := range ruleTexts {
		if !slug.MatchString(string(rule)) {
			t.Errorf("%q", rule)
		}
	}
}
