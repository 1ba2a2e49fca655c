package main

import (
	"context"
	"fmt"
	"time"
)

// restBetween is how long is waited between edits, so that each is measured alone: people do not save twice in a twentieth
// of a second. What took longer rests longer, up to restAtMost more.
const (
	restBetween = 60 * time.Millisecond
	restAtMost  = 400 * time.Millisecond
)

// fewestEdits are made even where they take longer than the budget.
const fewestEdits = 5

// measureEdits makes every kind of edit many times.
func (b *bench) measureEdits(ctx context.Context, what string, p plane, l layout, m *measured, ask *probe) error {
	m.edits = map[string]series{}
	for _, e := range edits {
		if _, ok := p.(*envoyFiles); ok && e.to.added {
			continue // its files hold one cluster
		}
		b.say("%s: edits, %s", what, e.name)
		s, err := b.measureKind(ctx, p, l, e, ask)
		if err != nil {
			return fmt.Errorf("%s: edit of a %s: %w", what, e.name, err)
		}
		m.edits[e.name] = s
	}
	return nil
}

// measureKind makes edits of one kind, there and back, until there are enough.
func (b *bench) measureKind(ctx context.Context, p plane, l layout, e edit, ask *probe) (series, error) {
	var all []once
	enough := func(began time.Time) bool {
		return len(all) >= b.edits || time.Since(began) > b.budget && len(all) >= fewestEdits
	}
	odd := 0
	for began := time.Now(); !enough(began); {
		for _, s := range []state{e.to, {}} {
			o, err := b.editOnce(ctx, p, l.sign(e, s), s, ask)
			if err != nil {
				return series{}, err
			}
			odd += o.odd
			if s == e.to || e.back {
				all = append(all, o)
			}
		}
	}
	var took []time.Duration
	var down, up []float64
	for _, o := range all {
		took, down, up = append(took, o.took), append(down, o.down), append(up, o.up)
	}
	s := seriesOf(took)
	s.Down, s.Up, s.Odd = quantile(down, 0.5), quantile(up, 0.5), odd
	return s, nil
}

// once is one edit.
type once struct {
	took     time.Duration // from handing it over to the first answer that shows it
	down, up float64       // bytes on the stream, to Envoy and from it
	odd      int           // answers that belong neither before nor after it
}

func (b *bench) editOnce(ctx context.Context, p plane, sign question, s state, ask *probe) (o once, err error) {
	handOver, err := p.prepare(s)
	if err != nil {
		return o, err
	}
	var down, up int64
	c := p.counted()
	if c != nil {
		down, up = c.down.Load(), c.up.Load()
	}
	handed := make(chan error, 1)
	began := time.Now()
	go func() { handed <- handOver() }()
	o.odd, err = ask.until(ctx, sign)
	o.took = time.Since(began)
	if failed := <-handed; failed != nil {
		err = failed
	}
	if err == nil {
		err = pause(ctx, restBetween+min(o.took, restAtMost))
	}
	if c != nil {
		o.down, o.up = float64(c.down.Load()-down), float64(c.up.Load()-up)
	}
	return o, err
}
