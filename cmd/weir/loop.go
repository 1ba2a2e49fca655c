package main

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirproxy/weir/admin"
	"github.com/weirproxy/weir/config/source"
	"github.com/weirproxy/weir/xds"
)

// How long an attempt waits for the connected Envoys to accept what was published, and how often it looks. An Envoy
// that warms a cluster answers late, and what waits for the cluster is sent after three seconds; then the attempt is
// applied, and a refusal that still comes is reported by itself.
const (
	settleWithin = 4 * time.Second
	settleEvery  = 5 * time.Millisecond
)

// clockEvery is how often the loop looks at the clock, which may jump: certificates expire without an event.
const clockEvery = 5 * time.Second

// largeLoad is how long a load takes that leaves so much garbage that the memory is given back at once: a load from scratch
// of thousands of upstreams. An edit never takes that long.
const largeLoad = 500 * time.Millisecond

// loop is where the files, the model, the resources and the Envoys meet. Its one goroutine owns everything here;
// others ask through channels and read the two snapshots that it hands out.
type loop struct {
	loader   loader
	log      *slog.Logger
	metrics  *admin.Metrics
	watcher  *source.Watcher
	server   *xds.Server
	fleet    *fleet  // nil: somebody else starts the Envoys
	keeper   *keeper // nil: nothing is kept on disk
	reloads  chan chan<- *admin.Attempt
	refusals *refusalQueue
	stopped  chan struct{} // closed when run has ended

	state     atomic.Pointer[admin.State] // never nil; changes when an attempt has ended
	published atomic.Pointer[publication] // never nil; changes when something is published

	files   *source.Snapshot        // that were taken last; nil: they could not be read
	asked   bool                    // the watcher was told to reload, and that update has not come yet
	waiting []chan<- *admin.Attempt // asked for the update that is due
	later   []chan<- *admin.Attempt // asked after that: the update may have been read before

	pending   *attempt              // published, and not yet answered by all Envoys
	restoring sync.Once             // at the first load that fails, and never again
	kept      string                // the generation that was handed to the keeper last
	before    *publication          // what was published before the last good load
	undone    *publication          // the last one of which something was withdrawn
	accepted  map[string]*xds.Set   // by instance: what its Envoys took last, to go back to
	sent      map[string][]string   // by instance: hashes of what was published since, the newest last
	withdrawn map[string]withdrawal // by instance: what its Envoys refused, and what serves no more
}

// attempt is one attempt to load, until it has ended.
type attempt struct {
	admin.Attempt
	forced   bool                 // somebody asked for it
	first    first                // the first mistake, for the log
	loaded   *publication         // nil unless the files are good
	since    time.Time            // of the publication that Envoys have to answer
	changed  map[string]bool      // the instances whose Envoys have to
	refusals []string             // what was refused, in words, each once
	again    map[string]time.Time // when Envoys of an instance were asked to try once more what they refused
	withdrew bool                 // what served before was published again
	waiting  []chan<- *admin.Attempt
}

// run is the loop. It ends with ctx. Each value of hangup has the files loaded now.
func (l *loop) run(ctx context.Context, hangup <-chan struct{}) {
	defer close(l.stopped)
	ticker := time.NewTicker(settleEvery)
	defer ticker.Stop()
	clock := time.NewTicker(clockEvery)
	defer clock.Stop()
	updates := l.watcher.Updates()
	for {
		var tick <-chan time.Time
		if l.pending != nil {
			tick = ticker.C
		}
		select {
		case <-ctx.Done():
			l.hurry()
			return
		case update, ok := <-updates:
			if !ok {
				updates = nil // the watcher has stopped, and so shall we
				break
			}
			l.take(update)
		case <-hangup:
			l.ask()
		case reply := <-l.reloads:
			l.ask(reply)
		case <-l.refusals.ready:
			for _, r := range l.refusals.take() {
				l.refused(r)
			}
		case <-tick:
			l.settle()
		case now := <-clock.C:
			if l.files != nil && l.loader.outlived(now) {
				l.take(source.Update{Snapshot: l.files})
			}
		}
	}
}

// ask has the files loaded now, for those who wait for the outcome.
func (l *loop) ask(replies ...chan<- *admin.Attempt) {
	if l.asked {
		l.later = append(l.later, replies...)
		return
	}
	l.asked, l.waiting = true, replies
	l.watcher.Reload()
}

