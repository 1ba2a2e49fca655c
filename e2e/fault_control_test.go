package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// controlFaults are those of the programs themselves.
var controlFaults = []fault{
	{"weir is killed (-9) and started again, three times", "Envoy serves on as if nothing happened; the first edit afterwards is live", weirIsKilled},
	{"weir is away while a new Envoy starts", "the Envoys that run serve on; the new one opens no port, says on its `/ready` that it is not, and serves within seconds of weir's return", weirIsAway},
	{"weir is killed (-9), its files are broken, and it is started again with `--state-dir`", "weir serves the last good generation (that of a second before the kill, at least), also to an Envoy that is new, and takes the next good edit", filesAreBrokenAtStart},
	{"Envoy is killed (-9) under `weir run`, twice", "weir starts it again with what served last; what is sent while its port is closed fails, at most 5 s long", envoyIsKilled},
}

func weirIsKilled(t *testing.T) result {
	s := startStand(t)
	l := press(t, s.call())
	var slowest time.Duration
	for range 3 {
		s.next(t)
		s.newest(t)
		s.kill(t)
		s.next(t) // while nobody looks
		l.hold(500 * time.Millisecond)
		must(t, s.stale())
		began := time.Now()
		s.serve(t)
		s.newest(t)
		slowest = max(slowest, time.Since(began))
	}
	return result{l.release().none(t), fmt.Sprintf("an edit made meanwhile is live %v after the start, at the latest", round(slowest))}
}

func weirIsAway(t *testing.T) result {
	s := startStand(t)
	l := press(t, s.call())
	s.kill(t)
	s.next(t)
	late := startEnvoy(t, "edge", "late", s.xds)
	eventually(t, startBound, "the new Envoy is up", func() error { _, _, err := late.page("/ready"); return err })
	l.hold(2 * time.Second)
	if late.ready() == nil {
		t.Error("an Envoy without configuration says that it is ready")
	}
	if _, listeners, err := late.page("/listeners"); err != nil || listeners != "" {
		t.Errorf("an Envoy without configuration listens: %s %v", listeners, err)
	}
	began := time.Now()
	s.serve(t)
	eventually(t, startBound, "the new Envoy is ready", late.ready)
	took := time.Since(began)
	s.newest(t)
	return result{l.release().none(t), fmt.Sprintf("ready %v after weir's start", round(took))}
}

func envoyIsKilled(t *testing.T) result {
	nodes := newNodes(t, 2)
	g, port := startShop(t, plain(nodes...), nil)
	r := request{port: port, path: "/"}
	l := press(t, r)
	var longest time.Duration
	for range 2 {
		l.hold(time.Second)
		killed := time.Now()
		must(t, syscall.Kill(g.envoyOf(t, "edge"), syscall.SIGKILL))
		eventually(t, startBound, "the port is closed", func() error { return refused(port) })
		eventually(t, startBound, "Envoy is back", func() error { return r.wants(http.StatusOK, "") })
		longest = max(longest, time.Since(killed))
	}
	back := time.Now()
	l.hold(time.Second)
	if longest > 5*time.Second {
		t.Errorf("Envoy was away for %v", longest)
	}
	return result{l.release().noneAfter(t, back), fmt.Sprintf("away for %v, at the longest", round(longest))}
}

// round is a duration for people.
func round(d time.Duration) time.Duration { return d.Round(10 * time.Millisecond) }

// keepsState has weir keep its state in a folder.
func keepsState(folder string) func(*exec.Cmd) {
	return func(cmd *exec.Cmd) { cmd.Args = append(cmd.Args, "--state-dir", folder) }
}

// kept waits until the generation that serves is in the folder; files there name theirs.
func (s *stand) kept(t *testing.T, folder string) {
	t.Helper()
	eventually(t, startBound, "the state is kept", func() error {
		status, err := s.status()
		if err != nil {
			return err
		}
		files, err := filepath.Glob(filepath.Join(folder, "*.state"))
		if err != nil {
			return err
		}
		for _, file := range files {
			if content, err := os.ReadFile(file); err == nil && bytes.Contains(content, []byte(status.Generation)) {
				return nil
			}
		}
		return fmt.Errorf("generation %s is not in %v", status.Generation, files)
	})
}

func filesAreBrokenAtStart(t *testing.T) result {
	s, folder := newStand(t), t.TempDir()
	s.start(t, keepsState(folder))
	l := press(t, s.call())
	s.next(t)
	s.newest(t)
	s.kept(t, folder)
	s.kill(t)
	s.save(t, "broken.hcl", "upstream {")
	s.serve(t, keepsState(folder))
	began := time.Now()
	late := startEnvoy(t, "edge", "late", s.xds)
	eventually(t, startBound, "the new Envoy is ready", late.ready)
	took := time.Since(began)
	must(t, s.isNewest())
	s.awaitOutcome(t, "invalid", "broken.hcl")
	must(t, os.Remove(filepath.Join(s.path, "broken.hcl")))
	s.next(t)
	s.newest(t)
	return result{l.release().none(t), fmt.Sprintf("an Envoy that starts then is ready after %v", round(took))}
}
