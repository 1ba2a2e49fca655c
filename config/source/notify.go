package source

import (
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// interest is what matters of the events of a real path.
type interest struct {
	all   bool            // every name in it, or the file itself
	files bool            // the names of configuration files, and folders
	names map[string]bool // these names
}

// interests are the real paths to watch.
type interests map[string]*interest

func (i interests) at(path string) *interest {
	if i[path] == nil {
		i[path] = &interest{names: map[string]bool{}}
	}
	return i[path]
}

// one adds a name of a directory.
func (i interests) one(directory, name string) { i.at(directory).names[name] = true }

// notifier hears of events, as far as the system has any. It is not needed for anything but speed: what it misses,
// the poll sees.
type notifier struct {
	watcher *fsnotify.Watcher // nil: no events
	add     func(path string) error
	log     *slog.Logger
	poll    time.Duration
	watched map[string]fs.FileInfo // what stood at a watched path when the watch began
	wanted  interests
	warned  bool
}

func newNotifier(o Options) *notifier {
	n := &notifier{log: o.Log, poll: o.Poll, watched: map[string]fs.FileInfo{}}
	if o.DisableEvents {
		return n
	}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		n.warn(err)
		return n
	}
	n.watcher, n.add = watcher, watcher.Add
	return n
}

func (n *notifier) close() {
	if n.watcher != nil {
		_ = n.watcher.Close() // waits for its goroutine
	}
}

func (n *notifier) channel() <-chan fsnotify.Event {
	if n.watcher == nil {
		return nil
	}
	return n.watcher.Events
}

func (n *notifier) errors() <-chan error {
	if n.watcher == nil {
		return nil
	}
	return n.watcher.Errors
}

// warn says once that events do not cover everything.
func (n *notifier) warn(err error) {
	if !n.warned {
		n.warned = true
		n.log.Warn("cannot watch everything for events, so changes may be seen later", "poll", n.poll, "err", err)
	}
}

// matters tells whether an event can be about one of the files. Editors make and remove files of their own beside
// them, and what else lives in the same directory may be busy.
func (n *notifier) matters(event fsnotify.Event, o *observer) bool {
	if n.wanted[event.Name] != nil {
		return true
	}
	directory, name := n.wanted[filepath.Dir(event.Name)], filepath.Base(event.Name)
	switch {
	case directory == nil || directory.all || directory.names[name]:
		return true
	case !directory.files || hidden(name):
		return false
	case isConfiguration(name) || o.err != nil:
		return true
	}
	info, err := os.Lstat(event.Name) // a folder or a link may have come; those that went were known, so they were wanted
	return err == nil && !info.Mode().IsRegular()
}

// tell hands an event to the observer. What kind of event it is decides nothing but how long to wait. It returns
// whether a brief look is enough.
func (n *notifier) tell(o *observer, event fsnotify.Event) (brief bool) {
	gone := event.Has(fsnotify.Remove) || event.Has(fsnotify.Rename)
	// The end of a file that is watched for itself is also what a rename over it looks like.
	return o.touched(event.Name, gone && n.wanted[event.Name] == nil)
}

// watch makes the watches what is wanted, and tells whether one began.
func (n *notifier) watch(wanted interests) (began bool) {
	n.wanted = wanted
	if n.watcher == nil {
		return false
	}
	listed := map[string]bool{}
	for _, path := range n.watcher.WatchList() {
		listed[path] = true
		if _, ok := wanted[path]; !ok {
			_ = n.watcher.Remove(path) // it may be gone already
			delete(n.watched, path)
		}
	}
	for path := range wanted {
		if n.keep(path, listed[path]) {
			began = true
		}
	}
	return began
}

// keep sees to it that path is watched, and that the watch is of what stands there now.
func (n *notifier) keep(path string, listed bool) (began bool) {
	info, err := os.Stat(path)
	if err != nil {
		return false // gone since the look; the next one will see it
	}
	if before, ok := n.watched[path]; ok && listed && os.SameFile(before, info) {
		return false
	}
	if listed {
		_ = n.watcher.Remove(path)
	}
	if err := n.add(path); err != nil {
		delete(n.watched, path)
		if _, gone := os.Stat(path); gone == nil {
			n.warn(err)
		}
		return false
	}
	n.watched[path] = info
	return true
}
