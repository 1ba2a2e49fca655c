package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// makeTree makes files, folders ("name/") and links ("name -> target") below a new directory.
func makeTree(t *testing.T, entries ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, entry := range entries {
		name, target, isLink := strings.Cut(entry, " -> ")
		path := filepath.Join(root, name)
		switch {
		case isLink:
			mustDo(t, os.MkdirAll(filepath.Dir(path), 0o755))
			mustDo(t, os.Symlink(target, path))
		case strings.HasSuffix(name, "/"):
			mustDo(t, os.MkdirAll(path, 0o755))
		default:
			writeFile(t, path, "# "+name)
		}
	}
	return root
}

func mustDo(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	mustDo(t, os.MkdirAll(filepath.Dir(path), 0o755))
	mustDo(t, os.WriteFile(path, []byte(text), 0o600))
}

// rename saves as most programs do: into another file, which then takes the place of the old one.
func renameSave(t testing.TB, path, text string) {
	t.Helper()
	writeFile(t, path+".tmp", text)
	mustDo(t, os.Rename(path+".tmp", path))
}

func names(s *Snapshot) []string {
	list := []string{}
	for _, f := range s.Files {
		list = append(list, f.Name)
	}
	return list
}

func TestRead(t *testing.T) {
	tests := map[string]struct {
		entries []string
		want    []string
	}{
		"sorted, both syntaxes, sub-directories": {
			[]string{"b.hcl", "a.hcl.json", "sub/deep/c.hcl", "sub/notes.txt", "README.md"},
			[]string{"a.hcl.json", "b.hcl", "sub/deep/c.hcl"},
		},
		"nothing at all": {[]string{"other.txt"}, []string{}},
		"hidden and backup names": {
			[]string{"a.hcl", ".b.hcl", ".git/c.hcl", "d.hcl~", "old~/e.hcl", "sub/.#a.hcl -> nobody@host.1"},
			[]string{"a.hcl"},
		},
		"a mounted ConfigMap": {
			[]string{"..2024_01/a.hcl", "..2024_01/b.hcl", "..data -> ..2024_01", "a.hcl -> ..data/a.hcl", "b.hcl -> ..data/b.hcl"},
			[]string{"a.hcl", "b.hcl"},
		},
		"a file that a link leads to as well has its own name": {
			[]string{"z.hcl", "a.hcl -> z.hcl"}, []string{"z.hcl"},
		},
		"a folder that a link leads to as well has its own name": {
			[]string{"z/f.hcl", "a -> z"}, []string{"z/f.hcl"},
		},
		"two links to a file that has no name of its own": {
			[]string{".store/x.hcl", "b.hcl -> .store/x.hcl", "a.hcl -> b.hcl"}, []string{"a.hcl"},
		},
		"a link to a hidden folder":                 {[]string{".store/sub/x.hcl", "conf -> .store"}, []string{"conf/sub/x.hcl"}},
		"a link to a file that is no configuration": {[]string{"notes.txt", "n -> notes.txt", "a.hcl"}, []string{"a.hcl"}},
		"folders that lead to each other": {
			[]string{"x/a.hcl", "y/b.hcl", "x/toy -> ../y", "y/tox -> ../x"}, []string{"x/a.hcl", "y/b.hcl"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			root := makeTree(t, test.entries...)
			snapshot, err := Read(root)
			mustDo(t, err)
			if diff := cmp.Diff(test.want, names(snapshot)); diff != "" {
				t.Error(diff)
			}
			if snapshot.Root != root || snapshot.Single {
				t.Errorf("root %s, single %t", snapshot.Root, snapshot.Single)
			}
			for _, f := range snapshot.Files {
				if f.Path != filepath.Join(root, f.Name) {
					t.Errorf("path of %s is %s", f.Name, f.Path)
				}
				if data, err := os.ReadFile(f.Path); err != nil || string(data) != string(f.Bytes) {
					t.Errorf("%s holds %q, %v; want %q", f.Name, f.Bytes, err, data)
				}
			}
		})
	}
}

