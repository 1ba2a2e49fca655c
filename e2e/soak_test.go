package e2e

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// soakTime is how long the soak lasts in `make test`; `make soak` says WEIR_E2E_SOAK=10m or the like.
const soakTime = 30 * time.Second

// soak is what an hour of a gateway's life is made of, without the pauses.
type soak struct {
	*stand
	dice   *rand.Rand
	runner *gateway // a `weir run` on its own files, whose Envoys come and go
	rounds int
}

// Edits of all kinds, mistakes, restarts and load, for as long as there is time: no request fails, and when everything is
// as it was at first, weir and Envoy hold no more than they did.
func TestSoak(t *testing.T) {
	t.Parallel()
	lasts := soakTime
	if text := os.Getenv("WEIR_E2E_SOAK"); text != "" {
		var err error
		lasts, err = time.ParseDuration(text)
		must(t, err)
	}
	s := &soak{stand: startStand(t), dice: rand.New(rand.NewPCG(5, 5))}
	idle := strings.ReplaceAll(fill(edgeText, "port", freePort(t)), "edge", "idle")
	s.runner = runWeir(t, newDirectory(t, files{"gateway.hcl": idle}))
	s.runner.awaitListening(t)
	l := press(t, s.call(), request{port: s.port, path: "/edit"})
	ends := time.Now().Add(lasts)
	s.restartWeir(t)
	for _, live := range s.life() { // everything once: what is made at the first use is no growth
		live(t)
	}
	s.settle(t)
	before, runnerBefore := s.measure(t), measureWeir(t, s.runner)
	for time.Now().Before(ends) {
		life := s.life()
		if time.Until(ends) > lasts/2 { // what is found at the end has had half of the time to grow
			life = append(life, s.restartWeir)
		}
		life[s.dice.IntN(len(life))](t)
		s.rounds++
	}
	s.settle(t)
	c := l.release().none(t)
	after := s.measure(t)
	t.Logf("%d edits and %d events, %d requests, %d failed\nbefore: %v\nafter:  %v", s.edits, s.rounds, c.sent, c.failed, before, after)
	before.holds(t, s.measure, after)
	runnerBefore.holds(t, func(t *testing.T) measured { return measureWeir(t, s.runner) }, measureWeir(t, s.runner))
}

// life is what happens to a gateway.
func (s *soak) life() []func(*testing.T) {
	return []func(*testing.T){
		s.editOnce, s.editOnce, s.editOnce, s.burst, s.addAndRemove, s.mistake, s.reload, s.connections, s.guest, s.listener, s.instance,
	}
}

func (s *soak) editOnce(t *testing.T) {
	s.next(t)
	s.newest(t)
}

// burst is edits faster than anybody reads them.
func (s *soak) burst(t *testing.T) {
	for range 20 {
		s.next(t)
		time.Sleep(time.Duration(s.dice.IntN(10)) * time.Millisecond) // the rhythm is the subject
	}
	s.newest(t)
}

// addAndRemove adds services with upstreams of their own in a file, and takes them away again.
func (s *soak) addAndRemove(t *testing.T) {
	text := mock("extra", "/extra", "extra")
	for i := range 1 + s.dice.IntN(20) {
		text += fmt.Sprintf("upstream \"extra_%d\" {\n  vpc = vpc.main\n%s}\n", i, plain(s.nodes[0]))
		text += fmt.Sprintf("service \"extra_%d\" {\n  instance = instance.edge\n  domains = [\"extra-%d.example.com\"]\n"+
			"  api \"all\" {\n    backend { upstream = upstream.extra_%d }\n  }\n}\n", i, i, i)
	}
	s.save(t, "extra.hcl", text)
	extra := request{port: s.port, path: "/extra"}
	eventually(t, startBound, "what was added serves", answeredBy(extra, "extra"))
	must(t, request{port: s.port, host: "extra-0.example.com", path: "/"}.wants(200, s.nodes[0].name))
	must(t, os.Remove(filepath.Join(s.path, "extra.hcl")))
	eventually(t, startBound, "what was removed is gone", answeredBy(extra, s.nodes[s.edits%2].name))
}

// mistake is a file that is refused, and mended.
func (s *soak) mistake(t *testing.T) {
	s.save(t, "mistake.hcl", "upstream \"half\" {\n")
	eventually(t, startBound, "the mistake is refused", func() error { return s.outcomeIs("invalid") })
	must(t, os.Remove(filepath.Join(s.path, "mistake.hcl")))
	s.editOnce(t)
}

func (s *soak) outcomeIs(outcome string) error {
	status, err := s.status()
	if err != nil {
		return err
	}
	return hold(status.LastAttempt.Outcome == outcome, "the last attempt is %+v", status.LastAttempt)
}

func (s *soak) reload(t *testing.T) {
	weir(t, "reload", "--admin-address", s.admin).must(t)
	must(t, s.cmd.Process.Signal(syscall.SIGHUP))
}

// connections are callers of the admin and xDS addresses who say nothing and leave.
func (s *soak) connections(t *testing.T) {
	for _, address := range []string{s.admin, s.xds, s.admin, s.xds} {
		connection, err := net.Dial("tcp", address)
		must(t, err)
		connection.Close()
	}
}

