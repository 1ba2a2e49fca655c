package source

import (
	"crypto/sha256"
	"errors"
	"path"
	"path/filepath"
	"time"
)

// thorough is how many looks of the poll pass between two that read every file again.
const thorough = 30

// observer knows how the files look now and how they were when they were last taken.
type observer struct {
	options Options

	tree     tree
	items    map[string]*item // of the configuration, by name
	extra    map[string]*item // further files, by absolute path
	err      error            // why the configuration cannot be read now
	errSince time.Time

	started   bool // something was taken, or failed
	files     map[string]taken
	dirs      map[string]found // folders as they were
	extras    map[string]taken
	snapshot  *Snapshot // nil until the first good read
	failed    string    // the error of the last Update
	forced    bool      // Reload waits for an answer
	first     time.Time // when the oldest change that waits was seen; zero: none does
	delivered time.Time // when the last Update was received
	polls     int
}

func newObserver(o Options) *observer {
	return &observer{
		options: o,
		items:   map[string]*item{}, extra: map[string]*item{},
		files: map[string]taken{}, dirs: map[string]found{}, extras: map[string]taken{},
	}
}

// distrust makes the next look read everything again.
func (o *observer) distrust() {
	for _, group := range []map[string]*item{o.items, o.extra} {
		for _, i := range group {
			i.known = i.absent
		}
	}
}

// force makes the next decision an Update, whatever it finds.
func (o *observer) force() {
	o.forced = true
	o.distrust()
}

// touched says that something happened to the file at a real path; gone, that its name was taken away from it.
func (o *observer) touched(real string, gone bool) {
	for _, group := range []map[string]*item{o.items, o.extra} {
		for _, i := range group {
			if i.absent || i.found.at != real && i.found.real != real {
				continue
			}
			i.known = false
			i.vanished = i.vanished || gone && i.found.at == real
		}
	}
}

// look finds out how everything is now.
func (o *observer) look(now time.Time, poll bool) {
	if poll {
		o.doubt()
	}
	tree, err := walk(o.options.Path)
	o.tree = tree
	if err == nil {
		o.see(now)
		err = o.read(now)
	}
	o.lookAlso(now)
	if err == nil || o.err == nil || err.Error() != o.err.Error() {
		o.errSince = now
	}
	o.err = err
}

// doubt forgets what size and time do not vouch for.
func (o *observer) doubt() {
	o.polls++
	for _, group := range []map[string]*item{o.items, o.extra} {
		for _, i := range group {
			if o.polls%thorough == 0 || i.doubtful() {
				i.known = i.absent
			}
		}
	}
}

// see updates the items of the configuration by the tree.
func (o *observer) see(now time.Time) {
	present := make(map[string]bool, len(o.tree.files))
	for _, f := range o.tree.files {
		present[f.name] = true
		if i, ok := o.items[f.name]; ok {
			i.is(f, now)
			continue
		}
		o.items[f.name] = &item{found: f, since: o.firstSeen(f, now)}
	}
	for name, i := range o.items {
		if present[name] {
			continue
		}
		if _, ok := o.files[name]; ok {
			i.gone(now)
		} else {
			delete(o.items, name)
		}
	}
}

// firstSeen is since when a new file looks as it does. When watching begins nothing is known but its time.
func (o *observer) firstSeen(f found, now time.Time) time.Time {
	if changed := changeTime(f.info); !o.started && changed.Before(now) {
		return changed
	}
	return now
}

// read reads the files whose content is not known, except those that are being written right now.
func (o *observer) read(now time.Time) error {
	for _, f := range o.tree.files { // in their order: of several errors it is always the same that is reported
		name, i := f.name, o.items[f.name]
		if i.known || o.busy(name, i, now) {
			continue
		}
		read, err := readStable(i.found.path)
		switch {
		case errors.Is(err, errChanging) || missing(err):
			i.since = now // the next look tells
			continue
		case err != nil:
			return err
		}
		sum := sha256.Sum256(read.data)
		if !i.known && i.sum == sum && i.text != nil {
			read.data = i.text // keep one copy
		} else if o.options.Blocks != nil {
			i.blocks = o.options.Blocks(name, read.data)
		}
		i.learn(sum, read.data, read.closed, now)
	}
	return nil
}

// busy tells whether a file has just been written in place: it will be read when it stands still.
func (o *observer) busy(name string, i *item, now time.Time) bool {
	if !o.first.IsZero() && now.Sub(o.first) >= longestWait {
		return false
	}
	t, ok := o.files[name]
	return ok && !t.absent && i.found.same(t.found) && !i.found.unchanged(t.found) && now.Sub(i.since) < quietWriting
}

// watchAlso replaces the set of further files.
func (o *observer) watchAlso(paths []string) {
	now := time.Now()
	extra, extras := map[string]*item{}, map[string]taken{}
	for _, p := range paths {
		absolute, err := filepath.Abs(p)
		if err != nil {
			continue // the working directory is gone; weir itself makes the paths absolute
		}
		if i, ok := o.extra[absolute]; ok {
			extra[absolute], extras[absolute] = i, o.extras[absolute]
			continue
		}
		i := &item{absent: true, known: true, since: now}
		extra[absolute] = i
		o.seeAlso(absolute, i, now)
		t := i.take()
		if !i.absent && i.found.info != nil && !o.delivered.IsZero() && changeTime(i.found.info).After(o.delivered.Add(-tick)) {
			t.sum = digest{} // it may have changed since it was read: equal to nothing
		}
		extras[absolute] = t
	}
	o.extra, o.extras = extra, extras
}

// tick is how far a file's time may lie behind the clock.
const tick = 20 * time.Millisecond

func (o *observer) lookAlso(now time.Time) {
	for absolute, i := range o.extra {
		o.seeAlso(absolute, i, now)
	}
}

// seeAlso finds out how one further file is now.
func (o *observer) seeAlso(absolute string, i *item, now time.Time) {
	f, err := look(absolute, absolute)
	switch {
	case missing(err):
		i.gone(now)
		return
	case err != nil:
		i.fail(err, now)
		return
	}
	i.is(f, now)
	if i.known && !f.info.IsDir() {
		return
	}
	sum, closed := content(f)
	i.learn(sum, nil, closed, now)
}

// interests are the paths whose events tell of a change.
func (o *observer) interests() interests {
	wanted := interests{}
	for _, dir := range o.tree.dirs {
		wanted.all(dir.real)
	}
	wanted.path(o.options.Path)
	for _, f := range o.tree.files {
		if o.tree.single {
			wanted.all(f.real) // a bind-mounted file sends events itself, its directory does not
		}
		if f.path != f.real {
			wanted.path(f.path)
		}
	}
	for _, dir := range o.tree.dirs {
		if path.Base(dir.name) != "." && dir.at != dir.real {
			wanted.path(dir.path)
		}
	}
	for absolute, i := range o.extra {
		wanted.path(absolute)
		if !i.absent && i.found.info != nil {
			wanted.all(i.found.real)
		}
	}
	return wanted
}
