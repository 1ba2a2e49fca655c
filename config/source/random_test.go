package source

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Whatever is done to the files, the last Update is what Read finds at the end.
func TestWatchEqualsRead(t *testing.T) {
	eachMode(t, func(t *testing.T, o Options) {
		for seed := range uint64(12) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				mode := o
				mode.Path = makeTree(t, "conf/a.hcl", "conf/sub/b.hcl", "store/..v1/s.hcl", "store/..data -> ..v1") + "/conf"
				w := start(t, mode)
				last := next(t, w)
				r := random{Rand: rand.New(rand.NewPCG(seed, seed)), root: mode.Path}
				for range 6 {
					for range 1 + r.IntN(15) {
						r.step()
					}
					last = untilRead(t, w, last)
				}
			})
		}
	})
}

// untilRead takes updates until one says what Read says.
func untilRead(t *testing.T, w *Watcher, last Update) Update {
	t.Helper()
	want, wantErr := Read(w.options.Path)
	timeout := time.After(deadline)
	for !equal(last, want, wantErr) {
		select {
		case last = <-w.Updates():
		case <-timeout:
			got := map[string]string{}
			if last.Snapshot != nil {
				got = texts(last.Snapshot)
			}
			t.Fatalf("the last update is %v, %v; Read finds %v, %v", got, last.Err, want, wantErr)
		}
	}
	return last
}

func equal(u Update, want *Snapshot, wantErr error) bool {
	if wantErr != nil {
		return u.Err != nil && u.Err.Error() == wantErr.Error()
	}
	return u.Err == nil && cmp.Equal(u.Snapshot.Files, want.Files, cmpopts.EquateEmpty())
}

// random does what people and programs do to a directory. Most of it fails now and then, as names are few.
type random struct {
	*rand.Rand
	root string
	n    int
}

func (r *random) path() string {
	folders := []string{"", "", "sub", "sub/deep", "other"}
	files := []string{"a.hcl", "b.hcl", "c.hcl.json", "link.hcl"}
	return filepath.Join(r.root, folders[r.IntN(len(folders))], files[r.IntN(len(files))])
}

func (r *random) text() []byte {
	r.n++
	text := fmt.Appendf(nil, "# %d\n", r.n)
	for n := range r.IntN(4) {
		text = fmt.Appendf(text, "vpc \"v%d\" {}\n", n)
	}
	return text
}

func (r *random) step() {
	path := r.path()
	switch r.IntN(12) {
	case 0, 1, 2:
		_ = os.WriteFile(path, r.text(), 0o600)
	case 3, 4:
		_ = os.WriteFile(path+".tmp", r.text(), 0o600)
		_ = os.Rename(path+".tmp", path)
	case 5:
		_ = os.Remove(path)
	case 6:
		_ = os.MkdirAll(filepath.Dir(path), 0o755)
	case 7:
		_ = os.Rename(path, r.path())
	case 8:
		_ = os.Rename(filepath.Join(r.root, "sub"), filepath.Join(r.root, "other"))
	case 9:
		_ = os.RemoveAll(filepath.Join(r.root, "sub"))
	case 10:
		_ = os.Symlink("../store/..data/s.hcl", filepath.Join(r.root, "link.hcl"))
	case 11:
		store := filepath.Join(filepath.Dir(r.root), "store")
		version := fmt.Sprintf("..v%d", r.n)
		_ = os.Mkdir(filepath.Join(store, version), 0o755)
		_ = os.WriteFile(filepath.Join(store, version, "s.hcl"), r.text(), 0o600)
		_ = os.Symlink(version, filepath.Join(store, "tmp"))
		_ = os.Rename(filepath.Join(store, "tmp"), filepath.Join(store, "..data"))
	}
}
