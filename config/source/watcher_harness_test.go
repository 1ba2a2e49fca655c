package source

import (
	"context"
	"regexp"
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

// throughErrors takes updates until one holds these texts. What is away for a moment may be missed, on a busy machine.
func throughErrors(t *testing.T, w *Watcher, want map[string]string) {
	t.Helper()
	for {
		if update := next(t, w); update.Err == nil && cmp.Equal(want, texts(update.Snapshot)) {
			return
		}
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
