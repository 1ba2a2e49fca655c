package source

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// deadline is for what must come; nothing waits for it to pass.
const deadline = 20 * time.Second

var blockPattern = regexp.MustCompile(`(?m)^vpc "(\w+)"`)

// blockNames is a small BlockNames.
func blockNames(_ string, text []byte) []string {
	var ids []string
	for _, match := range blockPattern.FindAllSubmatch(text, -1) {
		ids = append(ids, string(match[1]))
	}
	return ids
}

// start runs a watcher until the test ends, and sees to it that it ends then.
func start(t testing.TB, o Options) *Watcher {
	t.Helper()
	if o.Blocks == nil {
		o.Blocks = blockNames
	}
	w, err := NewWatcher(o)
	mustDo(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(deadline):
			t.Error("Run does not end")
		}
		for range w.Updates() { //nolint:revive // until it is closed
		}
	})
	return w
}

func next(t testing.TB, w *Watcher) Update {
	t.Helper()
	select {
	case update, ok := <-w.Updates():
		if !ok {
			t.Fatal("Run ended")
		}
		return update
	case <-time.After(deadline):
		t.Fatal("no update came")
	}
	return Update{}
}

func texts(s *Snapshot) map[string]string {
	m := map[string]string{}
	for _, f := range s.Files {
		m[f.Name] = string(f.Bytes)
	}
	return m
}

// nextText wants the next update to hold these texts, by name.
func nextText(t *testing.T, w *Watcher, want map[string]string) {
	t.Helper()
	update := next(t, w)
	if update.Err != nil {
		t.Fatalf("got the error %v", update.Err)
	}
	if diff := cmp.Diff(want, texts(update.Snapshot)); diff != "" {
		t.Fatal(diff)
	}
}

// untilText takes updates until one holds these texts, and returns those before it. Errors are not expected.
func untilText(t *testing.T, w *Watcher, want map[string]string) (before []map[string]string) {
	t.Helper()
	for {
		update := next(t, w)
		if update.Err != nil {
			t.Fatalf("got the error %v", update.Err)
		}
		got := texts(update.Snapshot)
		if cmp.Equal(want, got) {
			return before
		}
		before = append(before, got)
	}
}

// nextError wants the next update to be an error that says something.
func nextError(t *testing.T, w *Watcher, want string) {
	t.Helper()
	update := next(t, w)
	if update.Err == nil || update.Snapshot != nil || !strings.Contains(update.Err.Error(), want) {
		t.Fatalf("got %v, %v; want the error %q alone", update.Snapshot, update.Err, want)
	}
}

// eachMode runs a test with events and without.
func eachMode(t *testing.T, test func(t *testing.T, o Options)) {
	t.Run("events", func(t *testing.T) {
		// The poll is so rare that only events can be what is seen.
		test(t, Options{Poll: time.Hour})
	})
	t.Run("poll", func(t *testing.T) {
		test(t, Options{Poll: 20 * time.Millisecond, DisableEvents: true})
	})
}

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

// A writer that truncates the file and then writes it piece by piece removes nothing, whatever the pieces are.
func TestWatchHalfWrittenFileRemovesNothing(t *testing.T) {
	eachMode(t, func(t *testing.T, o Options) {
		root := t.TempDir()
		path := filepath.Join(root, "a.hcl")
		whole := "vpc \"a\" {}\nvpc \"b\" {}\nvpc \"c\" {}\nvpc \"d\" {}\n"
		writeFile(t, path, whole)
		o.Path = root
		w := start(t, o)
		nextText(t, w, map[string]string{"a.hcl": whole})

		want := strings.ReplaceAll(whole, "{}", "{ description = \"2\" }")
		go writeInPieces(t, path, strings.SplitAfter(want, "\n"), 150*time.Millisecond)
		nextText(t, w, map[string]string{"a.hcl": want})

		mustDo(t, os.Remove(path))
		go writeInPieces(t, path, strings.SplitAfter(whole, "\n"), 150*time.Millisecond)
		nextText(t, w, map[string]string{"a.hcl": whole})

		fewer := "vpc \"a\" {}\n"
		writeFile(t, path, fewer)
		nextText(t, w, map[string]string{"a.hcl": fewer})
	})
}

