package lang

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"pgregory.net/rapid"
)

// sampleOf is the text that a message says to write.
func sampleOf(detail string) string {
	_, sample, _ := strings.Cut(detail, "Write:\n\n")
	return sample
}

// TestOneLineRemedies: what a message says to write parses, and holds what the text held.
func TestOneLineRemedies(t *testing.T) {
	const inside, several, open = "Block inside a block on one line", "Several attributes in a block on one line", "Block that starts on one line and ends on another"
	tests := []struct{ name, text, summary, want string }{
		{"a list", `api "b" { methods = ["GET", "POST"], path = "/y" }`, several, `
  api "b" {
    methods = ["GET", "POST"]
    path = "/y"
  }`},
		{"no separator", `vpc "b" { cidr_blocks = ["10.0.0.0/8"] description = "x" }`, several, `
  vpc "b" {
    cidr_blocks = ["10.0.0.0/8"]
    description = "x"
  }`},
		{"a call", `node "a:4" { weight = max(1, 2), description = "x" }`, several, `
  node "a:4" {
    weight = max(1, 2)
    description = "x"
  }`},
		{"semicolons", `node "a:4" { weight = 1; description = "; }" }`, several, `
  node "a:4" {
    weight = 1
    description = "; }"
  }`},
		{"an object, on two lines", "locals { names = {a = 1, b = 2}\n  other = names == { c = 3 } ? 1 : 2\n}", open, `
  locals {
    names = {a = 1, b = 2}
    other = names == { c = 3 } ? 1 : 2
  }`},
		{"an attribute and a block", `api "b" { path = "/y", backend { upstream = upstream.orders } }`, inside, `
  api "b" {
    path = "/y"
    backend { upstream = upstream.orders }
  }`},
		{"the same without a comma", `instance "x" { vpc = vpc.main listener "http" { port = 80 } }`, inside, `
  instance "x" {
    vpc = vpc.main
    listener "http" { port = 80 }
  }`},
		{"three blocks", `api "a" { backend { mock {} } }`, inside, `
  api "a" {
    backend {
      mock {}
    }
  }`},
		{"three blocks behind an attribute", `api "a" { path = "/x" backend { mock {} } }`, inside, `
  api "a" {
    path = "/x"
    backend {
      mock {}
    }
  }`},
		{"several attributes inside", `backend { mock { status = 200, body = "x" } }`, inside, `
  backend {
    mock {
      status = 200
      body = "x"
    }
  }`},
		{"a brace too early", "backend { mock {\n  status = 200 # fine\n  body = \"x\"\n  }\n}", open, `
  backend {
    mock {
      status = 200 # fine
      body = "x"
    }
  }`},
		{"a comment behind", `listener "y" { port = 80, address = "0.0.0.0" } # comment = 5`, several, `
  listener "y" {
    port = 80
    address = "0.0.0.0"
  } # comment = 5`},
		{"comments inside", "listener \"y\" { port = 80 # eighty\n  # all\n  address = \"0.0.0.0\" /* any */ }", open, `
  listener "y" {
    port = 80 # eighty
    # all
    address = "0.0.0.0" /* any */
  }`},
		{"templates", `api "a" { path = "/${f("}", [1])}/x", b = "{" c = <<E` + "\n{\nE\n}", open, `
  api "a" {
    path = "/${f("}", [1])}/x"
    b = "{"
    c = <<E
{
E
  }`},
		{"a comma at the end", `node "x" { weight = 1, }`, "Block on one line", `
  node "x" { weight = 1 }`},
		{"not closed", "upstream \"u\" { vpc = vpc.main\n  protocol = \"http\"\n", open, ""},
		{"a word alone", "backend { mock }", "Block on one line", ""},
		{"text alone", `listener { "x" }`, "Block on one line", ""},
		{"a value is missing", `node "x" { weight =, address = "a" }`, "Invalid expression", ""},
		{"an attribute twice", `node "x" { weight = 1, weight = 2 }`, "Block on one line", ""},
		{"two blocks on a line", `vpc "a" { x = 1, y = 2 } vpc "b" {}`, "Block on one line", ""},
		{"no quotes", `node "x" { timeout = 15s, weight = 1 }`, "Text without quotes", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var d diagnostics
			parseNative(File{"a.hcl", []byte(test.text + "\n")}, &d)
			if len(d.list) == 0 {
				t.Fatal("no mistake")
			}
			first := d.list[0]
			for _, more := range d.list {
				if more.Summary == test.summary {
					first = more
				}
			}
			got := sampleOf(first.Detail)
			if first.Summary != test.summary || got != strings.TrimPrefix(test.want, "\n") {
				t.Errorf("%s\n%s", first.Summary, first.Detail)
			}
			if at := first.Subject.SliceBytes([]byte(test.text)); len(strings.TrimSpace(string(at))) == 0 {
				t.Errorf("nothing to underline: %#v", first.Subject)
			}
			if got != "" && words(got) != words(test.text) {
				t.Errorf("the remedy says something else:\n%s\n%s", words(got), words(test.text))
			}
		})
	}
}

// words is a text without what may differ between two layouts of it.
func words(text string) string {
	return strings.NewReplacer(" ", "", "\n", "", ",", "", ";", "").Replace(text)
}

// TestLayoutKeepsEverything lays out blocks whose items share lines in all ways.
func TestLayoutKeepsEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, lines := drawOneLine(t, 3)
		b := layOut([]byte(text))
		if lines > maxLaidLines {
			if b.sample != "" {
				t.Fatalf("a sample of %d lines:\n%s", lines, b.sample)
			}
			return
		}
		if got := strings.Count(b.sample, "\n") + 1; b.sample == "" || got != lines {
			t.Fatalf("%s\nis laid out over %d lines, not %d:\n%s", text, got, lines, b.sample)
		}
		if words(b.sample) != words(text) {
			t.Fatalf("%s\nis not\n%s", b.sample, text)
		}
		if _, diags := hclsyntax.ParseConfig([]byte(b.sample), "", hcl.InitialPos); diags.HasErrors() {
			t.Fatal(diags)
		}
	})
}

// drawOneLine draws a block, and tells how many lines it needs.
func drawOneLine(t *rapid.T, deep int) (text string, lines int) {
	items, lines, blocks := []string{}, 2, false
	for i, n := range rapid.SliceOfN(rapid.IntRange(0, 2), 0, 3).Draw(t, "items") {
		if n == 0 && deep > 0 {
			item, more := drawOneLine(t, deep-1)
			items, lines, blocks = append(items, item), lines+more, true
			continue
		}
		value := rapid.SampledFrom([]string{"1", `"a, b"`, "vpc.a", "[1, 2]", "{ a = 1 }", "f(1, [2])", "a ? b : c", `"${a}}"`, "-1", "x[*].y", "!true", "/* c = 1 */ 2"}).Draw(t, "value")
		items, lines = append(items, string(rune('a'+i))+" = "+value), lines+1
	}
	separators := rapid.SampledFrom([]string{" ", ", ", "; ", "\n", " # c = 1\n"})
	head := rapid.SampledFrom([]string{"b ", `b "x" `, "b y "}).Draw(t, "head")
	if len(items) == 0 {
		return head + "{ }", 1
	}
	if len(items) == 1 && !blocks {
		lines = 1 // the braces share the line of the only attribute
	}
	text = head + "{ " + items[0]
	for _, item := range items[1:] {
		text += separators.Draw(t, "separator") + item
	}
	return text + " }", lines
}
