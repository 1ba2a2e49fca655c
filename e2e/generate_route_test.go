package e2e

import (
	"fmt"
	"strings"
)

// conditions are none for most APIs.
func (g generator) conditions() string {
	text := ""
	for i := range max(0, g.IntN(6)-3) {
		text += fmt.Sprintf("    header %q {\n      %s\n", fmt.Sprintf("%s%d", g.either([]string{"x-version", "X-Version", "accept", "x_y", "x!#$&'*+-.^`|~"}, []string{"x y", ":path", "ü"}), i), g.comparison())
		if g.IntN(4) == 0 {
			text += "      invert = " + g.one("true", "false") + "\n"
		}
		text += "    }\n"
	}
	for i := range max(0, g.IntN(6)-4) {
		text += fmt.Sprintf("    query %q {\n      %s\n    }\n", fmt.Sprintf("%s%d", g.one("q", "a b", "ü", "a=b&c%", "[x].*"), i), g.comparison())
	}
	return text
}

// comparison is one that headers take, and all but regular expressions queries too.
func (g generator) comparison() string {
	text := g.either([]string{"2", "a b", "ü", "a,b", "%REQ(x)%", "100%", "(x", ".*", "\"", "\\", strings.Repeat("long ", 51) + "!"},
		[]string{"", " a", "a ", "a\n", "\u0000", strings.Repeat("x", 257)})
	switch g.IntN(9) {
	case 0:
		return "present = " + g.one("true", "false")
	case 1:
		return fmt.Sprintf("regex = %q", g.either([]string{"a|b", "(?i)x.*", "[0-9]{1,3}", "\\d+\\.\\d+", "(a|b)*c", "a{400}", ".{255}", "(?:(?:a{2,20}){2,9})", "\\Qa.b\\E", "\\x41", "[[:alpha:]]+", "[^[:^digit:]x-z]"},
			[]string{"(", "a{1001}", "(?=a)", "\\1", "(?<n>a)", "\\pL{400}", "\\p{Greek}{20}", "\\x{1F600}", "ü", "((a{30}){30}){2}", "(?P<n>a)(?P<n>b)", "\\C", "[z-a]", "**"}))
	}
	return fmt.Sprintf("%s = %q", g.one("exact", "prefix", "suffix", "contains"), text)
}
