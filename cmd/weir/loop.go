package main

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/weirproxy/weir/admin"
	"github.com/weirproxy/weir/config/source"
	"github.com/weirproxy/weir/model"
	"github.com/weirproxy/weir/translate"
	"github.com/weirproxy/weir/xds"
)

// How long an attempt waits for the connected Envoys to accept what was published, and how often it looks. An Envoy
// that warms a cluster answers late, and what waits for the cluster is sent after three seconds; then the attempt is
// applied, and a refusal that still comes is reported by itself.
const (
	settleWithin = 4 * time.Second
	settleEvery  = 5 * time.Millisecond
)

// loop is where the files, the model, the resources and the Envoys meet. Its one goroutine owns everything here;
// others ask through channels and read the two snapshots that it hands out.
type loop struct {
	loader   loader
	log      *slog.Logger
	metrics  *admin.Metrics
	watcher  *source.Watcher
	server   *xds.Server
	fleet    *fleet // nil: somebody else starts the Envoys
	reloads  chan chan<- *admin.Attempt
	refusals *refusalQueue
	stopped  chan struct{} // closed when run has ended

	state     atomic.Pointer[admin.State] // never nil; changes when an attempt has ended
	published atomic.Pointer[publication] // never nil; changes when something is published

	asked    bool                    // the watcher was told to reload, and that update has not come yet
	waiting  []chan<- *admin.Attempt // asked for the update that is due
	later    []chan<- *admin.Attempt // asked after that: the update may have been read before
	pending  *attempt                // published, and not yet answered by all Envoys
	rejected string                  // Envoy's refusal of the published generation, or empty
}

// publication is one good load: what serves, and all that is needed to say which block Envoy's words are about.
type publication struct {
	generation    string // empty before the first good load
	configuration *model.Configuration
	resources     map[string][]translate.Resource // by instance
	sets          map[string]*xds.Snapshot        // by instance
}

// attempt is one attempt to load, until it has ended.
type attempt struct {
	admin.Attempt
	first   first                   // the first mistake, for the log
	loaded  *publication            // nil unless the files are good
	since   time.Time               // of the publication
	changed map[string]bool         // instances whose resources are not what they were
	waiting []chan<- *admin.Attempt // who asked for it
}

