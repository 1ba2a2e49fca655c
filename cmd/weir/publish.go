package main

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weirproxy/weir/admin"
	"github.com/weirproxy/weir/xds"
)

// withdrawal is what none of an instance's Envoys took. No set that holds it is published while one of them is connected:
// whatever else an edit changes would reach nobody.
type withdrawal struct {
	by       []string        // node.id
	refusals []xds.TypeState // each of them has what was refused
	text     string
}

// publish hands a good load to the Envoys, except for what was withdrawn before.
func (l *loop) publish(a *attempt) {
	now, proxies := l.published.Load(), l.server.Proxies()
	l.noteAccepted(answersTo(now, proxies, nil))
	if a.forced { // whoever asks by hand may have mended what Envoy could not do, such as a taken port
		clear(l.withdrawn)
		l.offerAgain(a, proxies)
	}
	next := l.withoutWithdrawn(a, proxies)
	if next.generation == now.generation && len(a.again) == 0 {
		if len(a.refusals) == 0 {
			next.at = now.at
			l.send(next) // for its positions, which are those of the text as it is now
		}
		l.end(a, a.outcome(admin.Unchanged))
		return
	}
	a.changed, a.since = next.changed(now), time.Now()
	l.before, l.pending = now, a
	l.send(next)
	l.show(l.state.Load().LastAttempt) // it serves; whether all Envoys take it is known when the attempt ends
	if len(a.again) > 0 {
		for name := range a.again {
			a.changed[name] = true
		}
		l.server.Retry()
	}
	l.settle()
}

// offerAgain notes the instances one of whose Envoys refuses something that the attempt would publish.
func (l *loop) offerAgain(a *attempt, proxies []xds.Proxy) {
	a.again = map[string]time.Time{}
	for name, v := range answersTo(a.loaded, proxies, nil) {
		if len(v.refused) > 0 {
			a.again[name] = time.Now()
		}
	}
}

// withoutWithdrawn is what was loaded, with what serves in the place of what would be refused again.
func (l *loop) withoutWithdrawn(a *attempt, proxies []xds.Proxy) *publication {
	serve := map[string]*xds.Set{}
	for _, name := range sortedNames(l.withdrawn) {
		w, set := l.withdrawn[name], a.loaded.sets[name]
		if set == nil || !w.heldBy(set) || !w.stands(name, proxies) {
			delete(l.withdrawn, name)
			continue
		}
		w.text = strings.Join(a.loaded.texts(name, w.refusals), "; ") // with the places of now
		l.withdrawn[name] = w
		serve[name] = l.published.Load().sets[name]
		a.addRefusal(w.text)
	}
	if len(serve) == 0 {
		return a.loaded
	}
	return a.loaded.with(serve)
}

// heldBy tells whether a set has all of it. One that has less is tried: it may be less that is refused, and by fewer.
func (w withdrawal) heldBy(set *xds.Set) bool {
	return !slices.ContainsFunc(w.refusals, func(t xds.TypeState) bool { return !published(t.Refused.Resources, set) })
}

// stands tells whether one of the Envoys that refused is still there. Others may think otherwise.
func (w withdrawal) stands(instance string, proxies []xds.Proxy) bool {
	return slices.ContainsFunc(proxies, func(p xds.Proxy) bool { return p.Instance == instance && slices.Contains(w.by, p.Node) })
}

// maxSent bounds what is known of the order in which sets were published, while Envoys take none of them.
const maxSent = 1000

// send publishes, and has the fleet follow.
func (l *loop) send(p *publication) {
	l.published.Store(p)
	l.server.Publish(p.sets)
	for name, set := range p.sets {
		if sent := l.sent[name]; len(sent) == 0 || sent[len(sent)-1] != set.Hash() {
			l.sent[name] = append(sent[max(0, len(sent)-maxSent):], set.Hash())
		}
	}
	if l.fleet != nil {
		l.fleet.set(p.configuration)
	}
}

// settle ends the pending attempt once every Envoy that it concerns has answered, or enough time has passed. What all
// Envoys of an instance refuse is withdrawn first, so that "refused" is said when what served before serves again.
func (l *loop) settle() {
	a := l.pending
	now, late := l.published.Load(), time.Since(a.since) > settleWithin
	all := answersTo(now, l.server.Proxies(), a.again)
	l.noteAccepted(all)
	var refusedByAll []string
	for _, name := range sortedNames(a.changed) {
		v := all[name]
		if v == nil {
			continue
		}
		starting := l.fleet != nil && v.took+v.silent+len(v.refused) == 0 // its Envoy is about to connect
		if (v.silent > 0 || starting) && !late {
			return
		}
		if v.silent > 0 || starting {
			l.log.Debug("some Envoys have not answered yet", "instance", name, "count", v.silent)
		}
		for _, text := range now.texts(name, v.refusals) {
			a.addRefusal(text)
		}
		if v.took == 0 && len(v.refused) > 0 {
			refusedByAll = append(refusedByAll, name)
		}
	}
	if !a.withdrew && l.withdraw(refusedByAll, all) {
		a.withdrew, a.since = true, time.Now()
		return
	}
	l.end(a, a.outcome(admin.Applied))
}

