package function

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// recorder keeps what was read, relative to the root.
type recorder struct {
	root        string
	files, dirs []string
}

func (r *recorder) options() Options {
	return Options{
		Root: r.root,
		ReadFile: func(path string) ([]byte, error) {
			r.files = append(r.files, strings.TrimPrefix(path, r.root))
			return os.ReadFile(path)
		},
		ReadDir: func(path string) ([]fs.DirEntry, error) {
			r.dirs = append(r.dirs, strings.TrimPrefix(path, r.root))
			return os.ReadDir(path)
		},
	}
}

// Whatever a load depends on is told to the caller, also what is not there yet.
func TestReadsAreTold(t *testing.T) {
	tests := []struct {
		expression  string
		files, dirs []string
	}{
		{`file("hello.txt")`, []string{"/hello.txt"}, nil},
		{`try(file("nothing.txt"), "")`, []string{"/nothing.txt"}, nil},
		{`fileexists("no/such/folder.txt")`, []string{"/no/such/folder.txt"}, nil},
		{`sha256("hello.txt")`, nil, nil},
		{`filesha256("./files/../hello.txt")`, []string{"/hello.txt"}, nil},
		{`templatefile("greeting.tftpl", {name = file("hello.txt")})`, []string{"/hello.txt", "/greeting.tftpl"}, nil},
		{`fileset("files", "x/*.json")`, nil, []string{"/files", "/files/x"}},
		{`fileset("files", "**")`, nil, []string{"/files", "/files/x", "/files/x/y"}},
		{`fileset("nowhere", "*")`, nil, []string{"/nowhere"}},
		{`try(file("../outside.txt"), "")`, nil, nil},
	}
	for _, test := range tests {
		t.Run(test.expression, func(t *testing.T) {
			r := &recorder{root: exampleFiles(t)}
			if _, diags := evaluate(t, r.options(), test.expression); diags.HasErrors() {
				t.Fatal(diags)
			}
			// try evaluates twice.
			if diff := cmp.Diff([][]string{test.files, test.dirs}, [][]string{slices.Compact(r.files), r.dirs}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A link may lead anywhere below the root, and nowhere else.
func TestLinks(t *testing.T) {
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret.txt"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	root := exampleFiles(t)
	for name, target := range map[string]string{
		"inside":         "hello.txt",
		"files/up":       "../hello.txt",
		"folder":         "files",
		"escape":         filepath.Join(outside, "secret.txt"),
		"relative":       "../" + filepath.Base(outside) + "/secret.txt",
		"escape-folder":  outside,
		"dangling":       "not-there.txt",
		"loop":           "loop",
		"files/dangling": "nothing",
		"linked-root":    ".",
	} {
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	const outsideError = "outside of the configuration's directory"
	tests := []example{
		{`file("inside")`, `"Hello World"`},
		{`file("files/up")`, `"Hello World"`},
		{`file("folder/a.json")`, `"{}"`},
		{`file("` + filepath.Join(root, "hello.txt") + `")`, `"Hello World"`},
		{`file("linked-root/hello.txt")`, `"Hello World"`},
		{`fileset("folder", "*.json")`, `["a.json","b.json"]`},
		{`fileset(".", "folder/*.json")`, `["folder/a.json","folder/b.json"]`},
		{`fileset(".", "**/hello.txt")`, `["hello.txt"]`},
		{`fileset("files", "*")`, `["a.json","b.json","c.txt","up"]`},
		{`fileexists("dangling")`, `false`},
		{`file("dangling")`, "no such file"},
		{`file("loop")`, "too many links"},
		{`file("escape")`, outsideError},
		{`file("relative")`, outsideError},
		{`file("escape-folder/secret.txt")`, outsideError},
		{`file("escape-folder/new.txt")`, outsideError},
		{`fileexists("escape")`, outsideError},
		{`templatefile("escape", {})`, outsideError},
		{`fileset(".", "*")`, outsideError},
		{`fileset("escape-folder", "*")`, outsideError},
	}
	for _, test := range tests {
		t.Run(test.expression, func(t *testing.T) {
			value, diags := evaluate(t, Options{Root: root}, test.expression)
			if diags.HasErrors() {
				if !strings.Contains(diags[0].Detail, test.want) {
					t.Errorf("got %v, want %s", diags, test.want)
				}
				return
			}
			if got := result(t, value); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// The root may itself be reached by a link, as where one version of a directory replaces another.
func TestLinkedRoot(t *testing.T) {
	root := exampleFiles(t)
	link := filepath.Join(t.TempDir(), "current")
	if err := os.Symlink(root, link); err != nil {
		t.Fatal(err)
	}
	r := &recorder{root: link}
	for _, expression := range []string{`file("hello.txt")`, `file("` + filepath.Join(link, "hello.txt") + `")`} {
		value, diags := evaluate(t, r.options(), expression)
		if diags.HasErrors() || result(t, value) != `"Hello World"` {
			t.Errorf("%s: %#v, %v", expression, value, diags)
		}
	}
	if diff := cmp.Diff([]string{"/hello.txt", "/hello.txt"}, r.files); diff != "" {
		t.Errorf("the path told must have the link in it, or it cannot be seen to turn: %s", diff)
	}
}

func TestFilesCannotBeReadWithoutRoot(t *testing.T) {
	_, diags := evaluate(t, Options{}, `file("hello.txt")`)
	if !diags.HasErrors() || !strings.Contains(diags[0].Detail, "no files can be read here") {
		t.Errorf("got %v", diags)
	}
}

func TestErrorsOfReadFile(t *testing.T) {
	o := Options{Root: t.TempDir(), ReadFile: func(path string) ([]byte, error) {
		return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("disk on fire")}
	}}
	_, diags := evaluate(t, o, `file("x")`)
	if !diags.HasErrors() || !strings.Contains(diags[0].Detail, `cannot read "x": disk on fire`) {
		t.Errorf("got %v", diags)
	}
	o.ReadFile = func(string) ([]byte, error) { return make([]byte, maxText+1), nil }
	_, diags = evaluate(t, o, `file("x")`)
	if !diags.HasErrors() || !strings.Contains(diags[0].Detail, "more than 16777216 bytes") {
		t.Errorf("got %v", diags)
	}
}
