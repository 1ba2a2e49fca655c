package source

import (
	"bytes"
	"path"
	"slices"
	"strings"
	"time"
)

// difference is a change of one file that waits to be taken.
type difference struct {
	name  string
	extra bool
	change
}

// decide compares how everything is with what was last taken. It returns the Update that follows, if one does, and
// when to look again, if that is needed before something happens.
func (o *observer) decide(now time.Time) (*Update, time.Time) {
	if o.err != nil {
		return o.decideError(now)
	}
	differences := o.differences(now)
	if len(differences) == 0 {
		o.first = time.Time{}
	} else if o.first.IsZero() {
		o.first = now
	}
	changes := make([]change, len(differences))
	for i, d := range differences {
		changes[i] = d.change
	}
	verdict, again := judge(changes, now.Sub(o.first))
	switch verdict {
	case wait:
		return nil, now.Add(again)
	case takeSome:
		o.first = now
		return o.accept(o.heldBack(differences)), now.Add(again)
	}
	return o.accept(nil), time.Time{}
}

// decideError reports an error that stays, once.
func (o *observer) decideError(now time.Time) (*Update, time.Time) {
	stayed := now.Sub(o.errSince)
	switch text := o.err.Error(); {
	case text == o.failed && !o.forced:
		return nil, time.Time{}
	case o.started && !o.forced && stayed < quietLosing:
		return nil, o.errSince.Add(quietLosing)
	default:
		o.started, o.failed = true, text
	}
	update := &Update{Err: o.err, Forced: o.forced}
	o.forced, o.first = false, time.Time{}
	return update, time.Time{}
}

// differences lists the files that are not as they were taken.
func (o *observer) differences(now time.Time) []difference {
	var differences []difference
	for name := range o.changed {
		i, t := o.items[name], o.before(name)
		switch {
		case i == nil:
			delete(o.changed, name)
			continue
		case i.known && i.absent == t.absent && i.sum == t.sum:
			o.files[name] = i.take()
			delete(o.changed, name)
			continue
		}
		c := change{quiet: now.Sub(i.since)}
		c.whole = i.known && i.replaced(t) || i.absent && o.swapped(path.Dir(name))
		c.loses = !c.whole && o.loses(name, i, t) // of what came all at once it does not matter
		differences = append(differences, difference{name: name, change: c.unread(i)})
	}
	o.extraWaits = false
	for absolute, i := range o.extra {
		t := o.extras[absolute]
		if i.known && i.absent == t.absent && i.sum == t.sum {
			i.vanished = false
			continue
		}
		o.extraWaits = true
		c := change{quiet: now.Sub(i.since), loses: i.absent, whole: i.known && i.replaced(t)}
		differences = append(differences, difference{name: absolute, extra: true, change: c.unread(i)})
	}
	return differences
}

// unread makes a change wait whose content is not known: there is nothing to take yet.
func (c change) unread(i *item) change {
	if !i.known {
		c.whole, c.quiet = false, min(c.quiet, quietWriting-time.Millisecond)
	}
	return c
}

// before is how a file was when it was last taken.
func (o *observer) before(name string) taken {
	if t, ok := o.files[name]; ok {
		return t
	}
	return taken{absent: true}
}

// loses tells whether taking i in place of t would make blocks disappear. A block that moved to another file has not.
func (o *observer) loses(name string, i *item, t taken) bool {
	if o.options.Blocks == nil {
		return len(i.text) < len(t.text)
	}
	lost := map[string]bool{}
	before, after := apart(name, t.text, i.text)
	for _, id := range o.options.Blocks(name, before) {
		lost[id] = true
	}
	if len(lost) > 0 {
		without(lost, o.options.Blocks(name, after))
	}
	// What is said to be lost is rare, and worth a look at everything.
	for other, elsewhere := range o.items {
		if len(lost) == 0 {
			return false
		}
		without(lost, elsewhere.blocksBy(other, o.options.Blocks))
	}
	return len(lost) > 0
}

// without takes ids out of a set.
func without(set map[string]bool, ids []string) {
	for _, id := range ids {
		delete(set, id)
	}
}

// blockEnd is where a block ends in a file that was formatted.
var blockEnd = []byte("\n}\n")

