package config

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/weirproxy/weir/config/lang"
)

// What stands where something else did: the bounds of all ranges, and texts that mean something somewhere.
var (
	oddTexts = []string{
		`""`, `"x"`, `"*"`, `"/"`, `"/a/{b}"`, `"/{a}/{b}/{c}/{d}/{e}/{f}"`, `"é"`, `"%"`, `"%41"`, `"a b"`, `"8760h"`, `"1ms"`, `"0s"`, `"10.0.0.1"`, `"::1"`,
		`"[::1]:80"`, `"x.com:65535"`, `"GET"`, `"*.com"`, `"/a%2Fb"`, `"/(x)"`, `"^a|b$"`, `"\\"`, `"\""`, `"\t"`, `"http://x.com"`, `"https://[::1]:1"`, `"5xx"`, `"h-2"`, `"tls/edge.crt"`, `"shared"`,
		"null", "[]", "{}", "true", "vpc.main", "upstream.orders", "instance.edge", `upstream["none"]`, "[for v in upstream : v]", "local.none",
	}
	oddNumbers = []string{"0", "1", "2", "50", "99", "100", "127", "128", "200", "503", "599", "1024", "65535", "65536", "2147483647", "4294967295", "0.5", "-1", "1e20", "null", `"7"`}
	anyText    = regexp.MustCompile(`"[^"\n]*"`)
	anyNumber  = regexp.MustCompile(`= *\d+(\.\d+)?`)
)

// mutated is a text with one thing changed.
func mutated(text string, r *rand.Rand) string {
	replace := func(what *regexp.Regexp, by string) string {
		all := what.FindAllStringIndex(text, -1)
		if len(all) == 0 {
			return text
		}
		at := all[r.IntN(len(all))]
		return text[:at[0]] + by + text[at[1]:]
	}
	lines := strings.Split(text, "\n")
	line := r.IntN(len(lines))
	switch n := r.IntN(20); {
	case n < 8:
		return replace(anyText, oddTexts[r.IntN(len(oddTexts))])
	case n < 15:
		return replace(anyNumber, "= "+oddNumbers[r.IntN(len(oddNumbers))])
	case n < 17:
		lines = slices.Delete(lines, line, line+1)
	case n < 19:
		lines = slices.Insert(lines, r.IntN(len(lines)), lines[line])
	default: // a part of the text once more, or at another place
		other := r.IntN(len(lines))
		lines[line], lines[other] = lines[other], lines[line]
	}
	return strings.Join(lines, "\n")
}

// FuzzMutations loads configurations in which one thing after another becomes odd. Bytes that change at random are hardly
// ever more than a mistake of syntax; here most of what is odd reaches the rules.
func FuzzMutations(f *testing.F) {
	texts := corpus(f, ".hcl")
	paths, err := filepath.Glob("../examples/*/*.hcl")
	if err != nil || len(paths) == 0 {
		f.Fatal("no examples", err)
	}
	for _, path := range paths {
		texts = append(texts, must(os.ReadFile(path)))
	}
	for seed := range uint64(150) {
		f.Add(seed)
	}
	root := writeFiles(f, nil)
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 0))
		text := string(texts[r.IntN(len(texts))])
		for range 12 {
			text = mutated(text, r)
			result := FromText("weir.hcl", []byte(text), root, Options{Now: testNow})
			for _, d := range result.Diagnostics {
				if lang.RuleOf(d) == lang.RuleInternal {
					t.Fatalf("weir failed: %s\n%s", d.Detail, text)
				}
			}
			if result.HasErrors() != (result.Configuration == nil) {
				t.Fatalf("configuration %v with diagnostics %v", result.Configuration, result.Diagnostics)
			}
		}
	})
}