// guest is a second Envoy of the instance that comes and dies. It never gets as far as to listen: callers of its port
// would be cut off with it.
func (s *soak) guest(t *testing.T) {
	text := strings.ReplaceAll(fill(edgeText, "port", freePort(t)), "edge", "guests")
	s.save(t, "guests.hcl", strings.ReplaceAll(text, "vpc \"main\" {}\n", ""))
	guest := startEnvoy(t, "guests", "guest", s.xds)
	eventually(t, startBound, "the guest has come", func() error { return s.hasProxy("guests") })
	if s.dice.IntN(2) == 0 {
		guest.kill(t)
	} else {
		guest.end()
	}
	must(t, os.Remove(filepath.Join(s.path, "guests.hcl")))
	s.editOnce(t)
}

// listener adds a listener to the instance and takes it away.
func (s *soak) listener(t *testing.T) {
	more := freePort(t)
	with := strings.Replace(s.text(), "  listener \"http\"", fmt.Sprintf("  listener \"more\" {\n    address = \"127.0.0.1\"\n    port    = %d\n  }\n  listener \"http\"", more), 1)
	s.save(t, "gateway.hcl", with)
	eventually(t, startBound, "the new listener serves", func() error { return request{port: more, path: "/"}.wants(200, "") })
	s.editOnce(t)
	eventually(t, startBound, "the listener is closed", func() error { return refused(more) })
}

// instance adds one to the runner's files, whose Envoy starts, and takes it away.
func (s *soak) instance(t *testing.T) {
	port := freePort(t)
	second := strings.ReplaceAll(fill(edgeText, "port", port), "vpc \"main\" {}\n", "") + mock("second", "/", "second")
	s.runner.save(t, "second.hcl", second)
	awaitAnswer(t, startBound, port, "/", "second")
	must(t, os.Remove(filepath.Join(s.runner.path, "second.hcl")))
	eventually(t, startBound, "the second instance's Envoy is gone", func() error { return refused(port) })
}

// restartWeir kills weir and starts it again.
func (s *soak) restartWeir(t *testing.T) {
	s.kill(t)
	s.serve(t)
	s.editOnce(t)
	eventually(t, startBound, "Envoy is connected", s.hasOneProxy)
}

// settle brings everything back to where it was.
func (s *soak) settle(t *testing.T) {
	t.Helper()
	for s.edits++; s.edits%14 != 1; s.edits++ { // the same node, and the same name
	}
	s.save(t, "gateway.hcl", s.text())
	s.newest(t)
	eventually(t, startBound, "weir knows one Envoy", s.hasOneProxy)
}

// measured is what weir and Envoy hold at one moment, by its name in the log of the test.
type measured map[string]int

// slack is by how much each may be more at the end: memory that a collector has not looked at yet, a connection that is
// just closing. What is not here may not be more at all.
var slack = map[string]func(before int) int{
	"weir goroutines":   func(int) int { return 6 },
	"weir descriptors":  func(int) int { return 4 },
	"weir MB":           func(before int) int { return before/2 + 30 },
	"Envoy descriptors": func(int) int { return 12 },
	"Envoy MB":          func(before int) int { return before/3 + 20 },
}

// holds looks again for a while where there is more than there was: what is on its way out is not left over.
func (before measured) holds(t *testing.T, again func(*testing.T) measured, after measured) {
	t.Helper()
	err := poll(startBound, func() error {
		for name, value := range before {
			allowed := value
			if more, ok := slack[name]; ok {
				allowed += more(value)
			}
			if after[name] > allowed {
				err := fmt.Errorf("%s: %d at first, %d at the end, allowed are %d", name, value, after[name], allowed)
				after = again(t)
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// measure looks at weir and at its Envoy.
func (s *soak) measure(t *testing.T) measured {
	t.Helper()
	m := measureWeir(t, s.gateway)
	_, text, err := s.proxy.page("/stats?filter=^(cluster_manager|listener_manager)\\.")
	must(t, err)
	for name, stat := range map[string]string{
		"Envoy clusters":          "cluster_manager.active_clusters",
		"Envoy warming clusters":  "cluster_manager.warming_clusters",
		"Envoy listeners":         "listener_manager.total_listeners_active",
		"Envoy warming listeners": "listener_manager.total_listeners_warming",
		"Envoy dying listeners":   "listener_manager.total_listeners_draining",
	} {
		m[name] = metric(t, text, stat+":")
	}
	pid := s.proxy.cmd.Process.Pid
	m["Envoy descriptors"], m["Envoy MB"] = descriptors(t, pid), residentMB(t, pid)
	return m
}

// measureWeir looks at weir alone.
func measureWeir(t *testing.T, g *gateway) measured {
	t.Helper()
	_, text, err := g.page("/metrics")
	must(t, err)
	return measured{
		"weir goroutines": metric(t, text, "go_goroutines"), "weir descriptors": descriptors(t, g.pid()), "weir MB": residentMB(t, g.pid()),
		"weir children": len(descendants(g.pid())),
	}
}

// metric is the value on the line that begins so.
func metric(t *testing.T, text, name string) int {
	t.Helper()
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			number, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			must(t, err)
			return int(number)
		}
	}
	t.Fatalf("no %s in:\n%s", name, text)
	return 0
}
