package main

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/weirproxy/weir/admin"
	"github.com/weirproxy/weir/envoy"
	"github.com/weirproxy/weir/model"
	"github.com/weirproxy/weir/xds"
)

// fleet runs one Envoy for each instance. Only the loop calls set; states may be called by anyone.
type fleet struct {
	ctx     context.Context // ends all of them
	options envoy.RunnerOptions
	log     *slog.Logger
	done    sync.WaitGroup

	mu      sync.Mutex
	members map[string]*member
}

// member is the Envoy of one instance.
type member struct {
	runner *envoy.Runner
	stop   context.CancelFunc
	gone   chan struct{} // closed when its last process is gone
}

func newFleet(ctx context.Context, o envoy.RunnerOptions, log *slog.Logger) *fleet {
	return &fleet{ctx: ctx, options: o, log: log, members: map[string]*member{}}
}

// succession is how long the Envoy of a removed instance serves on while those of new ones become ready: an instance that
// got another name keeps its ports open.
const succession = 5 * time.Second

// set starts the Envoys of instances that are new, and then stops those of instances that are gone.
func (f *fleet) set(c *model.Configuration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var started []*envoy.Runner
	for _, name := range sortedNames(c.Instances) {
		if m := f.members[name]; m != nil && m.runner != nil {
			continue
		}
		if err := f.start(name); err != nil {
			f.log.Error("an Envoy cannot be started", "instance", name, "err", err)
			continue
		}
		started = append(started, f.members[name].runner)
	}
	for name, m := range f.members {
		if c.Instances[name] == nil && m.runner != nil {
			f.log.Info("stopping the Envoy of a removed instance", "instance", name)
			m.runner = nil // what is left is a mark for a successor to wait for
			f.done.Go(func() {
				awaitReady(f.ctx, started)
				m.stop()
			})
		}
	}
	warnSharedPorts(c, f.log)
}

// awaitReady waits until all Envoys take requests, or have had the time to.
func awaitReady(ctx context.Context, runners []*envoy.Runner) {
	ctx, cancel := context.WithTimeout(ctx, succession)
	defer cancel()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for slices.ContainsFunc(runners, func(r *envoy.Runner) bool { return !r.State().Ready }) {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// start runs a new Envoy once an earlier one of the same instance, which may still be draining, has left its ports.
func (f *fleet) start(name string) error {
	o := f.options
	o.Bootstrap.Instance = name
	runner, err := envoy.NewRunner(o)
	if err != nil {
		return err
	}
	before := f.members[name]
	ctx, stop := context.WithCancel(f.ctx)
	m := &member{runner: runner, stop: stop, gone: make(chan struct{})}
	f.members[name] = m
	f.done.Go(func() {
		defer close(m.gone)
		defer stop()
		if before != nil {
			<-before.gone
		}
		runner.Run(ctx)
	})
	return nil
}

// wait returns when every Envoy is gone; the fleet's context must have ended.
func (f *fleet) wait() { f.done.Wait() }

// states is what the Envoys are doing, by instance.
func (f *fleet) states() []admin.Envoy {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := []admin.Envoy{}
	for _, name := range sortedNames(f.members) {
		runner := f.members[name].runner
		if runner == nil {
			continue
		}
		s := runner.State()
		view := admin.Envoy{
			Instance: name, PID: s.PID, Ready: s.Ready, AdminAddress: s.AdminAddress, Restarts: s.Restarts, LastExit: s.LastExit,
		}
		if !s.StartedAt.IsZero() {
			started := s.StartedAt.UTC()
			view.StartedAt = &started
		}
		all = append(all, view)
	}
	return all
}

// adminOf is where the admin API of an Envoy is that this fleet started, "" for an Envoy of somebody else.
func (f *fleet) adminOf(p xds.Proxy) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.members[p.Instance]
	if m == nil || m.runner == nil || p.Admin != "" || p.Node != f.options.Bootstrap.NodeID {
		return ""
	}
	return m.runner.State().AdminAddress
}

// warnSharedPorts tells of listeners of two instances at one port: Envoys share a port without a word, and each
// connection would reach one of the instances by chance.
func warnSharedPorts(c *model.Configuration, log *slog.Logger) {
	taken := map[uint16]*model.Instance{}
	for _, name := range sortedNames(c.Instances) {
		instance := c.Instances[name]
		for _, l := range sortedNames(instance.Listeners) {
			listener := instance.Listeners[l]
			other := taken[listener.Port]
			if other != nil && other != instance {
				log.Warn("two instances listen on one port of this machine; each connection reaches one of them by chance",
					"instance", name, "other", other.Name, "port", listener.Port, "file", listener.Place.File(), "line", listener.Place.Line())
				continue
			}
			taken[listener.Port] = instance
		}
	}
}