// hurry ends the pending attempt, if there is one, without waiting for Envoys.
func (l *loop) hurry() {
	for l.pending != nil {
		l.pending.since = time.Time{}
		l.settle()
	}
}

// withdraw publishes for some instances what their Envoys took before. It tells whether there was something to go back to.
func (l *loop) withdraw(instances []string, all map[string]*answers) bool {
	now, back := l.published.Load(), map[string]*xds.Set{}
	for _, name := range instances {
		set := l.accepted[name]
		if set == nil || set.Hash() == now.sets[name].Hash() {
			continue
		}
		back[name] = set
		v := all[name]
		l.withdrawn[name] = withdrawal{v.refused, v.refusals, strings.Join(now.texts(name, v.refusals), "; ")}
		l.log.Warn("what the Envoys of an instance refused is withdrawn", "instance", name)
	}
	if len(back) == 0 {
		return false
	}
	l.undone = now
	next := now.with(back)
	if l.before != nil && next.generation == l.before.generation {
		next = l.before // all of it, with its text and positions
	}
	l.send(next)
	return true
}

// noteAccepted remembers what serves well: what an Envoy has taken, and what nobody is there to refuse. Where edits come faster
// than Envoys answer, that is none of the last two.
func (l *loop) noteAccepted(all map[string]*answers) {
	now := l.published.Load()
	for name, v := range all {
		switch {
		case v.took > 0 || v.silent == 0 && len(v.refused) == 0:
			l.accept(name, now.sets[name])
		case len(v.refused) > 0 && v.silent == 0 && l.accepted[name] == now.sets[name]:
			delete(l.accepted, name) // nobody had been there to refuse it
			l.sent[name] = []string{now.sets[name].Hash()}
		default:
			for _, set := range v.good {
				l.accept(name, set)
			}
		}
	}
	gone := func(name string) bool { return now.sets[name] == nil }
	maps.DeleteFunc(l.accepted, func(name string, _ *xds.Set) bool { return gone(name) })
	maps.DeleteFunc(l.sent, func(name string, _ []string) bool { return gone(name) })
}

// accept remembers a set unless it was published before the one that is remembered.
func (l *loop) accept(name string, set *xds.Set) {
	sent := l.sent[name]
	for at := len(sent) - 1; at >= 0; at-- {
		if sent[at] == set.Hash() {
			l.accepted[name], l.sent[name] = set, sent[at:]
			return
		}
	}
}

// refused tells of a refusal. Where it comes after the attempt has ended, what all Envoys refuse is withdrawn all the same.
func (l *loop) refused(r xds.Refusal) {
	now, kind := l.published.Load(), shortType(r.Type)
	about := now
	if l.undone != nil && !published(r.Resources, now.sets[r.Instance]) {
		about = l.undone // it was withdrawn before this was heard
	}
	place := about.blame(r.Instance, r.Type, r.Resources, r.Message)
	l.metrics.Refused(r.Instance, kind)
	l.log.Error("an Envoy refused the configuration", "instance", r.Instance, "node", r.Node, "type", kind,
		"file", place.File(), "line", place.Line(), "err", about.hide(r.Message))
	if l.pending != nil {
		return
	}
	all := answersTo(now, l.server.Proxies(), nil)
	l.noteAccepted(all)
	if v := all[r.Instance]; v != nil && v.took == 0 && v.silent == 0 && len(v.refused) > 0 && l.withdraw([]string{r.Instance}, all) {
		l.show(l.state.Load().LastAttempt)
	}
}

func (a *attempt) addRefusal(text string) {
	if !slices.Contains(a.refusals, text) {
		a.refusals = append(a.refusals, text)
	}
	a.Error = strings.Join(a.refusals, "; ")
}

// outcome is refused where anything was, else the one that is given.
func (a *attempt) outcome(otherwise admin.Outcome) admin.Outcome {
	if len(a.refusals) > 0 {
		return admin.Refused
	}
	return otherwise
}
