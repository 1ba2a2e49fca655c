package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirproxy/weir/config/source"
)

// TestLoaderSeesWhatIsBeside changes what a configuration reads beside its text, and holds that a Loader tells what a load
// from scratch does.
func TestLoaderSeesWhatIsBeside(t *testing.T) {
	move := func(t *testing.T, from, to string) {
		t.Helper()
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	link := func(t *testing.T, to, name string) {
		t.Helper()
		if err := os.Symlink(to, name+".new"); err != nil {
			t.Fatal(err)
		}
		move(t, name+".new", name)
	}
	for _, test := range []struct {
		name, text string
		change     func(t *testing.T, root string)
		bad        bool // afterwards
	}{
		{"another spelling of an absolute path", "upstream \"u\" {\n  vpc = vpc.v\n  protocol = \"https\"\n  tls {\n    ca_file = \"ROOT/tls/..//tls/ca.crt\"\n  }\n  node \"a.example.com:443\" {}\n}\n",
			func(t *testing.T, root string) { move(t, root+"/tls/edge.crt", root+"/tls/ca.crt") }, false},
		{"a CA file expired", "upstream \"u\" {\n  vpc = vpc.v\n  protocol = \"https\"\n  tls {\n    ca_file = \"ROOT/tls/./ca.crt\"\n  }\n  node \"a.example.com:443\" {}\n}\n",
			func(t *testing.T, root string) { move(t, root+"/tls/expired.crt", root+"/tls/ca.crt") }, false},
		{"a CA file is none", "upstream \"u\" {\n  vpc = vpc.v\n  protocol = \"https\"\n  tls {\n    ca_file = \"ROOT/tls/./ca.crt\"\n  }\n  node \"a.example.com:443\" {}\n}\n",
			func(t *testing.T, root string) { move(t, root+"/tls/text.pem", root+"/tls/ca.crt") }, true},
		{"a listed link leads to something", "locals {\n  n = length(fileset(\"list\", \"*\")) + 1\n}\nupstream \"u\" {\n  vpc = vpc.v\n  protocol = \"http\"\n  retries = local.n\n  node \"a.example.com:80\" {}\n}\n",
			func(t *testing.T, root string) { move(t, root+"/note.txt", root+"/later.txt") }, false},
		{"a default that lists", "variable \"n\" {\n  default = length(fileset(\"list\", \"*\")) + 1\n}\nupstream \"u\" {\n  vpc = vpc.v\n  protocol = \"http\"\n  retries = var.n\n  node \"a.example.com:80\" {}\n}\n",
			func(t *testing.T, root string) { move(t, root+"/note.txt", root+"/list/note.txt") }, false},
		{"a link leads out of the root", "upstream \"u\" {\n  vpc = vpc.v\n  protocol = \"http\"\n  description = file(\"link.txt\")\n  node \"a.example.com:80\" {}\n}\n",
			func(t *testing.T, root string) {
				outside := filepath.Join(t.TempDir(), "note.txt")
				move(t, root+"/note.txt", outside)
				link(t, outside, root+"/link.txt")
			}, true},
		{"a directory leads out of the root", "upstream \"u\" {\n  vpc = vpc.v\n  protocol = \"http\"\n  description = fileexists(\"dir/x\") ? \"x\" : \"y\"\n  node \"a.example.com:80\" {}\n}\n",
			func(t *testing.T, root string) { link(t, t.TempDir(), root+"/dir") }, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := writeFiles(t, map[string][]byte{"note.txt": []byte("note"), "list/one": nil})
			link(t, "../later.txt", root+"/list/link")
			link(t, "note.txt", root+"/link.txt")
			link(t, "list", root+"/dir")
			text := "vpc \"v\" {}\n" + strings.ReplaceAll(test.text, "ROOT", filepath.ToSlash(root))
			s := &source.Snapshot{Root: root, Files: []source.File{{Name: "a.hcl", Bytes: []byte(text)}}}
			ld, o := NewLoader(), Options{Now: testNow}
			if r := ld.Load(s, o); r.HasErrors() || !r.built {
				t.Fatal(r.Diagnostics)
			}
			test.change(t, root)
			want, got := FromSnapshot(s, o), ld.Load(s, o)
			if diff := cmp.Diff(told(t, want), told(t, got)); diff != "" {
				t.Errorf("(- from scratch, + incremental):\n%s", diff)
			}
			if want.HasErrors() != test.bad {
				t.Error(want.Diagnostics)
			}
		})
	}
}

// TestReadsNoticeWhatChangesMeanwhile holds that a load ends without an effect where a file changes after the load has
// asked which do: one block would see what another one has not.
func TestReadsNoticeWhatChangesMeanwhile(t *testing.T) {
	root := writeFiles(t, map[string][]byte{"note.txt": []byte("one")})
	r := newReads(root)
	note := filepath.Join(root, "note.txt")
	read := func() {
		if _, err := r.file(note); err != nil {
			t.Fatal(err)
		}
	}
	read()
	r.keep([]string{note})
	if changed := r.changed(); len(changed) > 0 || r.torn {
		t.Fatal(changed)
	}
	if err := os.WriteFile(note, []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	if read(); !r.torn {
		t.Error("a change after the question is not noticed")
	}
	r.forget()
	if changed := r.changed(); !cmp.Equal(changed, []string{note}) {
		t.Error(changed)
	}
	if read(); r.torn {
		t.Error("a change before the question is taken for one after it")
	}
}
