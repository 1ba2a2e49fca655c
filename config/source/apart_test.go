package source

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestApartFindsWhatIsLost holds that looking at what differs finds the blocks that looking at all would.
func TestApartFindsWhatIsLost(t *testing.T) {
	lost := func(before, after []byte) []string {
		set := map[string]bool{}
		for _, id := range blockNames("a.hcl", before) {
			set[id] = true
		}
		without(set, blockNames("a.hcl", after))
		return slices.Sorted(maps.Keys(set))
	}
	rapid.Check(t, func(t *rapid.T) {
		block := rapid.Custom(func(t *rapid.T) string {
			name := rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(t, "name")
			return fmt.Sprintf(rapid.SampledFrom([]string{
				"vpc \"%s\" {}\n", "vpc \"%s\" {\n}\n", "upstream \"%s\" {\n  node \"x\" {\n    weight = 1\n  }\n}\n", "# %s\n", "vpc \"%s\" {\n  x = 2\n}\n\n",
			}).Draw(t, "block"), name)
		})
		blocks := rapid.SliceOfNDistinct(block, 0, 8, func(s string) string { return s }).Draw(t, "before")
		before := strings.Join(blocks, "")
		at := rapid.IntRange(0, len(before)).Draw(t, "at")
		after := before[:at]
		if rapid.Bool().Draw(t, "not cut") {
			after += rapid.SampledFrom([]string{"", "\n", "vpc \"n\" {\n}\n"}).Draw(t, "insert") + before[min(len(before), at+rapid.IntRange(0, 40).Draw(t, "removed")):]
		}
		was, is := apart("a.hcl", []byte(before), []byte(after))
		all := lost([]byte(before), []byte(after))
		for _, id := range all {
			if !slices.Contains(lost(was, is), id) {
				t.Fatalf("%s is lost\n%q\n%q\napart:\n%q\n%q", id, before, after, was, is)
			}
		}
	})
}
