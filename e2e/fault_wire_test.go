package e2e

import (
	"fmt"
	"testing"
	"time"
)

// wireFaults are those of the network between weir and an Envoy.
var wireFaults = []fault{
	{"the network between weir and Envoy is cut during 30 edits", "Envoy serves what it has, and has the newest within seconds of the healing", wireIsCut},
	{"the connection between weir and Envoy goes dead without a word (half-open) during 30 edits", "Envoy notices within 15 s, connects anew and has the newest; no other Envoy waits for it, and weir forgets the dead one within a minute", wireIsSilent},
	{"the network between weir and Envoy is slow (200 ms each way, 64 kB/s) during 100 edits", "Envoy catches up: it is not sent each state, only the newest", wireIsSlow},
}

// startWired is startStand with a wire between weir and Envoy.
func startWired(t *testing.T) (*stand, *wire) {
	t.Helper()
	s := newStand(t)
	s.serve(t)
	w := newWire(t, s.xds)
	s.proxy = startEnvoy(t, "edge", "wired", w.address())
	s.newest(t)
	return s, w
}

func wireIsCut(t *testing.T) result {
	s, w := startWired(t)
	l := press(t, s.call())
	w.set(wireState{cut: true})
	for range 30 {
		s.next(t)
		l.hold(30 * time.Millisecond)
	}
	must(t, s.stale())
	healed := time.Now()
	w.set(wireState{})
	s.newest(t)
	took := time.Since(healed)
	s.next(t)
	s.newest(t)
	return result{l.release().none(t), fmt.Sprintf("the newest %v after the healing", round(took))}
}

func wireIsSilent(t *testing.T) result {
	s, w := startWired(t)
	// Another instance, whose Envoy has a good connection.
	port := freePort(t)
	other := fill(`instance "other" {
  vpc = vpc.main
  listener "http" {
    address = "127.0.0.1"
    port    = <port>
  }
}
service "other" {
  instance = instance.other
  api "edit" {
    backend {
      mock { body = "<edit>" }
    }
  }
}
`, "port", port)
	s.save(t, "other.hcl", fill(other, "edit", "first"))
	startEnvoy(t, "other", "other", s.xds)
	awaitAnswer(t, startBound, port, "/", "first")
	l := press(t, s.call())
	broken := time.Now()
	w.set(wireState{silent: true})
	w.set(wireState{}) // for whoever connects anew
	for range 30 {
		s.next(t)
		l.hold(30 * time.Millisecond)
	}
	s.save(t, "other.hcl", fill(other, "edit", "second"))
	awaitAnswer(t, editBound, port, "/", "second")
	// Envoy asks every 10 s whether its connection lives, and waits 5 s for the answer: it cannot have noticed before that.
	if s.isNewest() == nil && time.Since(broken) < 5*time.Second {
		t.Error("the newest came over a dead connection")
	}
	s.newest(t)
	took := time.Since(broken)
	if long() { // it is a matter of waiting
		eventually(t, time.Minute, "weir forgets the dead connection", s.hasOneProxy)
	}
	return result{l.release().none(t), fmt.Sprintf("the newest %v after the break", round(took))}
}

// hasOneProxy is nil when one Envoy of the instance is connected, and no ghost of it.
func (s *stand) hasOneProxy() error {
	status, err := s.status()
	if err != nil {
		return err
	}
	for _, i := range status.Instances {
		if i.Name == "edge" && len(i.Proxies) == 1 {
			return nil
		}
	}
	return fmt.Errorf("instances are %+v", status.Instances)
}

func wireIsSlow(t *testing.T) result {
	s, w := startWired(t)
	l := press(t, s.call())
	w.set(wireState{delay: 200 * time.Millisecond, rate: 64 << 10})
	for range 100 {
		s.next(t)
		l.hold(20 * time.Millisecond)
	}
	last := time.Now()
	s.newest(t)
	return result{l.release().none(t), fmt.Sprintf("the newest %v after the last edit", round(time.Since(last)))}
}
