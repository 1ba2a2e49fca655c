package translate

import (
	"fmt"
	"slices"
	"testing"

	"github.com/weirproxy/weir/model"
)

// TestPathShares holds what cutting a domain promises: shares of few APIs, few copies, and names that stay when an API comes.
func TestPathShares(t *testing.T) {
	const size = 100
	for _, test := range []struct {
		name  string
		lines []string // of one resource, with %d for its number
		once  []string // of the whole domain
		cut   bool
	}{
		{"exact paths", []string{"/r%04d"}, nil, true},
		{"below one place", []string{"/api/v1/r%04d", "/api/v1/r%04[1]d/{id}"}, []string{"/api/v1/health"}, true},
		{"and everything else", []string{"/r%04d/*"}, []string{"*", "/*", "GET /{any}"}, true},
		{"templates beside literals", []string{"/{tenant}/r%04d", "/l%04d"}, nil, false},
		{"templates of one place", []string{"/{tenant}/r%04d"}, nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			entries := resources(test.lines, test.once, 1000)
			shares := pathShares(entries, size)
			held := 0
			for _, s := range shares {
				held += len(s.entries)
				if test.cut && len(s.entries) > size+len(test.once) {
					t.Errorf("%s holds %d APIs", s.name(), len(s.entries))
				}
				for _, e := range entries {
					if in := slices.Contains(s.entries, e); in != s.holds(e) {
						t.Fatalf("%s holds %s: %v", s.name(), e.api.Path.Text, in)
					}
				}
			}
			if held > 3*len(entries)/2 {
				t.Errorf("%d APIs have %d routes", len(entries), held)
			}
			if cut := len(shares) > 2; test.cut != cut { // what starts with no slash is a part of its own
				t.Errorf("%d parts", len(shares))
			}
			more := append(slices.Clone(entries), placedOf(entry{entries[0].service, mockAPI("s", "more", "/r0500/more")}))
			slices.SortFunc(more, comparePlaced)
			if n := differentNames(shares, pathShares(more, size)); n > 12 {
				t.Errorf("one API changed %d names of %d", n, len(shares))
			}
		})
	}
}

// TestPathSharesCountOnce holds that an API with a limit stands in one part, whatever paths it matches, and that the rest of
// the domain is cut all the same.
func TestPathSharesCountOnce(t *testing.T) {
	for _, test := range []struct {
		limited string
		parts   int // at least
	}{
		{"*", 1}, {"/*", 1}, {"/{any}", 2}, {"/a/*", 11}, {"/a/{id}", 11}, {"/a/r0042", 20}, {"/b/r0042/*", 20}, {"/elsewhere/*", 20},
	} {
		entries := resources([]string{"/a/r%04d", "/b/r%04d"}, []string{test.limited}, 1000)
		limited := slices.IndexFunc(entries, func(e placed) bool { return e.route == "s/a0" })
		entries[limited].api.RateLimit = &model.RateLimit{Requests: 1}
		shares := pathShares(entries, 100)
		held := 0
		for _, s := range shares {
			if slices.Contains(s.entries, entries[limited]) {
				held++
			}
		}
		if held != 1 || len(shares) < test.parts || test.parts == 1 && len(shares) > 1 {
			t.Errorf("%s stands in %d of %d parts", test.limited, held, len(shares))
		}
	}
}

// TestPathSharesAreTold holds that no two shares have one name, today's and yesterday's together, though paths may have what
// ends names: requests for the one would be led to the other while an edit is under way.
func TestPathSharesAreTold(t *testing.T) {
	yesterday := pathShares(resources([]string{"/x%d", "/y*%d", "/z%d"}, nil, 100), 100)
	today := pathShares(resources([]string{"/x%d", "/y*%d", "/y*%d/more", "/z%d"}, nil, 100), 100)
	kinds := map[string]pathShare{}
	for _, s := range slices.Concat(yesterday, today) {
		if other, known := kinds[s.name()]; known && (other.rest != s.rest || other.key != s.key) {
			t.Errorf("%q is what starts with %q, rest %v, and with %q, rest %v", s.name(), other.key, other.rest, s.key, s.rest)
		}
		kinds[s.name()] = s
	}
}

func resources(lines, once []string, n int) []placed {
	c := edge()
	addService(c, "s", "one.test")
	var out []placed
	add := func(line string) {
		out = append(out, placedOf(entry{c.Services["s"], mockAPI("s", fmt.Sprintf("a%d", len(out)), line)}))
	}
	for _, line := range once {
		add(line)
	}
	for i := range n {
		for _, line := range lines {
			add(fmt.Sprintf(line, i))
		}
	}
	slices.SortFunc(out, comparePlaced)
	return out
}

func differentNames(a, b []pathShare) int {
	names := map[string]int{}
	for _, s := range a {
		names[s.name()]++
	}
	for _, s := range b {
		names[s.name()]--
	}
	n := 0
	for _, count := range names {
		if count != 0 {
			n++
		}
	}
	return n
}