// writeInPieces truncates a file and writes the pieces at a pace, the first of them after a pause.
func writeInPieces(t *testing.T, path string, pieces []string, pace time.Duration) {
	f, err := os.Create(path)
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close() //nolint:errcheck // a test file
	ticker := time.NewTicker(pace)
	defer ticker.Stop()
	for _, piece := range pieces {
		<-ticker.C
		if _, err := f.WriteString(piece); err != nil {
			t.Error(err)
		}
	}
}

// A block that moves to another file does not disappear, so nothing waits for it.
func TestWatchMovedBlockIsNotLost(t *testing.T) {
	root := t.TempDir()
	a, b := filepath.Join(root, "a.hcl"), filepath.Join(root, "b.hcl")
	writeFile(t, a, "vpc \"a\" {}\nvpc \"b\" {}\n")
	w := start(t, Options{Path: root, Poll: time.Hour})
	next(t, w)
	writeFile(t, b, "vpc \"b\" {}\n")
	writeFile(t, a, "vpc \"a\" {}\n")
	began := time.Now()
	untilText(t, w, map[string]string{"a.hcl": "vpc \"a\" {}\n", "b.hcl": "vpc \"b\" {}\n"})
	if took := time.Since(began); took >= quietLosing {
		t.Errorf("it took %s, as if a block had disappeared", took)
	}
}

func TestWatchRapidEdits(t *testing.T) {
	eachMode(t, func(t *testing.T, o Options) {
		root := makeTree(t, "a.hcl", "b.hcl")
		o.Path = root
		w := start(t, o)
		next(t, w)
		for n := range 200 {
			renameSave(t, filepath.Join(root, "a.hcl"), fmt.Sprintf("edit %d", n))
			writeFile(t, filepath.Join(root, "b.hcl"), fmt.Sprintf("edit %d", n))
		}
		untilText(t, w, map[string]string{"a.hcl": "edit 199", "b.hcl": "edit 199"})
	})
}

