package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// standbyFaults are those of a new Envoy that cannot ask weir, with a `weir standby` on its machine.
var standbyFaults = []fault{
	{"weir is away while a new Envoy starts, with a `weir standby` beside it; then weir comes and goes three times, edited meanwhile", "the new Envoy serves what weir published last within seconds, from the standby's disk; each time that weir is back it has the newest, nothing else, and from weir; a standby that is behind takes nothing back", standbyServes},
	{"weir hangs while a new Envoy starts, with a `weir standby` beside it", "Envoy notices within 15 s, and serves what weir published last; the newest within seconds of weir's return", standbyServesWhileWeirHangs},
	{"weir starts over broken files and has nothing to serve while a new Envoy starts, with a `weir standby` beside it", "the new Envoy serves what weir published last, and the next good edit", standbyServesOverBrokenFiles},
}

// standby is a `weir standby` that follows a stand's weir.
type standby struct {
	*process
	folder string   // of its state
	flags  []string // of the command
}

// startStandby starts a standby of "edge" that finds weir at an address and keeps its state in a folder.
func startStandby(t *testing.T, xds, address, folder string) *standby {
	t.Helper()
	b := &standby{folder: folder, flags: []string{
		"standby", "--instance", "edge", "--xds-address", xds, "--standby-address", address, "--state-dir", folder, "--log-level", "debug",
	}}
	b.start(t)
	return b
}

// start starts it, also once more.
func (b *standby) start(t *testing.T) {
	t.Helper()
	b.process = start(t, "weir standby", exec.Command(weirBinary, b.flags...))
	t.Cleanup(func() {
		if p := b.process; p.running() && !t.Failed() {
			p.stop(t)
		}
	})
	b.awaitOutput(t, startBound, "weir stands by")
}

// follows waits until a standby has what serves, in memory and on disk.
func (s *stand) follows(t *testing.T, b *standby) {
	t.Helper()
	eventually(t, startBound, "the standby has what serves", func() error {
		status, err := s.status()
		if err != nil {
			return err
		}
		ok := slices.ContainsFunc(status.Instances, func(i instanceStatus) bool {
			return len(i.Standbys) == 1 && i.Standbys[0].Current
		})
		return hold(ok, "the status is %+v", status)
	})
	s.kept(t, b.folder)
}

// upstreams are those that an Envoy knows.
func (p *proxy) upstreams() ([]string, error) {
	_, page, err := p.page("/clusters")
	if err != nil {
		return nil, err
	}
	names := regexp.MustCompile(`(?m)^upstream/\w+`).FindAllString(page, -1)
	slices.Sort(names)
	return slices.Compact(names), nil
}

// servesNewest waits until a stand's Envoy serves the last edit, asks weir and no other, and has nothing of another edit.
func (s *stand) servesNewest(t *testing.T) {
	t.Helper()
	s.newest(t)
	eventually(t, startBound, "Envoy is with weir, and has nothing old", func() error {
		upstreams, err := s.proxy.upstreams()
		if err != nil {
			return err
		}
		_, listeners, err := s.proxy.page("/listeners")
		if err != nil {
			return err
		}
		address := loopback(s.port)
		return errors.Join(
			hold(slices.Equal(upstreams, []string{fmt.Sprintf("upstream/orders_%d", s.edits%7)}), "after edit %d Envoy knows %v", s.edits, upstreams),
			hold(listeners == address+"::"+address+"\n", "Envoy listens at %s", listeners),
			s.hasOneProxy(),
		)
	})
}

// standWithStandby has weir, its standby and an Envoy serve, and kills all three.
func standWithStandby(t *testing.T, address string) (*stand, *standby) {
	t.Helper()
	s := newStand(t)
	s.serve(t)
	b := startStandby(t, s.xds, address, t.TempDir())
	s.proxy = startEnvoy(t, "edge", "first", s.xds, "--standby-address", address)
	s.next(t)
	s.newest(t)
	s.follows(t, b)
	s.kill(t)
	b.kill(t)
	s.proxy.kill(t)
	return s, b
}

// startsAgain starts the standby and an Envoy, and returns how long that takes to serve.
func (s *stand) startsAgain(t *testing.T, b *standby, address string) time.Duration {
	t.Helper()
	began := time.Now()
	b.start(t)
	s.proxy = startEnvoy(t, "edge", "second", s.xds, "--standby-address", address)
	eventually(t, startBound, "the new Envoy is ready", s.proxy.ready)
	took := time.Since(began)
	must(t, s.isNewest())
	return took
}

func standbyServes(t *testing.T) result {
	address := "unix://" + filepath.Join(t.TempDir(), "standby.sock")
	s, b := standWithStandby(t, address)
	took := s.startsAgain(t, b, address)
	l := press(t, s.call())
	var slowest time.Duration
	for range 3 {
		l.hold(time.Second)
		s.next(t)
		began := time.Now()
		s.serve(t)
		s.newest(t)
		slowest = max(slowest, time.Since(began))
		s.servesNewest(t)
		for range 20 {
			s.next(t)
			l.hold(20 * time.Millisecond)
		}
		s.servesNewest(t)
		s.follows(t, b)
		s.kill(t)
	}
	s.serve(t)
	b.kill(t)
	s.next(t)
	s.servesNewest(t)
	s.kill(t)
	b.start(t) // with the state of before
	l.hold(2 * time.Second)
	must(t, s.isNewest())
	return result{l.release().none(t), fmt.Sprintf("ready %v after its start; an edit made meanwhile is live %v after weir's start, at the latest",
		round(took), round(slowest))}
}

func standbyServesWhileWeirHangs(t *testing.T) result {
	s := newStand(t)
	s.serve(t)
	w := newWire(t, s.xds)
	address := loopback(freePort(t))
	b := startStandby(t, w.address(), address, t.TempDir())
	s.follows(t, b)
	w.set(wireState{silent: true})
	b.kill(t)
	began := time.Now()
	b.start(t)
	s.proxy = startEnvoy(t, "edge", "late", strings.Replace(w.address(), "127.0.0.1", "localhost", 1), "--standby-address", address)
	eventually(t, startBound, "the new Envoy is ready", s.proxy.ready)
	took := time.Since(began)
	l := press(t, s.call())
	s.next(t)
	l.hold(2 * time.Second)
	must(t, s.stale())
	healed := time.Now()
	w.set(wireState{})
	s.newest(t)
	healing := time.Since(healed)
	s.servesNewest(t)
	return result{l.release().none(t), fmt.Sprintf("ready %v after its start; the newest %v after weir's return", round(took), round(healing))}
}

func standbyServesOverBrokenFiles(t *testing.T) result {
	address := loopback(freePort(t))
	s, b := standWithStandby(t, address)
	s.save(t, "broken.hcl", "upstream {")
	s.serve(t)
	s.awaitOutcome(t, "invalid", "broken.hcl")
	took := s.startsAgain(t, b, address)
	l := press(t, s.call())
	l.hold(2 * time.Second)
	must(t, s.isNewest())
	s.next(t)
	mended := time.Now()
	must(t, os.Remove(filepath.Join(s.path, "broken.hcl")))
	s.newest(t)
	healing := time.Since(mended)
	s.servesNewest(t)
	return result{l.release().none(t), fmt.Sprintf("ready %v after its start; the next good edit is live after %v", round(took), round(healing))}
}
