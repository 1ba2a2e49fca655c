package source

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"
)

func TestWatchFilesComeChangeAndGo(t *testing.T) {
	eachMode(t, func(t *testing.T, o Options) {
		root := makeTree(t, "a.hcl")
		o.Path = root
		w := start(t, o)
		nextText(t, w, map[string]string{"a.hcl": "# a.hcl"})

		renameSave(t, filepath.Join(root, "a.hcl"), "renamed")
		nextText(t, w, map[string]string{"a.hcl": "renamed"})

		writeFile(t, filepath.Join(root, "a.hcl"), "written in place")
		nextText(t, w, map[string]string{"a.hcl": "written in place"})

		writeFile(t, filepath.Join(root, ".hidden.hcl"), "x")
		writeFile(t, filepath.Join(root, "b.hcl~"), "x")
		writeFile(t, filepath.Join(root, "notes.txt"), "x")
		writeFile(t, filepath.Join(root, "b.hcl"), "new")
		nextText(t, w, map[string]string{"a.hcl": "written in place", "b.hcl": "new"})

		writeFile(t, filepath.Join(root, "new/deep/c.hcl"), "in a new folder")
		untilText(t, w, map[string]string{"a.hcl": "written in place", "b.hcl": "new", "new/deep/c.hcl": "in a new folder"})

		renameSave(t, filepath.Join(root, "new/deep/c.hcl"), "changed there")
		nextText(t, w, map[string]string{"a.hcl": "written in place", "b.hcl": "new", "new/deep/c.hcl": "changed there"})

		mustDo(t, os.Remove(filepath.Join(root, "b.hcl")))
		nextText(t, w, map[string]string{"a.hcl": "written in place", "new/deep/c.hcl": "changed there"})

		mustDo(t, os.RemoveAll(filepath.Join(root, "new")))
		untilText(t, w, map[string]string{"a.hcl": "written in place"})
	})
}

func TestWatchContentDecides(t *testing.T) {
	eachMode(t, func(t *testing.T, o Options) {
		root := makeTree(t, "a.hcl", "b.hcl")
		o.Path = root
		w := start(t, o)
		nextText(t, w, map[string]string{"a.hcl": "# a.hcl", "b.hcl": "# b.hcl"})
		// The same bytes in a new file, a new time, an editor's files: the change of b comes as the first update.
		renameSave(t, filepath.Join(root, "a.hcl"), "# a.hcl")
		mustDo(t, os.Chtimes(filepath.Join(root, "b.hcl"), time.Now(), time.Now().Add(time.Hour)))
		writeFile(t, filepath.Join(root, ".b.hcl.swp"), "x")
		writeFile(t, filepath.Join(root, "4913"), "")
		mustDo(t, os.Remove(filepath.Join(root, "4913")))
		renameSave(t, filepath.Join(root, "b.hcl"), "changed")
		nextText(t, w, map[string]string{"a.hcl": "# a.hcl", "b.hcl": "changed"})
	})
}

func TestWatchSameSizeSameTime(t *testing.T) {
	eachMode(t, func(t *testing.T, o Options) {
		root := makeTree(t, "a.hcl")
		path := filepath.Join(root, "a.hcl")
		o.Path = root
		w := start(t, o)
		nextText(t, w, map[string]string{"a.hcl": "# a.hcl"})
		before, err := os.Stat(path)
		mustDo(t, err)
		writeFile(t, path, "# A.HCL")
		mustDo(t, os.Chtimes(path, before.ModTime(), before.ModTime()))
		nextText(t, w, map[string]string{"a.hcl": "# A.HCL"})
	})
}

// vim: the old file is renamed to the backup, the new one is written under its name, the backup is removed.
func TestWatchVimSave(t *testing.T) {
	eachMode(t, func(t *testing.T, o Options) {
		root := t.TempDir()
		path := filepath.Join(root, "a.hcl")
		writeFile(t, path, "vpc \"a\" {}\nvpc \"b\" {}\n")
		o.Path = root
		w := start(t, o)
		next(t, w)
		for n := range 5 {
			text := fmt.Sprintf("vpc \"a\" {}\nvpc \"b\" {} # %d\n", n)
			mustDo(t, os.Rename(path, path+"~"))
			writeFile(t, path, text)
			mustDo(t, os.Remove(path+"~"))
			nextText(t, w, map[string]string{"a.hcl": text})
		}
	})
}

// emacs with file-precious-flag, and most programs: another file is written, then renamed.
func TestWatchRenameSaveIsTakenAtOnce(t *testing.T) {
	root := t.TempDir()
	path := filepath.Join(root, "a.hcl")
	writeFile(t, path, "vpc \"a\" {}\nvpc \"b\" {}\n")
	w := start(t, Options{Path: root, Poll: time.Hour})
	next(t, w)
	var took []time.Duration
	for n := range 21 {
		// Every second save takes a block away: it is whole all the same.
		text := fmt.Sprintf("vpc \"a\" {} # %d\n", n) + strings.Repeat("vpc \"b\" {}\n", n%2)
		writeFile(t, path+".tmp", text)
		began := time.Now()
		mustDo(t, os.Rename(path+".tmp", path))
		nextText(t, w, map[string]string{"a.hcl": text})
		took = append(took, time.Since(began))
	}
	sort.Slice(took, func(i, j int) bool { return took[i] < took[j] })
	t.Logf("rename to update: median %s, longest %s", took[len(took)/2], took[len(took)-1])
	if median := took[len(took)/2]; median >= quietWriting {
		t.Errorf("a rename took %s, as if it was written in place", median)
	}
}

