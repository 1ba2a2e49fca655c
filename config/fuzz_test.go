package config

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/weirproxy/weir/config/lang"
)

// FuzzLoad feeds texts in native syntax to the whole load, beginning with those of testdata.
func FuzzLoad(f *testing.F) {
	for _, text := range corpus(f, ".hcl") {
		f.Add(text)
	}
	fuzzLoad(f, "weir.hcl")
}

// FuzzLoadJSON does so with JSON syntax.
func FuzzLoadJSON(f *testing.F) {
	for _, text := range corpus(f, ".hcl.json") {
		f.Add(text)
	}
	f.Add([]byte(`{"vpc":{"main":{"cidr_blocks":["10.0.0.0/8"]}},"ccn":{"all":{"vpcs":["${vpc.main}"]}},
"instance":{"edge":{"vpc":"${vpc.main}","listener":{"https":{"port":8443,"tls":[{"certificate_file":"tls/edge.crt","private_key_file":"tls/edge.key"}]}}}},
"upstream":{"orders":{"vpc":"${vpc.main}","protocol":"https","tls":{"sni":"a.test"},"dynamic":{"node":{"for_each":["10.0.0.1"],"labels":["${node.value}:80"],"content":{"weight":7}}}}},
"service":{"shop":{"instance":"${instance.edge}","domains":["*.a.test"],"api":{"get":{"methods":["GET"],"path":"/{id}","backend":{"upstream":"${upstream[\"orders\"]}","path":"/v1/{id}","timeout":"1s"}},
"mock":{"path_prefix":"/m","backend":{"mock":{"status":200,"body":"x"}}},"url":{"path":"/u","backend":{"url":"http://a.test"}}}}},
"locals":{"a":1},"variable":{"b":{"type":"string","default":"c"}}}`))
	fuzzLoad(f, "weir.hcl.json")
}

// corpus is every text of testdata with the ending.
func corpus(f *testing.F, ending string) [][]byte {
	var out [][]byte
	err := filepath.WalkDir("testdata", func(path string, _ fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case strings.HasSuffix(path, ending):
			out = append(out, must(os.ReadFile(path)))
		case strings.HasSuffix(path, ".txtar"):
			for _, file := range must(txtar.ParseFile(path)).Files {
				if strings.HasSuffix(file.Name, ending) {
					out = append(out, file.Data)
				}
			}
		}
		return nil
	})
	if err != nil || len(out) == 0 {
		f.Fatal("no corpus", err)
	}
	return out
}

func fuzzLoad(f *testing.F, name string) {
	root := writeFiles(f, nil)
	f.Fuzz(func(t *testing.T, text []byte) {
		r := FromText(name, text, root, Options{Now: testNow})
		for _, d := range r.Diagnostics {
			if lang.RuleOf(d) == lang.RuleInternal {
				t.Fatalf("weir failed: %s", d.Detail)
			}
			if d.Summary == "" || d.Subject == nil || d.Subject.Start.Byte > d.Subject.End.Byte || d.Subject.Start.Byte > len(text)+1 {
				t.Fatalf("a diagnostic without words or place: %+v", d)
			}
		}
		if r.HasErrors() != (r.Configuration == nil) {
			t.Fatalf("configuration %v with diagnostics %v", r.Configuration, r.Diagnostics)
		}
		if r.Configuration != nil {
			checkWhole(t, r.Configuration)
		}
		var out bytes.Buffer
		for _, err := range []error{r.WriteText(&out, true, 80), r.WriteJSON(&out), r.WriteSARIF(&out)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		out.Reset()
		if err := r.WriteText(&out, false, 80); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsFunc(out.String(), func(r rune) bool { return r != '\n' && r != '\t' && hazardous(r) }) {
			t.Fatalf("a terminal obeys %q", out.String())
		}
	})
}
