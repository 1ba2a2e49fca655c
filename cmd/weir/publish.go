package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weirproxy/weir/admin"
	"github.com/weirproxy/weir/model"
	"github.com/weirproxy/weir/translate"
	"github.com/weirproxy/weir/xds"
)

// publication is what serves: all that is needed to send it, to show it, and to say which block Envoy's words are
// about. It does not change once it is published.
type publication struct {
	generation    string // empty before the first good load
	at            time.Time
	configuration *model.Configuration
	instances     map[string]served
}

// served is what the Envoys of one instance get.
type served struct {
	set       *xds.Set
	resources []translate.Resource
}

// newPublication translates every instance.
func newPublication(c *model.Configuration, at time.Time) (*publication, error) {
	p := &publication{at: at, configuration: c, instances: make(map[string]served, len(c.Instances))}
	for name := range c.Instances {
		resources := translate.Instance(c, name)
		set, err := setOf(resources)
		if err != nil {
			return nil, fmt.Errorf("instance %q: %w", name, err)
		}
		p.instances[name] = served{set, resources}
	}
	p.generation = xds.Generation(p.sets())
	return p, nil
}

// setOf marshals resources; each knows its place.
func setOf(resources []translate.Resource) (*xds.Set, error) {
	all := make([]*xds.Resource, len(resources))
	for i, r := range resources {
		var err error
		if all[i], err = xds.NewResource(r.Message, r.Place); err != nil {
			return nil, err
		}
	}
	return xds.NewSet(all)
}

func (p *publication) sets() map[string]*xds.Set {
	sets := make(map[string]*xds.Set, len(p.instances))
	for name, s := range p.instances {
		sets[name] = s.set
	}
	return sets
}

// with is p, except for some instances.
func (p *publication) with(others map[string]served) *publication {
	next := &publication{at: p.at, configuration: p.configuration, instances: maps.Clone(p.instances)}
	maps.Copy(next.instances, others)
	next.generation = xds.Generation(next.sets())
	return next
}

// changed are the instances of p that are new or get something else than before.
func (p *publication) changed(before *publication) map[string]bool {
	all := map[string]bool{}
	for name, s := range p.instances {
		if old, ok := before.instances[name]; !ok || old.set.Hash() != s.set.Hash() {
			all[name] = true
		}
	}
	return all
}

// rejection is what the Envoys of an instance refused. It is not tried again while one of them is connected.
type rejection struct {
	hash string // of the set
	text string
	by   map[client]bool
}

// client is one stream of one Envoy: after it came back it may think otherwise.
type client struct {
	node, address string
	since         time.Time
}

func clientOf(p xds.Proxy) client { return client{p.Node, p.Address, p.ConnectedAt} }

func (r rejection) stands(proxies []xds.Proxy) bool {
	return slices.ContainsFunc(proxies, func(p xds.Proxy) bool { return r.by[clientOf(p)] })
}

// answers are how the Envoys of an instance answered a set: the clients that took all of it, that refused a part of
// it, and that have not answered.
type answers struct {
	took, refused, silent []client
}

// answersTo looks at the refusals since a time: those before were about something else.
func answersTo(set *xds.Set, instance string, proxies []xds.Proxy, since time.Time) answers {
	var v answers
	for _, p := range proxies {
		refused := slices.ContainsFunc(p.Types, func(t xds.TypeState) bool {
			return t.Refused != nil && t.Refused.Version == set.Version(t.Type) && !t.Refused.At.Before(since)
		})
		switch {
		case p.Instance != instance || p.Unknown:
		case refused:
			v.refused = append(v.refused, clientOf(p))
		case p.Snapshot == set.Hash():
			v.took = append(v.took, clientOf(p))
		default:
			v.silent = append(v.silent, clientOf(p))
		}
	}
	return v
}