func TestReadTrouble(t *testing.T) {
	tests := map[string]struct {
		entries []string
		path    string // relative to the tree
		prepare func(t *testing.T, root string)
		want    string // in the error
		where   string // path in the error, relative to the tree
	}{
		"missing":       {path: "nothing", want: "create it, or name another path", where: "nothing"},
		"dangling link": {entries: []string{"a.hcl -> nowhere"}, want: "the link leads nowhere", where: "a.hcl"},
		"dangling link that may have been a folder": {entries: []string{"sub -> nowhere"}, want: "the link leads nowhere", where: "sub"},
		"link to itself": {entries: []string{"a.hcl -> a.hcl"}, want: "remove the link that leads to itself", where: "a.hcl"},
		"cycle":          {entries: []string{"sub/deep/up -> ../.."}, want: "leads back to a directory above it", where: "sub/deep/up"},
		"cycle of one":   {entries: []string{"sub/here -> ."}, want: "leads back to a directory above it", where: "sub/here"},
		"directory":      {entries: []string{"sub/x.hcl/"}, want: "give it another name", where: "sub/x.hcl"},
		"device":         {entries: []string{"x.hcl -> /dev/zero"}, want: "not a regular file", where: "x.hcl"},
		"named pipe": {
			prepare: func(t *testing.T, root string) { mustDo(t, syscall.Mkfifo(filepath.Join(root, "x.hcl"), 0o600)) },
			want:    "not a regular file", where: "x.hcl",
		},
		"named pipe as the only file": {
			path:    "pipe",
			prepare: func(t *testing.T, root string) { mustDo(t, syscall.Mkfifo(filepath.Join(root, "pipe"), 0o600)) },
			want:    "not a regular file", where: "pipe",
		},
		"too large": {
			entries: []string{"x.hcl"},
			prepare: func(t *testing.T, root string) {
				mustDo(t, os.Truncate(filepath.Join(root, "x.hcl"), maxFileSize+1))
			},
			want: "larger than 32 MiB: split it", where: "x.hcl",
		},
		"too large together": {
			entries: []string{"a.hcl", "b.hcl", "sub/c.hcl"},
			prepare: func(t *testing.T, root string) {
				for _, name := range []string{"a.hcl", "b.hcl", "sub/c.hcl"} {
					mustDo(t, os.Truncate(filepath.Join(root, name), maxText/3+1))
				}
			},
			want: "more than 64 MiB of configuration files", where: ".",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			root := makeTree(t, test.entries...)
			if test.prepare != nil {
				test.prepare(t, root)
			}
			snapshot, err := Read(filepath.Join(root, test.path))
			var about *fs.PathError
			if snapshot != nil || !errors.As(err, &about) {
				t.Fatalf("got %v, %v; want a path error", snapshot, err)
			}
			if about.Path != filepath.Join(root, test.where) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v; want %q about %s", err, test.want, test.where)
			}
		})
	}
}

