package config

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/weirproxy/weir/config/source"
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
		snapshot, err := source.Read(root)
		if err != nil {
			t.Fatal(err)
		}
		snapshot.Root = "/etc/weir"
		r := FromSnapshot(snapshot, Options{Now: testNow})
		if len(r.Diagnostics) == 0 {
			t.Fatal("accepted")
		}
		return text(t, r)
	})
}
