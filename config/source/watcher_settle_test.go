package source

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

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
	// A busy machine may hold up the writer until its files have settled: the longest pause between two writes, and when the
	// last one ended, since the pause that counts may last yet.
	var longest atomic.Int64
	var last atomic.Pointer[time.Time]
	wrote := func() { now := time.Now(); last.Store(&now) }
	write := func(n int) {
		_ = os.WriteFile(filepath.Join(root, "busy.hcl"), fmt.Appendf(nil, "written %d times", n), 0o600)
		_ = os.WriteFile(loses, fmt.Appendf(nil, "# written %d times", n), 0o600)
	}
	write(0)
	wrote()
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
			longest.Store(max(longest.Load(), int64(time.Since(*last.Load()))))
			wrote()
		}
	}()
	defer func() { close(stop); <-stopped }()
	renameSave(t, filepath.Join(root, "other.hcl"), "other")
	for busy, other := "", ""; !strings.HasPrefix(busy, "written") || other != "other"; {
		update := next(t, w)
		pause := max(time.Duration(longest.Load()), time.Since(*last.Load()))
		mustDo(t, update.Err)
		got := texts(update.Snapshot)
		busy, other = got["busy.hcl"], got["other.hcl"]
		if got["loses.hcl"] != "vpc \"kept\" {}\n" && pause < quietLosing/2 {
			t.Fatalf("got %v, though nothing stood still for longer than %v", got, pause)
		}
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
		throughErrors(t, w, map[string]string{"weir": "a file in place of the directory"})
		mustDo(t, os.Remove(root))
		writeFile(t, filepath.Join(root, "sub/b.hcl"), "and a directory again")
		throughErrors(t, w, map[string]string{"sub/b.hcl": "and a directory again"})
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
	// A goroutine that has sent its last value may still be on its way out; one that is left over stays.
	deadline := time.Now().Add(5 * time.Second)
	for after := runtime.NumGoroutine(); after > before; after = runtime.NumGoroutine() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines before, %d after", before, after)
		}
		runtime.Gosched()
	}
}