// A file that is written all the time holds up neither the others nor, where nothing disappears, itself.
func TestWatchConstantWriter(t *testing.T) {
	root := makeTree(t, "busy.hcl", "loses.hcl", "other.hcl")
	loses := filepath.Join(root, "loses.hcl")
	writeFile(t, loses, "vpc \"kept\" {}\n")
	w := start(t, Options{Path: root, Poll: time.Hour})
	next(t, w)
	stop, stopped := make(chan struct{}), make(chan struct{})
	write := func(n int) {
		_ = os.WriteFile(filepath.Join(root, "busy.hcl"), fmt.Appendf(nil, "written %d times", n), 0o600)
		_ = os.WriteFile(loses, fmt.Appendf(nil, "# written %d times", n), 0o600)
	}
	write(0)
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(15 * time.Millisecond)
		defer ticker.Stop()
		for n := 1; ; n++ {
			select {
			case <-stop:
				return
			case <-ticker.C:
				write(n)
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	renameSave(t, filepath.Join(root, "other.hcl"), "other")
	update := next(t, w)
	mustDo(t, update.Err)
	got := texts(update.Snapshot)
	if got["other.hcl"] != "other" || !strings.HasPrefix(got["busy.hcl"], "written") || got["loses.hcl"] != "vpc \"kept\" {}\n" {
		t.Errorf("got %v", got)
	}
}

func TestWatchErrors(t *testing.T) {
	eachMode(t, func(t *testing.T, o Options) {
		parent := t.TempDir()
		root := filepath.Join(parent, "conf", "weir")
		o.Path = root
		w := start(t, o)
		nextError(t, w, "create it, or name another path")

		writeFile(t, filepath.Join(root, "a.hcl"), "first")
		nextText(t, w, map[string]string{"a.hcl": "first"})

		mustDo(t, os.Symlink("nowhere", filepath.Join(root, "b.hcl")))
		nextError(t, w, "the link leads nowhere")
		writeFile(t, filepath.Join(root, "nowhere"), "found")
		nextText(t, w, map[string]string{"a.hcl": "first", "b.hcl": "found"})

		mustDo(t, os.Mkdir(filepath.Join(root, "x.hcl"), 0o755))
		nextError(t, w, "a directory with the name of a configuration file")
		mustDo(t, os.Remove(filepath.Join(root, "x.hcl")))
		// Nothing differs from before, but reading works again.
		nextText(t, w, map[string]string{"a.hcl": "first", "b.hcl": "found"})

		mustDo(t, os.Rename(filepath.Join(parent, "conf"), filepath.Join(parent, "elsewhere")))
		nextError(t, w, "create it, or name another path")
		writeFile(t, filepath.Join(root, "a.hcl"), "back")
		nextText(t, w, map[string]string{"a.hcl": "back"})

		mustDo(t, os.RemoveAll(root))
		writeFile(t, root, "a file in place of the directory")
		nextText(t, w, map[string]string{"weir": "a file in place of the directory"})
		mustDo(t, os.Remove(root))
		writeFile(t, filepath.Join(root, "sub/b.hcl"), "and a directory again")
		untilText(t, w, map[string]string{"sub/b.hcl": "and a directory again"})
	})
}

// An error that passes by itself is not reported: the directory is away for a moment while it is put in place.
func TestWatchShortErrorIsNotReported(t *testing.T) {
	eachMode(t, func(t *testing.T, o Options) {
		parent := makeTree(t, "conf/a.hcl", "next/a.hcl")
		o.Path = filepath.Join(parent, "conf")
		w := start(t, o)
		nextText(t, w, map[string]string{"a.hcl": "# conf/a.hcl"})
		mustDo(t, os.Rename(o.Path, filepath.Join(parent, "old")))
		mustDo(t, os.Rename(filepath.Join(parent, "next"), o.Path))
		nextText(t, w, map[string]string{"a.hcl": "# next/a.hcl"})
		renameSave(t, filepath.Join(o.Path, "a.hcl"), "watched there")
		nextText(t, w, map[string]string{"a.hcl": "watched there"})
	})
}

func TestWatchReload(t *testing.T) {
	root := makeTree(t, "a.hcl")
	w := start(t, Options{Path: root, Poll: time.Hour})
	if update := next(t, w); update.Forced {
		t.Error("the first update was not asked for")
	}
	w.Reload()
	update := next(t, w)
	if !update.Forced || update.Err != nil || len(update.Snapshot.Files) != 1 {
		t.Errorf("got %+v", update)
	}
	mustDo(t, os.Remove(root+"/a.hcl"))
	mustDo(t, os.Mkdir(root+"/a.hcl", 0o755))
	nextError(t, w, "a directory with the name")
	w.Reload()
	if update := next(t, w); !update.Forced || update.Err == nil {
		t.Errorf("got %+v, want the error again", update)
	}
}

// Someone who does not read gets the newest state when they do.
func TestWatchSlowReader(t *testing.T) {
	root := makeTree(t, "a.hcl")
	w := start(t, Options{Path: root, Poll: time.Hour})
	next(t, w)
	w.Reload()
	for n := range 20 {
		renameSave(t, filepath.Join(root, "a.hcl"), fmt.Sprintf("edit %d", n))
	}
	forced := false
	for {
		update := next(t, w)
		mustDo(t, update.Err)
		forced = forced || update.Forced
		if texts(update.Snapshot)["a.hcl"] == "edit 19" {
			break
		}
	}
	if !forced {
		t.Error("that Reload was called is lost")
	}
}

func TestWatchNoEventsToBeHad(t *testing.T) {
	var log bytes.Buffer
	root := makeTree(t, "a.hcl", "sub/b.hcl")
	w, err := NewWatcher(Options{Path: root, Blocks: blockNames, Log: slog.New(slog.NewTextHandler(&log, nil))})
	mustDo(t, err)
	events := newNotifier(w.options)
	defer events.close()
	events.add = func(string) error { return fmt.Errorf("no space left on device") }
	o := newObserver(w.options)
	for range 3 {
		o.look(time.Now(), false)
		if events.watch(o.interests()) {
			t.Error("a watch began")
		}
	}
	if lines := strings.Count(log.String(), "\n"); lines != 1 || !strings.Contains(log.String(), "poll=2s") {
		t.Errorf("logged %q, want one line", log.String())
	}
}

func TestWatchLeavesNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 10 {
		w, err := NewWatcher(Options{Path: makeTree(t, "a.hcl")})
		mustDo(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- w.Run(ctx) }()
		next(t, w)
		cancel()
		mustDo(t, <-done)
		if _, open := <-w.Updates(); open {
			t.Error("an update after the end")
		}
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines before, %d after", before, after)
	}
}