// reload asks the loop for an attempt and waits for its end.
func (l *loop) reload(ctx context.Context) (*admin.Attempt, error) {
	reply := make(chan *admin.Attempt, 1) // the loop never waits for us
	select {
	case l.reloads <- reply:
	case <-l.stopped:
		return nil, admin.ErrStopping
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case a := <-reply:
		return a, nil
	case <-l.stopped:
		return nil, admin.ErrStopping
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// take makes an update into one attempt.
func (l *loop) take(u source.Update) {
	l.hurry()
	began := time.Now() // UTC drops the monotonic reading
	a := &attempt{Attempt: admin.Attempt{At: began.UTC(), Diagnostics: noDiagnostics}}
	a.forced = u.Forced
	if u.Forced { // any other may have been on its way before those who wait asked
		later := l.later
		a.waiting, l.asked, l.waiting, l.later = l.waiting, false, nil, nil
		if len(later) > 0 {
			l.ask(later...)
		}
	}
	l.files = u.Snapshot
	outcome := l.loader.load(u, a)
	l.watcher.Also(l.loader.read)
	a.Took = admin.Duration(time.Since(began))
	l.metrics.Loaded(time.Duration(a.Took))
	if outcome != admin.Applied {
		l.restore()
		l.end(a, outcome)
		return
	}
	l.publish(a)
}

// end gives an attempt its outcome: one log line, one count, one state, and an answer to those who asked.
func (l *loop) end(a *attempt, outcome admin.Outcome) {
	if l.pending == a {
		l.pending = nil
	}
	a.Outcome = outcome
	if p := l.published.Load(); l.keeper != nil && outcome.Good() && p.generation != l.kept {
		l.kept = p.generation
		l.keeper.keep(p)
	}
	l.show(&a.Attempt)
	l.metrics.Attempted(&a.Attempt)
	l.logEnd(a)
	for _, reply := range a.waiting {
		reply <- &a.Attempt
	}
	if time.Duration(a.Took) > largeLoad {
		debug.FreeOSMemory()
	}
}

// restore publishes what was kept, where weir starts with files that cannot be loaded. Envoys that are running have it
// already, and new ones serve.
func (l *loop) restore() {
	if l.keeper == nil || l.published.Load().generation != "" {
		return
	}
	l.restoring.Do(func() {
		p, err := l.keeper.restore()
		switch {
		case err != nil:
			l.log.Error("the state directory holds nothing that can be served", "file", l.keeper.file, "err", err)
		case p == nil:
			l.log.Warn("the files cannot be loaded, and nothing was kept", "file", l.keeper.file)
		default:
			l.log.Error("the files cannot be loaded: the generation that was kept serves until they can",
				"generation", p.generation, "loaded_at", p.at.Format(time.RFC3339), "file", l.keeper.file)
			l.kept = p.generation
			l.send(p)
		}
	})
}

// show brings the state up to what is published, with the last attempt.
func (l *loop) show(last *admin.Attempt) {
	next := *l.state.Load()
	p := l.published.Load()
	next.Configuration, next.Generation, next.LoadedAt, next.LastAttempt = p.configuration, p.generation, p.at, last
	next.Mask, next.Restored = p.mask, nil
	if p.restored {
		next.Configuration, next.Restored = nil, &admin.Restored{LoadedAt: p.at, Instances: sortedNames(p.sets)}
	}
	next.Withdrawn = map[string]string{}
	for name, w := range l.withdrawn {
		next.Withdrawn[name] = w.text
	}
	l.state.Store(&next)
}

func (l *loop) logEnd(a *attempt) {
	attrs := []any{"outcome", a.Outcome, "took", time.Duration(a.Took).Round(10 * time.Microsecond).String()}
	if a.Generation != "" {
		attrs = append(attrs, "generation", a.Generation)
	}
	if l.loader.logsDiagnostics && a.Report != "" {
		attrs = append(attrs, "diagnostics", a.Diagnostics)
	}
	instead := "; the last good one serves on"
	switch p := l.published.Load(); {
	case p.generation == "":
		instead = "; nothing is served yet"
	case p.restored:
		instead = "; what was kept in the state directory serves"
	}
	switch a.Outcome {
	case admin.Applied, admin.Unchanged:
		l.log.Info("configuration "+string(a.Outcome), attrs...)
	case admin.Invalid:
		attrs = append(attrs, "errors", a.first.errors)
		if !a.first.place.IsZero() {
			attrs = append(attrs, "file", a.first.place.File(), "line", a.first.place.Line())
		}
		attrs = append(attrs, "err", a.first.text)
		l.log.Error("configuration invalid"+instead, attrs...)
	case admin.Refused:
		l.log.Error("configuration refused by an Envoy; mend it, or remove the cause and run weir reload", append(attrs, "err", a.Error)...)
	case admin.Failed:
		l.log.Error("configuration failed"+instead, append(attrs, "err", a.Error)...)
	}
}
