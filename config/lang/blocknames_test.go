package lang

import (
	"fmt"
	"strings"
	"testing"
)

func TestBlockNames(t *testing.T) {
	tests := []struct{ name, file, text, want string }{
		{"nothing", "a.hcl", "", ""},
		{"comments, braces in text, no labels", "a.hcl", "# upstream \"no\" {\nupstream \"a\" {\n  node \"b\" {}\n}\nvpc b {}\nlocals {\n}\nlocals {}\nvariable \"v\" { default = \"}\" }", "locals upstream.a upstream.a/node.b variable.v vpc.b"},
		{"heredoc", "a.hcl", "upstream \"a\" {\n  text = <<EOT\n}\nupstream \"no\" {\nEOT\n}\nupstream \"b\" {}", "upstream.a upstream.b"},
		{"byte order mark", "a.hcl", "\xef\xbb\xbfvpc \"a\" {}", "vpc.a"},
		{"an object is no block", "a.hcl", "x = {\n}\nupstream \"a\" {\n o = { n \"x\" {} }\n p = f({ q = 1 }) ? y {\n }\n o\n", "upstream.a"},
		{"inside", "a.hcl", "service \"shop\" {\n  api \"get\" {\n    path = \"/\"\n    backend {\n      mock {}\n    }\n  }\n  api \"put\" { backend {} }\n}\nupstream \"o\" {\n  node \"127.0.0.1:9001\" { weight = 1 }\n  node \"127.0.0.1:9002\" {}\n}",
			"service.shop service.shop/api.get service.shop/api.get/backend service.shop/api.get/backend/mock service.shop/api.put service.shop/api.put/backend upstream.o upstream.o/node.127.0.0.1:9001 upstream.o/node.127.0.0.1:9002"},
		{"counted", "a.hcl", "instance \"i\" {\n listener \"x\" {\n  tls {\n  }\n  tls {\n   a {}\n  }\n }\n dynamic \"listener\" {\n  for_each = [1]\n  content {}\n }\n}\nlocals {}",
			"instance.i instance.i/dynamic.listener instance.i/dynamic.listener/content instance.i/listener.x instance.i/listener.x/tls instance.i/listener.x/tls#2 instance.i/listener.x/tls#2/a locals"},
		{"cut off", "a.hcl", "service \"shop\" {\n  api \"get\" {\n    backend {\n", "service.shop service.shop/api.get service.shop/api.get/backend"},
		{"cut off in a label", "a.hcl", "service \"shop\" {\n  api \"ge", "service.shop"},
		{"too many braces", "a.hcl", "vpc \"a\" {\n}\n}\n}\nvpc \"b\" {}", "vpc.a vpc.b"},
		{"JSON", "a.hcl.json", `{"upstream": {"a": {}, "//": {"x": {"y": {}}}, "b": {}}, "vpc": [{"c": {}}, {"d": {}}], "locals": {"x": {"y": {"z": {}}}}, "//": "x", "instance": null}`, "instance locals upstream.a upstream.b vpc.c vpc.d"},
		{"JSON, inside", "a.hcl.json", `{"upstream": {"a": {"vpc": "${x}", "node": {"n:1": {"weight": 1}, "n:2": {}}, "backend": [{}, {"mock": {}}]}}}`,
			"upstream.a upstream.a/backend upstream.a/backend#2 upstream.a/backend/mock upstream.a/node upstream.a/node/n:1 upstream.a/node/n:2"},
		{"JSON, an array of objects", "a.hcl.json", `[{"vpc": {"a": {}}}, {"vpc": {"\u0062": {}}}, {"locals": {}}]`, "locals vpc.a vpc.b"},
		{"JSON, cut off", "a.hcl.json", `{"upstream": {"a": {}}, "vpc": {"b`, "upstream.a"},
		{"JSON, no blocks", "a.hcl.json", `[]`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := strings.Join(BlockNames(File{test.file, []byte(test.text)}), " "); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// TestBlockNamesOfHostileTexts: ids take no more memory than some times the text.
func TestBlockNamesOfHostileTexts(t *testing.T) {
	const many = 200_000
	for file, text := range map[string]string{
		"deep.hcl":      strings.Repeat("a {\n", many),
		"wide.hcl":      "a \"" + strings.Repeat("x", many) + "\" {\n" + strings.Repeat("a {}\n", many),
		"deep.hcl.json": strings.Repeat(`{"a":`, many),
		"wide.hcl.json": `{"a": {"` + strings.Repeat("x", many) + `": {"a": [` + strings.Repeat(`{"a": {}},`, many),
	} {
		size := 0
		for _, id := range BlockNames(File{file, []byte(text)}) {
			size += len(id)
		}
		if size > 2<<20+10*len(text) {
			t.Errorf("%s: %d bytes of ids for a text of %d", file, size, len(text))
		}
	}
}

// BenchmarkBlockNames is the size that the design has in mind, 10,000 upstreams, at 9 MB.
func BenchmarkBlockNames(b *testing.B) {
	for _, file := range []string{"a.hcl", "a.hcl.json"} {
		b.Run(file, func(b *testing.B) {
			var text strings.Builder
			for i := 0; text.Len() < 9<<20; i++ {
				fmt.Fprintf(&text, "upstream \"u%d\" {\n  vpc      = vpc.main\n  protocol = \"http\"\n", i)
				for n := range 10 {
					fmt.Fprintf(&text, "  node \"orders-%d.internal:%d\" {\n    weight = local.weight + 1\n  }\n", n, i)
				}
				text.WriteString("}\n")
			}
			if isJSON(file) {
				text.Reset()
				text.WriteString("{\"upstream\": {")
				for i := 0; text.Len() < 9<<20; i++ {
					fmt.Fprintf(&text, "\"u%d\": {\n  \"vpc\": \"${vpc.main}\",\n  \"node\": {\n", i)
					for n := range 10 {
						fmt.Fprintf(&text, "    \"orders-%d.internal:%d\": {\n      \"weight\": \"${local.weight + 1}\"\n    },\n", n, i)
					}
					text.WriteString("    \"last\": {}\n  }\n},\n")
				}
				text.WriteString("\"last\": {}}}")
			}
			f := File{file, []byte(text.String())}
			b.SetBytes(int64(text.Len()))
			for b.Loop() {
				BlockNames(f)
			}
		})
	}
}