// publish hands a good load to the Envoys, except for what they have and what they refused before.
func (l *loop) publish(a *attempt) {
	now, proxies := l.published.Load(), l.server.Proxies()
	l.noteAccepted(proxies)
	if a.forced {
		clear(l.rejected) // whoever asks by hand may have mended what Envoy could not do, such as a taken port
	}
	next := l.withoutRejected(a, proxies)
	again := map[string]bool{}
	if a.forced {
		again = next.refusedBy(proxies)
	}
	if next.generation != now.generation || len(again) > 0 {
		a.changed, a.since = next.changed(now), time.Now()
		maps.Copy(a.changed, again)
		l.before, l.pending = now, a
		l.send(next)
		l.show(l.state.Load().LastAttempt) // it serves; whether all Envoys take it is known when the attempt ends
		if len(again) > 0 {
			l.server.Retry()
		}
		l.settle()
		return
	}
	if len(a.refusals) == 0 {
		next.at = now.at
		l.published.Store(next) // for its positions, which are those of the text as it is now
	}
	l.end(a, a.outcome(admin.Unchanged))
}

// refusedBy are the instances of p one of whose Envoys refuses something now.
func (p *publication) refusedBy(proxies []xds.Proxy) map[string]bool {
	all := map[string]bool{}
	for _, x := range proxies {
		_, exists := p.instances[x.Instance]
		if exists && slices.ContainsFunc(x.Types, func(t xds.TypeState) bool { return t.Refused != nil }) {
			all[x.Instance] = true
		}
	}
	return all
}

// withoutRejected is what was loaded, with what serves in place of what would be refused again.
func (l *loop) withoutRejected(a *attempt, proxies []xds.Proxy) *publication {
	serve := map[string]served{}
	for _, name := range sortedNames(l.rejected) {
		r, s := l.rejected[name], a.loaded.instances[name]
		if s.set == nil || s.set.Hash() != r.hash || !r.stands(proxies) {
			delete(l.rejected, name)
			continue
		}
		serve[name] = l.published.Load().instances[name]
		a.addRefusal(r.text)
	}
	if len(serve) == 0 {
		return a.loaded
	}
	return a.loaded.with(serve)
}

// send publishes, and has the fleet follow.
func (l *loop) send(p *publication) {
	l.published.Store(p)
	l.server.Publish(p.sets())
	if l.fleet != nil {
		l.fleet.set(p.configuration)
	}
}

// settle ends the pending attempt once every Envoy that it concerns has answered, or enough time has passed. What all
// Envoys of an instance refuse is withdrawn first, so that "refused" is said when what served before serves again.
func (l *loop) settle() {
	a, now, proxies := l.pending, l.published.Load(), l.server.Proxies()
	late := time.Since(a.since) > settleWithin
	var refusedByAll []string
	for _, name := range sortedNames(a.changed) {
		v := answersTo(now.instances[name].set, name, proxies, a.since)
		unheard := len(v.refused) > 0 && !a.heard[name] && !a.withdrawn             // the refusal is on its way to us
		starting := l.fleet != nil && len(v.took)+len(v.refused)+len(v.silent) == 0 // its Envoy is about to connect
		if (len(v.silent) > 0 || unheard || starting) && !late {
			l.noteAccepted(proxies)
			return
		}
		if len(v.silent) > 0 || starting {
			l.log.Debug("some Envoys have not answered yet", "instance", name, "count", len(v.silent))
			l.noteLingering(a, name, proxies)
		}
		if len(v.took) == 0 && a.heard[name] {
			refusedByAll = append(refusedByAll, name)
		}
	}
	if !a.withdrawn && l.withdraw(refusedByAll) {
		a.withdrawn, a.since = true, time.Now()
		return
	}
	l.noteAccepted(proxies)
	l.end(a, a.outcome(admin.Applied))
}

// noteLingering adds to an attempt what Envoys refused of an earlier one and still lack: they took the rest of this one,
// but not all of it.
func (l *loop) noteLingering(a *attempt, instance string, proxies []xds.Proxy) {
	now := l.published.Load()
	s := now.instances[instance]
	for _, p := range proxies {
		if p.Instance != instance || p.Unknown {
			continue
		}
		for _, t := range p.Types {
			if r := t.Refused; r != nil && r.Version != s.set.Version(t.Type) {
				place := blame(t.Type, namesOf(r.Resources), r.Message, s.resources, now.configuration)
				a.addRefusal(refusalText(xds.Refusal{Instance: instance, Type: t.Type, Message: r.Message}, place))
			}
		}
	}
}

