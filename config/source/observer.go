package source

import (
	"errors"
	"os"
	"path"
	"sort"
	"time"
)

// thorough is how many looks of the poll pass between two that read every file again.
const thorough = 30

// observer knows how the files look now and how they were when they were last taken.
type observer struct {
	options Options

	tree     tree
	items    map[string]*item  // of the configuration, by name
	byPath   map[string]string // their names, by where they stand and by what they lead to
	changed  map[string]bool   // names of those that may differ from what was taken
	extra    map[string]*item  // further files, by absolute path
	err      error             // why the configuration cannot be read now
	errSince time.Time
	walks    int

	started    bool // something was taken, or failed
	files      map[string]taken
	dirs       map[string]found // folders as they were
	extras     map[string]taken
	extraWaits bool      // one of them differs
	snapshot   *Snapshot // nil until the first good read
	failed     string    // the error of the last Update
	forced     bool      // Reload waits for an answer
	first      time.Time // when the oldest change that waits was seen; zero: none does
	delivered  time.Time // when the last Update was received
	polls      int
}

func newObserver(o Options) *observer {
	return &observer{
		options: o,
		items:   map[string]*item{}, extra: map[string]*item{}, changed: map[string]bool{},
		files: map[string]taken{}, dirs: map[string]found{}, extras: map[string]taken{},
	}
}

// distrust makes the next look read everything again.
func (o *observer) distrust() {
	for name, i := range o.items {
		o.forget(name, i)
	}
	for _, i := range o.extra {
		i.known = i.absent
	}
}

// forget makes the next look read a file again.
func (o *observer) forget(name string, i *item) {
	if !i.absent {
		i.known, o.changed[name] = false, true
	}
}

// force makes the next decision an Update, whatever it finds.
func (o *observer) force() {
	o.forced = true
	o.distrust()
}

// touched says that something happened at a real path; gone, that the name was taken away from what it was. It
// returns whether a brief look will see what: it was a plain file, and may be one still.
func (o *observer) touched(real string, gone bool) (brief bool) {
	for _, i := range o.extra {
		if i.found.at == real || i.found.real == real {
			i.known = i.absent
			i.vanished = i.vanished || gone && i.found.at == real
			o.extraWaits = true
		}
	}
	name, ok := o.byPath[real]
	if !ok {
		return false
	}
	i := o.items[name]
	o.forget(name, i)
	i.vanished = i.vanished || gone && i.found.at == real
	return !gone
}

// look finds out how everything is now. A brief look is at the files only of which something is known to have
// changed: in a large configuration, looking at all of them takes longer than everything that follows.
func (o *observer) look(now time.Time, brief bool) (wasBrief bool) {
	if brief && o.lookBriefly(now) {
		return true
	}
	tree, err := walk(o.options.Path)
	o.tree = tree
	if err == nil {
		o.see(now)
		err = o.read(now)
	}
	o.lookAlso(now)
	o.fail(err, now)
	return false
}

// fail keeps why the configuration cannot be read, and since when.
func (o *observer) fail(err error, now time.Time) {
	if err == nil || o.err == nil || err.Error() != o.err.Error() {
		o.errSince = now
	}
	o.err = err
}

// lookBriefly looks at the changed files, and gives up where more may have changed than files.
func (o *observer) lookBriefly(now time.Time) bool {
	if o.err != nil || o.tree.single || o.extraWaits {
		return false
	}
	for name := range o.changed {
		i := o.items[name]
		if i == nil || i.absent || i.found.at != i.found.real {
			return false
		}
		info, err := os.Lstat(i.found.path)
		if err != nil || !info.Mode().IsRegular() {
			return false
		}
		f := i.found
		f.info = info
		i.is(f, now)
	}
	o.fail(o.read(now), now)
	return true
}

// doubt forgets what size and time do not vouch for.
func (o *observer) doubt() {
	o.polls++
	all := o.polls%thorough == 0
	for name, i := range o.items {
		if all || i.doubtful() {
			o.forget(name, i)
		}
	}
	for _, i := range o.extra {
		i.known = i.absent || i.known && !all && !i.doubtful()
	}
}

// see updates the items of the configuration by the tree.
func (o *observer) see(now time.Time) {
	o.walks++
	o.byPath = make(map[string]string, len(o.tree.files))
	for _, f := range o.tree.files {
		o.byPath[f.at], o.byPath[f.real] = f.name, f.name
		i, ok := o.items[f.name]
		if !ok {
			i = &item{found: f, since: o.firstSeen(f, now)}
			o.items[f.name] = i
		}
		i.walk = o.walks
		if i.is(f, now); !i.known {
			o.changed[f.name] = true
		}
	}
	for name, i := range o.items {
		if i.walk == o.walks {
			continue
		}
		o.changed[name] = true
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
	names := make([]string, 0, len(o.changed))
	for name := range o.changed {
		names = append(names, name)
	}
	sort.Strings(names) // an error that stays is always in the same words
	var errs []error
	for _, name := range names {
		if i := o.items[name]; i != nil && !i.known && !o.busy(name, i, now) {
			if err := o.readItem(i, now); err != nil {
				errs = append(errs, err)
			}
		}
	}
	return together(errs)
}

func (o *observer) readItem(i *item, now time.Time) error {
	read, err := readStable(i.found.path)
	switch {
	case errors.Is(err, errChanging) || missing(err):
		i.since = now // the next look tells
		return nil
	case err != nil:
		return err
	}
	sum := sumOf(read.data)
	if i.text != nil && i.sum == sum {
		read.data = i.text // one copy is enough
	}
	i.learn(sum, read.data, read.closed, now)
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

// interests are the paths whose events tell of a change.
func (o *observer) interests() interests {
	wanted := interests{}
	for _, dir := range o.tree.dirs {
		wanted.at(dir.real).files = true
	}
	wanted.path(o.options.Path)
	for _, f := range o.tree.files {
		if o.tree.single {
			wanted.at(f.real).all = true // a bind-mounted file sends events itself, its directory does not
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
			wanted.at(i.found.real).all = true
		}
	}
	return wanted
}