// kubelet's sequence: a new directory beside the old one, a new link renamed over ..data, then the names that came and
// went.
func TestWatchConfigMap(t *testing.T) {
	eachMode(t, func(t *testing.T, o Options) {
		root := makeTree(t, "..v0/a.hcl", "..v0/old.hcl", "..data -> ..v0", "a.hcl -> ..data/a.hcl", "old.hcl -> ..data/old.hcl")
		o.Path = root
		w := start(t, o)
		nextText(t, w, map[string]string{"a.hcl": "# ..v0/a.hcl", "old.hcl": "# ..v0/old.hcl"})
		publish := func(version, previous string, write map[string]string) {
			for name, text := range write {
				writeFile(t, filepath.Join(root, version, name), text)
			}
			mustDo(t, os.Symlink(version, filepath.Join(root, "..data_tmp")))
			mustDo(t, os.Rename(filepath.Join(root, "..data_tmp"), filepath.Join(root, "..data")))
			for name := range write {
				if _, err := os.Lstat(filepath.Join(root, name)); err != nil {
					mustDo(t, os.Symlink("..data/"+name, filepath.Join(root, name)))
				}
			}
			mustDo(t, os.RemoveAll(filepath.Join(root, previous)))
		}
		publish("..v1", "..v0", map[string]string{"a.hcl": "second", "old.hcl": "# still"})
		nextText(t, w, map[string]string{"a.hcl": "second", "old.hcl": "# still"})
		publish("..v2", "..v1", map[string]string{"a.hcl": "third", "old.hcl": "# still", "new.hcl": "new"})
		untilText(t, w, map[string]string{"a.hcl": "third", "old.hcl": "# still", "new.hcl": "new"})
		publish("..v3", "..v2", map[string]string{"a.hcl": "fourth", "new.hcl": "new"})
		mustDo(t, os.Remove(filepath.Join(root, "old.hcl")))
		untilText(t, w, map[string]string{"a.hcl": "fourth", "new.hcl": "new"})
	})
}

func TestWatchLinkedRoot(t *testing.T) {
	eachMode(t, func(t *testing.T, o Options) {
		root := makeTree(t, "v1/a.hcl", "v1/gone.hcl", "v2/a.hcl", "current -> v1")
		writeFile(t, filepath.Join(root, "v1/gone.hcl"), "vpc \"gone\" {}\n")
		o.Path = filepath.Join(root, "current")
		w := start(t, o)
		nextText(t, w, map[string]string{"a.hcl": "# v1/a.hcl", "gone.hcl": "vpc \"gone\" {}\n"})
		mustDo(t, os.Symlink("v2", filepath.Join(root, "tmp")))
		mustDo(t, os.Rename(filepath.Join(root, "tmp"), o.Path))
		// A link is turned at once: also what the other directory lacks.
		nextText(t, w, map[string]string{"a.hcl": "# v2/a.hcl"})
		renameSave(t, filepath.Join(root, "v2/a.hcl"), "changed")
		nextText(t, w, map[string]string{"a.hcl": "changed"})
	})
}

func TestWatchLinkOutOfTheTree(t *testing.T) {
	eachMode(t, func(t *testing.T, o Options) {
		outside := makeTree(t, "..v1/x.hcl", "..v2/x.hcl", "..data -> ..v1", "dir/y.hcl")
		root := makeTree(t, "x.hcl -> "+filepath.Join(outside, "..data/x.hcl"), "sub -> "+filepath.Join(outside, "dir"))
		o.Path = root
		w := start(t, o)
		nextText(t, w, map[string]string{"x.hcl": "# ..v1/x.hcl", "sub/y.hcl": "# dir/y.hcl"})
		mustDo(t, os.Symlink("..v2", filepath.Join(outside, "tmp")))
		mustDo(t, os.Rename(filepath.Join(outside, "tmp"), filepath.Join(outside, "..data")))
		nextText(t, w, map[string]string{"x.hcl": "# ..v2/x.hcl", "sub/y.hcl": "# dir/y.hcl"})
		renameSave(t, filepath.Join(outside, "..v2/x.hcl"), "changed")
		nextText(t, w, map[string]string{"x.hcl": "changed", "sub/y.hcl": "# dir/y.hcl"})
		writeFile(t, filepath.Join(outside, "dir/y.hcl"), "changed too")
		nextText(t, w, map[string]string{"x.hcl": "changed", "sub/y.hcl": "changed too"})
	})
}

func TestWatchSingleFile(t *testing.T) {
	eachMode(t, func(t *testing.T, o Options) {
		root := makeTree(t, "v1.hcl", "v2.hcl", "link.hcl -> v1.hcl", "other.hcl")
		o.Path = filepath.Join(root, "link.hcl")
		w := start(t, o)
		nextText(t, w, map[string]string{"link.hcl": "# v1.hcl"})
		writeFile(t, filepath.Join(root, "other.hcl"), "not a part of it")
		mustDo(t, os.Symlink("v2.hcl", filepath.Join(root, "tmp")))
		mustDo(t, os.Rename(filepath.Join(root, "tmp"), o.Path))
		nextText(t, w, map[string]string{"link.hcl": "# v2.hcl"})
		writeFile(t, filepath.Join(root, "v2.hcl"), "in place")
		nextText(t, w, map[string]string{"link.hcl": "in place"})
		renameSave(t, o.Path, "no link any more")
		nextText(t, w, map[string]string{"link.hcl": "no link any more"})
		renameSave(t, o.Path, "and again")
		nextText(t, w, map[string]string{"link.hcl": "and again"})
	})
}