// hurry ends the pending attempt, if there is one, without waiting for Envoys.
func (l *loop) hurry() {
	for l.pending != nil {
		l.pending.since = time.Time{}
		l.settle()
	}
}

// withdraw publishes for some instances what their Envoys took before. It tells whether there was something to go back to.
func (l *loop) withdraw(instances []string) bool {
	now, back := l.published.Load(), map[string]served{}
	for _, name := range instances {
		if s, ok := l.accepted[name]; ok && s.set.Hash() != now.instances[name].set.Hash() {
			back[name] = s
			l.log.Warn("what the Envoys of an instance refused is withdrawn", "instance", name)
		}
	}
	if len(back) == 0 {
		return false
	}
	next := now.with(back)
	if next.generation == l.before.generation {
		next = l.before // all of it, with its text and positions
	}
	l.send(next)
	return true
}

// noteAccepted remembers what serves well: what an Envoy has taken, and what nobody is there to refuse.
func (l *loop) noteAccepted(proxies []xds.Proxy) {
	now := l.published.Load()
	for name, s := range now.instances {
		v := answersTo(s.set, name, proxies, time.Time{})
		nobody := len(v.refused) == 0 && len(v.silent) == 0 && l.rejected[name].hash != s.set.Hash()
		if len(v.took) > 0 || nobody {
			l.accepted[name] = s
		}
	}
	maps.DeleteFunc(l.accepted, func(name string, _ served) bool { return now.instances[name].set == nil })
}

// refused reports a refusal. It belongs to the pending attempt, or comes so late that this one has ended.
func (l *loop) refused(r xds.Refusal) {
	now, kind := l.published.Load(), shortType(r.Type)
	s := now.instances[r.Instance]
	place := blame(r.Type, namesOf(r.Resources), r.Message, s.resources, now.configuration)
	l.metrics.Refused(r.Instance, kind)
	l.log.Error("an Envoy refused the configuration", "instance", r.Instance, "node", r.Node, "type", kind,
		"file", place.File(), "line", place.Line(), "err", r.Message)
	if s.set == nil || r.Version != s.set.Version(r.Type) {
		return // about what is not published any more
	}
	text, v := refusalText(r, place), answersTo(s.set, r.Instance, l.server.Proxies(), time.Time{})
	l.reject(r.Instance, s.set.Hash(), text, v.refused)
	if len(v.took) == 0 && l.accepted[r.Instance].set == s.set {
		delete(l.accepted, r.Instance) // nobody had been there to refuse it
	}
	if a := l.pending; a != nil {
		if a.changed[r.Instance] {
			a.hear(r.Instance, text)
		}
		return
	}
	if len(v.took) == 0 && len(v.silent) == 0 && l.withdraw([]string{r.Instance}) {
		l.show(l.state.Load().LastAttempt)
	}
}

// reject notes a refusal for the next attempt.
func (l *loop) reject(instance, hash, text string, by []client) {
	r := l.rejected[instance]
	if r.hash != hash {
		r = rejection{hash: hash, text: text, by: map[client]bool{}}
	}
	for _, c := range by {
		r.by[c] = true
	}
	l.rejected[instance] = r
}

// hear notes that Envoys of an instance refused what the attempt published.
func (a *attempt) hear(instance, text string) {
	if a.heard == nil {
		a.heard = map[string]bool{}
	}
	a.heard[instance] = true
	a.addRefusal(text)
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

// refusalText is the refusal in one line, with its place where it is known.
func refusalText(r xds.Refusal, place model.Place) string {
	text := fmt.Sprintf("an Envoy of instance %q refused the %s: %s", r.Instance, shortType(r.Type), r.Message)
	if !place.IsZero() {
		return place.String() + ": " + text
	}
	return text
}