// TestReadTellsAllTrouble holds that one mistake does not hide the others.
func TestReadTellsAllTrouble(t *testing.T) {
	root := makeTree(t, "fine.hcl", "a.hcl -> nowhere", "sub/b.hcl/", "sub/here -> .", "sub/large.hcl")
	mustDo(t, syscall.Mkfifo(filepath.Join(root, "z.hcl"), 0o600))
	mustDo(t, os.Truncate(filepath.Join(root, "sub", "large.hcl"), maxFileSize+1))
	snapshot, err := Read(root)
	var about *fs.PathError
	if snapshot != nil || !errors.As(err, &about) || !errors.Is(err, errCycle) {
		t.Fatalf("got %v, %v", snapshot, err)
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 6 || !strings.HasPrefix(lines[0], "5 paths") {
		t.Fatalf("%d lines:\n%v", len(lines), err)
	}
	for _, name := range []string{"a.hcl", "sub/b.hcl", "sub/here", "sub/large.hcl", "z.hcl"} {
		if !strings.Contains(err.Error(), "read "+filepath.Join(root, name)+": ") {
			t.Errorf("nothing about %s:\n%v", name, err)
		}
	}
}

func TestErrorNamesSomePaths(t *testing.T) {
	var errs []error
	for range maxErrors + 2 {
		errs = append(errs, together([]error{nil, errCycle}))
	}
	lines := strings.Split(together([]error{nil, together(errs), errDangling}).Error(), "\n")
	if len(lines) != maxErrors+2 || lines[0] != "53 paths cannot be read:" || lines[maxErrors+1] != "and 3 more" {
		t.Errorf("%q", lines)
	}
}

func TestReadSingle(t *testing.T) {
	root := makeTree(t, ".store/real.conf", "edge.hcl", "other.hcl", "link.hcl -> .store/real.conf")
	for _, name := range []string{"edge.hcl", "link.hcl", ".store/real.conf"} {
		path := filepath.Join(root, name)
		snapshot, err := Read(path)
		mustDo(t, err)
		if !snapshot.Single || snapshot.Root != filepath.Dir(path) || len(snapshot.Files) != 1 {
			t.Fatalf("%s: got %+v", name, snapshot)
		}
		if f := snapshot.Files[0]; f.Name != filepath.Base(path) || f.Path != path {
			t.Errorf("%s: got %s at %s", name, f.Name, f.Path)
		}
	}
}

func TestReadThroughLinkedRoot(t *testing.T) {
	root := makeTree(t, "v1/a.hcl", "current -> v1")
	snapshot, err := Read(filepath.Join(root, "current"))
	mustDo(t, err)
	if want := filepath.Join(root, "current"); snapshot.Root != want {
		t.Errorf("root is %s, want %s: a turned link must be seen", snapshot.Root, want)
	}
	if diff := cmp.Diff([]string{"a.hcl"}, names(snapshot)); diff != "" {
		t.Error(diff)
	}
}

func TestReadFileThatNeverStandsStill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.hcl")
	writeFile(t, path, "")
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for n := int64(1); ; n++ {
			select {
			case <-stop:
				return
			default:
				_ = os.Truncate(path, n%4096)
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	for range 200 {
		data, err := ReadFile(path)
		if err != nil && !errors.Is(err, errChanging) {
			t.Fatal(err)
		}
		if err == nil && len(data) >= 4096 {
			t.Fatalf("read %d bytes, never written", len(data))
		}
	}
}

func TestReadFileRefusesWhatWouldWait(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	mustDo(t, syscall.Mkfifo(pipe, 0o600))
	for path, want := range map[string]string{pipe: "not a regular file", filepath.Dir(pipe): "a directory", pipe + "x": "create it"} {
		if _, err := ReadFile(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
}

// TestReadPipeWithoutAName reads what a shell makes of <(COMMAND).
func TestReadPipeWithoutAName(t *testing.T) {
	r, w, err := os.Pipe()
	mustDo(t, err)
	defer r.Close()
	defer w.Close()
	path := fmt.Sprintf("/dev/fd/%d", r.Fd())
	if _, err := Read(path); err == nil || !strings.Contains(err.Error(), "write it to a file") {
		t.Errorf("got %v", err)
	}
	if _, err := ReadFile(path); err == nil || !strings.Contains(err.Error(), "write it to a file") {
		t.Errorf("got %v", err)
	}
}

func TestHash(t *testing.T) {
	base := Snapshot{Root: "/a", Files: []File{{Name: "a", Bytes: []byte("bc")}}}
	same := Snapshot{Root: "/b", Files: []File{{Name: "a", Path: "/b/a", Bytes: []byte("bc")}}}
	if base.Hash() != same.Hash() {
		t.Error("the root is part of the hash")
	}
	for _, other := range []Snapshot{
		{},
		{Files: []File{{Name: "ab", Bytes: []byte("c")}}},
		{Files: []File{{Name: "a", Bytes: []byte("bd")}}},
		{Files: []File{{Name: "a", Bytes: []byte("b")}, {Name: "c"}}},
	} {
		if base.Hash() == other.Hash() {
			t.Errorf("%+v has the hash of another content", other)
		}
	}
}
