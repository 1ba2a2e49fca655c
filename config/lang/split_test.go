package lang

import (
	"fmt"
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "",
		"# only a comment":                     "",
		"vpc \"a\" {}":                         "1:vpc \"a\" {}",
		"\ufeffvpc \"a\" {}\n":                 "1:vpc \"a\" {}",
		"\n\n  vpc \"a\" {\n} # b\r\nvpc b {}": "3:  vpc \"a\" {\n}|5:vpc b {}",
		"/* vpc {\n */\nvpc \"a\" {\n x = \"}${\"}\" }{\"\n}\n// {\n": "3:vpc \"a\" {\n x = \"}${\"}\" }{\"\n}",
		"a {\n x = <<E\n}\nE }\n ${ \"E\n\" }\n  E\n}\n":              "!",
		"a {\n x = <<E\n}\nE }\n ${ b({}) }\n  E\n}\nb {}\n":          "1:a {\n x = <<E\n}\nE }\n ${ b({}) }\n  E\n}|8:b {}",
		"a {\n x = <<-E\n %%{ { $${ \n E\n y = 1 < 2 / 3 # }\n}\n":    "1:a {\n x = <<-E\n %%{ { $${ \n E\n y = 1 < 2 / 3 # }\n}",
		"a {} b {}\n":              "!",
		"a {} /* x */\n":           "!",
		"/* x */ a {}\n":           "!",
		"a {\n":                    "!",
		"a {\n x = \"\n}\n":        "!",
		"x = 1\n":                  "!",
		"a {}\n}\n":                "!",
		"a {\n x = \"\\\"}\"\n}":   "1:a {\n x = \"\\\"}\"\n}",
		"a {\n x = \"$${}{\"\n}":   "1:a {\n x = \"$${}{\"\n}",
		"a {\n x = \"%{if y}}\"\n": "!",
		"a {\n x = " + strings.Repeat("\"${", 200) + "\n}": "!",
	} {
		s := splitter{text: []byte(text), line: 1}
		var got []string
		for {
			block, more, ok := s.next()
			if !ok {
				got = []string{"!"}
			}
			if !ok || !more {
				break
			}
			got = append(got, fmt.Sprintf("%d:%s", block.line, text[block.start:block.end]))
		}
		if got := strings.Join(got, "|"); got != want {
			t.Errorf("%q:\n%q, not\n%q", text, got, want)
		}
	}
}

// TestWhatTextsShare holds the two ends of a difference against the plain way to find them.
func TestWhatTextsShare(t *testing.T) {
	long := strings.Repeat("x", 1<<15)
	for _, pair := range [][2]string{{"", ""}, {"a", ""}, {"abc", "abd"}, {"abc", "xbc"}, {long + "a", long + "b"}, {"a" + long, "b" + long}, {long, long + "y"}, {long, "y" + long}} {
		a, b := []byte(pair[0]), []byte(pair[1])
		prefix, suffix := 0, 0
		for prefix < min(len(a), len(b)) && a[prefix] == b[prefix] {
			prefix++
		}
		for suffix < min(len(a), len(b)) && a[len(a)-1-suffix] == b[len(b)-1-suffix] {
			suffix++
		}
		if commonPrefix(a, b) != prefix || commonSuffix(a, b) != suffix {
			t.Errorf("%.9q, %.9q: %d and %d, not %d and %d", a, b, commonPrefix(a, b), commonSuffix(a, b), prefix, suffix)
		}
	}
}