// run is the loop. It ends with ctx. Each value of hangup has the files loaded now.
func (l *loop) run(ctx context.Context, hangup <-chan struct{}) {
	defer close(l.stopped)
	ticker := time.NewTicker(settleEvery)
	defer ticker.Stop()
	updates := l.watcher.Updates()
	for {
		var tick <-chan time.Time
		if l.pending != nil {
			tick = ticker.C
		}
		select {
		case <-ctx.Done():
			if l.pending != nil {
				l.end(l.pending, admin.Applied)
			}
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

// take makes an update into one attempt. An attempt that is still pending was not refused until now.
func (l *loop) take(u source.Update) {
	if l.pending != nil {
		l.end(l.pending, admin.Applied)
	}
	a := &attempt{Attempt: admin.Attempt{At: time.Now().UTC(), Diagnostics: noDiagnostics}}
	if u.Forced { // any other may have been on its way before those who wait asked
		later := l.later
		a.waiting, l.asked, l.waiting, l.later = l.waiting, false, nil, nil
		if len(later) > 0 {
			l.ask(later...)
		}
	}
	outcome := l.loader.load(u, a)
	l.watcher.Also(l.loader.read)
	a.Took = admin.Duration(time.Since(a.At))
	l.metrics.Loaded(time.Duration(a.Took))
	if outcome != admin.Applied {
		l.end(a, outcome)
		return
	}
	l.publish(a)
}

// publish hands a good load to the Envoys, unless it is what they have.
func (l *loop) publish(a *attempt) {
	before := l.published.Load()
	l.published.Store(a.loaded) // also when unchanged: positions are those of the text as it is now
	if a.loaded.generation == before.generation {
		outcome := admin.Unchanged
		if l.rejected != "" { // it is not sent again, and what was refused is not good for being saved once more
			outcome, a.Error = admin.Refused, l.rejected
		}
		l.end(a, outcome)
		return
	}
	a.changed = changed(before.sets, a.loaded.sets)
	a.since = time.Now()
	l.rejected = ""
	l.server.Publish(a.loaded.sets)
	if l.fleet != nil {
		l.fleet.set(a.loaded.configuration)
	}
	l.pending = a
	l.settle()
}

// changed are the instances that are new or have other resources than before.
func changed(before, after map[string]*xds.Snapshot) map[string]bool {
	all := map[string]bool{}
	for name, set := range after {
		if old := before[name]; old == nil || old.Hash() != set.Hash() {
			all[name] = true
		}
	}
	return all
}

// settle ends the pending attempt once every Envoy that it concerns has accepted it, or enough time has passed.
func (l *loop) settle() {
	a := l.pending
	waiting := unsettled(l.server.Proxies(), a.loaded.sets, a.changed)
	late := time.Since(a.since) > settleWithin
	if len(waiting) > 0 && !late {
		return
	}
	if late {
		l.log.Debug("some Envoys have not answered yet", "generation", a.loaded.generation, "nodes", waiting)
	}
	l.end(a, admin.Applied)
}

// unsettled are the ids of the nodes that have not taken all of what was published. One that refused is among them:
// its refusal is on its way to the loop and ends the attempt.
func unsettled(proxies []xds.Proxy, sets map[string]*xds.Snapshot, instances map[string]bool) []string {
	var nodes []string
	for _, p := range proxies {
		if instances[p.Instance] && !p.Unknown && p.Snapshot != sets[p.Instance].Hash() {
			nodes = append(nodes, p.Node)
		}
	}
	return nodes
}

// refused reports a refusal, and ends the attempt that it answers.
func (l *loop) refused(r xds.Refusal) {
	published := l.published.Load()
	place := blame(r.Type, r.Resources, r.Message, published.resources[r.Instance], published.configuration)
	l.metrics.Refused(r.Instance, shortType(r.Type))
	l.log.Error("an Envoy refused the configuration", "instance", r.Instance, "node", r.Node, "type", shortType(r.Type),
		"file", place.File, "line", place.Line, "err", r.Message)
	if a := l.pending; a != nil && a.changed[r.Instance] {
		a.Error = refusalText(r, place)
		l.rejected = a.Error
		l.end(a, admin.Refused)
	}
}

// refusalText is the refusal in one line, with its place where it is known.
func refusalText(r xds.Refusal, place model.Place) string {
	text := "Envoy " + r.Node + " of instance " + r.Instance + " refused the " + shortType(r.Type) + ": " + r.Message
	if place.File != "" {
		return place.String() + ": " + text
	}
	return text
}

// end gives an attempt its outcome: one log line, one count, one state, and an answer to those who asked.
func (l *loop) end(a *attempt, outcome admin.Outcome) {
	if l.pending == a {
		l.pending = nil
	}
	a.Outcome = outcome
	next := *l.state.Load()
	if a.loaded != nil {
		a.Generation = a.loaded.generation
		next.Configuration = a.loaded.configuration
		if next.Generation != a.Generation {
			next.Generation, next.LoadedAt = a.Generation, a.At
		}
	}
	next.LastAttempt = &a.Attempt
	l.state.Store(&next)
	l.metrics.Attempted(&a.Attempt)
	l.logEnd(a)
	for _, reply := range a.waiting {
		reply <- &a.Attempt
	}
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
	if l.published.Load().generation == "" {
		instead = "; nothing is served yet"
	}
	switch a.Outcome {
	case admin.Applied, admin.Unchanged:
		l.log.Info("configuration "+string(a.Outcome), attrs...)
	case admin.Invalid:
		attrs = append(attrs, "errors", a.first.errors, "file", a.first.place.File, "line", a.first.place.Line, "err", a.first.text)
		l.log.Error("configuration invalid"+instead, attrs...)
	case admin.Refused:
		l.log.Error("configuration refused by an Envoy", append(attrs, "err", a.Error)...)
	case admin.Failed:
		l.log.Error("configuration failed"+instead, append(attrs, "err", a.Error)...)
	}
}
