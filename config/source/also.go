package source

import (
	"path/filepath"
	"time"
)

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
