package lang

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestSmallTextsThatMakeTooMuch holds that a few lines take neither all the memory nor forever.
func TestSmallTextsThatMakeTooMuch(t *testing.T) {
	const loops = `[for x in range(1000) : [for y in range(1000) : [for z in range(1000) : x]]]`
	tooLarge, digits := "Value is too large", "Number has too many digits"
	tests := []struct{ name, file, text, summary string }{
		{"loops", "a.hcl", "locals {\n  a = " + loops + "\n}\n", tooLarge},
		{"loops in JSON", "a.hcl.json", `{"locals": {"a": "${` + loops + `}"}}`, tooLarge},
		{"loops in escaped JSON", "a.hcl.json", `{"locals": {"a": "\u0024{` + loops + `}"}}`, tooLarge},
		{"loops in a default", "a.hcl", "variable \"a\" {\n  default = " + loops + "\n}\n", tooLarge},
		{"loops in a block", "a.hcl", "vpc \"a\" {\n  cidr_blocks = " + loops + "\n}\n", tooLarge},
		{"loops in a template", "a.hcl", "locals {\n  a = \"" + strings.Repeat("%{for x in range(1000)}", 3) + "z" + strings.Repeat("%{endfor}", 3) + "\"\n}\n", tooLarge},
		{"text in a loop", "a.hcl", "locals {\n  a = \"%{for x in range(1000)}" + strings.Repeat("z", 100_000) + "%{endfor}\"\n}\n", tooLarge},
		{"calls in a loop", "a.hcl", "locals {\n  a = [for x in range(1000) : [for y in range(1000) : range(1000)]]\n}\n", tooLarge},
		{"doubled text", "a.hcl", doubled(60, `"xxxxxxxxxx"`, `"${local.a%[1]d}${local.a%[1]d}"`), tooLarge},
		{"doubled lists", "a.hcl", doubled(40, `["x"]`, `[local.a%[1]d, local.a%[1]d]`), "Locals are too large"},
		{"a number as text", "a.hcl", "locals {\n  a = \"${1e600000000}\"\n}\n", digits},
		{"a number that becomes text", "a.hcl", "upstream \"u\" {\n  text = 1e600000000\n}\n", digits},
		{"a number in JSON", "a.hcl.json", `{"upstream": {"u": {"text": 1e600000000}}}`, digits},
		{"a number in arithmetic", "a.hcl", "locals {\n  a = 1e600000000 % 7\n}\n", digits},
		{"a number in a type", "a.hcl", "variable \"a\" {\n  type    = object({ a = optional(string, 1e600000000) })\n  default = {}\n}\n", "Default of an attribute that is not plain"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			done := make(chan string, 1)
			go func() {
				_, diags := load(test.file, test.text)
				var all []string
				for _, d := range diags {
					all = append(all, d.Summary)
				}
				done <- strings.Join(all, ", ")
			}()
			select {
			case got := <-done:
				if want := test.summary; got != want && got != tooLarge+", "+want {
					t.Errorf("got %q, want %q", got, want)
				}
			case <-time.After(2 * time.Minute):
				t.Fatal("it goes on")
			}
		})
	}
}

// doubled is locals of which each holds the one before twice.
func doubled(n int, first, next string) string {
	var text strings.Builder
	text.WriteString("locals {\n  a0 = " + first + "\n")
	for i := range n {
		text.WriteString(fmt.Sprintf("  a%d = ", i+1) + fmt.Sprintf(next, i) + "\n")
	}
	return text.String() + "}\n"
}

// TestLargeTextsAreFine: ten thousand upstreams of ten nodes, computed by one expression and used by another.
func TestLargeTextsAreFine(t *testing.T) {
	_, diags := load("a.hcl", `
locals {
  all = { for x in range(10) : x => { for y in range(1000) : "u-${x}-${y}" => {
    protocol = "http"
    nodes    = [for n in range(10) : { address = "10.${x}.${y % 250}.${n}", weight = n, port = 80 + n }]
  } } }
  names = { for x, ups in local.all : x => keys(ups) }
}
upstream "u" {
  text = local.all["3"]["u-3-999"].nodes[9].address
  list = [for name in local.names["9"] : upper(name)]
}
`)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
}
