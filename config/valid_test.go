package config

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/model"
)

// TestValid loads each archive of testdata/valid and compares the configuration with its file "model". A warning
// is a failure, except that of nodes that are not verified, which nothing that is valid avoids.
func TestValid(t *testing.T) {
	eachArchive(t, "testdata/valid", "model", func(t *testing.T, root string) string {
		r := fromDir(t, root)
		for _, d := range r.Diagnostics {
			if lang.RuleOf(d) != ruleInsecure {
				t.Fatalf("diagnostics:\n%s", text(t, r))
			}
		}
		checkWhole(t, r.Configuration)
		return dump(t, r.Configuration)
	})
}

// eachArchive unpacks each archive of a directory below a root of its own and compares what run makes of it with the
// archive's last file, which -update rewrites.
func eachArchive(t *testing.T, dir, last string, run func(t *testing.T, root string) string) {
	names, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil || len(names) == 0 {
		t.Fatal("no archives", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive := must(txtar.ParseFile(name))
			files, want := map[string][]byte{}, ""
			var input []txtar.File
			for _, f := range archive.Files {
				if f.Name == last {
					want = string(f.Data)
					continue
				}
				input = append(input, f)
				files[f.Name] = f.Data
			}
			got := run(t, writeFiles(t, files))
			if *update {
				archive.Files = append(input, txtar.File{Name: last, Data: []byte(got)})
				if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (- expected, + found):\n%s", last, diff)
			}
		})
	}
}

// checkWhole holds what model promises of a Configuration.
func checkWhole(t *testing.T, c *model.Configuration) {
	t.Helper()
	if c.VPCs == nil || c.CCNs == nil || c.Instances == nil || c.Upstreams == nil || c.Services == nil {
		t.Fatal("a map of the configuration is nil")
	}
	for _, in := range c.Instances {
		for _, l := range in.Listeners {
			for _, cert := range l.Certificates {
				if !strings.HasPrefix(string(cert.Chain), "-----BEGIN CERTIFICATE-----") || strings.Contains(string(cert.Chain), "PRIVATE KEY") {
					t.Errorf("chain of %s is not certificates alone", cert.CertificateFile)
				}
				if !strings.Contains(string(cert.PrivateKey), "PRIVATE KEY") {
					t.Errorf("%s holds no key", cert.PrivateKeyFile)
				}
			}
		}
	}
	for _, s := range c.Services {
		if len(s.Listeners) == 0 || c.Instances[s.Instance] == nil {
			t.Errorf("service %s is mounted nowhere", s.Name)
		}
		for _, a := range s.APIs {
			if b := a.Backend; b.Upstream != "" && c.Upstreams[b.Upstream] == nil {
				t.Errorf("API %s refers to no upstream", a.Name)
			}
		}
	}
}

// dump is the configuration as JSON without what is empty; a place is "file:line:column", certificates are only
// counted, since they are made anew for each run.
func dump(t *testing.T, c *model.Configuration) string {
	t.Helper()
	var tree any
	if err := json.Unmarshal(must(json.Marshal(c)), &tree); err != nil {
		t.Fatal(err)
	}
	return string(must(json.MarshalIndent(condense(tree), "", " "))) + "\n"
}

func condense(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = condense(v[i])
		}
	case map[string]any:
		if file, ok := v["File"].(string); ok && len(v) == 3 {
			return fmt.Sprintf("%s:%v:%v", file, v["Line"], v["Column"])
		}
		for key, inner := range v {
			switch {
			case inner == nil || inner == "" || inner == false:
				delete(v, key)
			case key == "Chain" || key == "CA" || key == "ClientCA":
				v[key] = "(certificates)"
			default:
				v[key] = condense(inner)
				if empty, is := v[key].(map[string]any); is && len(empty) == 0 && strings.HasSuffix(key, "Headers") {
					delete(v, key)
				}
			}
		}
	}
	return v
}

func text(t *testing.T, r *Result) string {
	t.Helper()
	var b strings.Builder
	if err := r.WriteText(&b, false, 100); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