// apart is what differs of two texts, up to the next end of a block on either side: what the rest holds, both hold. JSON
// has no such ends.
func apart(name string, before, after []byte) (was, is []byte) {
	if strings.HasSuffix(name, ".json") {
		return before, after
	}
	start := commonPrefix(before, after)
	if start = bytes.LastIndex(before[:start], blockEnd); start >= 0 {
		start += len(blockEnd)
	}
	start = max(start, 0)
	was, is = before[start:], after[start:]
	tail := was[len(was)-commonSuffix(was, is):]
	if end := bytes.Index(tail, blockEnd); end >= 0 {
		same := len(tail) - end - len(blockEnd)
		return was[:len(was)-same], is[:len(is)-same]
	}
	return was, is
}

// commonPrefix is the number of bytes with which both texts start.
func commonPrefix(a, b []byte) int {
	n, at := min(len(a), len(b)), 0
	for at+stride <= n && bytes.Equal(a[at:at+stride], b[at:at+stride]) {
		at += stride
	}
	for at < n && a[at] == b[at] {
		at++
	}
	return at
}

// commonSuffix is the number of bytes with which both texts end.
func commonSuffix(a, b []byte) int {
	n, at := min(len(a), len(b)), 0
	for at+stride <= n && bytes.Equal(a[len(a)-at-stride:len(a)-at], b[len(b)-at-stride:len(b)-at]) {
		at += stride
	}
	for at < n && a[len(a)-1-at] == b[len(b)-1-at] {
		at++
	}
	return at
}

// stride is how much is compared at once.
const stride = 1 << 14

// swapped tells whether a link was turned so that another directory stands where the one with this name stood: what it
// lacks was not removed piece by piece.
func (o *observer) swapped(name string) bool {
	before, known := o.dirs[name]
	for _, dir := range o.tree.dirs {
		if dir.name == name {
			return known && dir.real != before.real
		}
	}
	return name != "." && o.swapped(path.Dir(name))
}

// heldBack are the files that stay as they were taken although something else is taken: they have not settled, and
// would lose blocks. What has not been read cannot be taken either.
func (o *observer) heldBack(differences []difference) map[string]bool {
	held := map[string]bool{}
	for _, d := range differences {
		i := o.items[d.name]
		if d.extra {
			i = o.extra[d.name]
		}
		if d.wait() > 0 && (d.loses || !i.known) {
			held[d.name] = true
		}
	}
	return held
}

// accept takes everything but what is held back, and returns the Update about it, or nil where nothing is new.
func (o *observer) accept(held map[string]bool) *Update {
	var changed []string
	for name := range o.changed {
		if held[name] {
			continue
		}
		changed = append(changed, name)
		delete(o.changed, name)
		if i := o.items[name]; i.absent {
			delete(o.items, name)
			delete(o.files, name)
		} else {
			o.files[name] = i.take()
		}
	}
	news := o.acceptAlso(held) || len(changed) > 0 || o.forced || o.failed != "" || o.snapshot == nil
	o.dirs = map[string]found{}
	for _, dir := range o.tree.dirs {
		o.dirs[dir.name] = dir
	}
	if !news {
		return nil
	}
	update := &Update{Snapshot: o.assemble(changed), Forced: o.forced}
	o.started, o.snapshot, o.failed, o.forced = true, update.Snapshot, "", false
	return update
}

// acceptAlso takes the further files, and tells whether one of them changed.
func (o *observer) acceptAlso(held map[string]bool) (changed bool) {
	for absolute, i := range o.extra {
		if t := o.extras[absolute]; !held[absolute] {
			changed = changed || i.absent != t.absent || i.sum != t.sum
			o.extras[absolute] = i.take()
		}
	}
	return changed
}

// assemble makes a Snapshot of what is taken, out of the last one where only the text of these files changed.
func (o *observer) assemble(changed []string) *Snapshot {
	snapshot := &Snapshot{Root: o.tree.root, Single: o.tree.single}
	if o.snapshot != nil {
		snapshot.Files = slices.Clone(o.snapshot.Files)
	}
	for _, name := range changed {
		t, stays := o.files[name]
		at, was := slices.BinarySearchFunc(snapshot.Files, name, func(f File, name string) int {
			return strings.Compare(f.Name, name)
		})
		if !stays || !was {
			snapshot.Files = o.assembleAll()
			break
		}
		snapshot.Files[at] = File{Name: name, Path: t.found.path, Bytes: t.text}
	}
	return snapshot
}

func (o *observer) assembleAll() []File {
	files := make([]File, 0, len(o.files))
	for name, t := range o.files {
		files = append(files, File{Name: name, Path: t.found.path, Bytes: t.text})
	}
	slices.SortFunc(files, func(f, g File) int { return strings.Compare(f.Name, g.Name) })
	return files
}
