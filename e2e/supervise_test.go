package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// envoyOf is the pid of the Envoy that weir runs for an instance.
func (g *gateway) envoyOf(t *testing.T, instance string) int {
	t.Helper()
	s, err := g.status()
	must(t, err)
	for _, e := range s.Envoys {
		if e.Instance == instance && e.PID != 0 {
			return e.PID
		}
	}
	t.Fatalf("no Envoy of %s in %+v", instance, s)
	return 0
}

// A killed Envoy comes back with its configuration, also when weir's files have gone bad in between.
func TestKilledEnvoyComesBack(t *testing.T) {
	t.Parallel()
	nodes := newNodes(t, 2)
	g, port := startShop(t, plain(nodes[0]), nil)
	r := request{port: port, path: "/"}
	for round, n := range []*node{nodes[1], nodes[0]} {
		g.edit(t, "gateway.hcl", shop(port, plain(n)), "the edit is seen", answeredByAll(r, n.name))
		g.save(t, "bad.hcl", "}")
		g.awaitOutcome(t, "invalid", "bad.hcl")
		old := g.envoyOf(t, "edge")
		must(t, syscall.Kill(old, syscall.SIGKILL))
		eventually(t, startBound, fmt.Sprintf("Envoy is back, round %d", round), func() error {
			if err := noneAlive([]int{old}); err != nil {
				return err
			}
			return answeredByAll(r, n.name)()
		})
		if fresh := g.envoyOf(t, "edge"); fresh == old {
			t.Errorf("the Envoy is %d before and after it was killed", old)
		}
		must(t, os.Remove(filepath.Join(g.path, "bad.hcl")))
	}
}

// weir itself killed: its Envoys do not outlive it, or the port would be taken for the next one.
func TestKilledWeirLeavesNoEnvoy(t *testing.T) {
	t.Parallel()
	n := newNode(t, "n0")
	g, port := startShop(t, plain(n), nil)
	children := descendants(g.cmd.Process.Pid)
	if len(children) == 0 {
		t.Fatal("weir run has no child")
	}
	g.kill(t)
	eventually(t, stopBound, "Envoy ends with weir", func() error { return noneAlive(children) })
	g.process = startWeirAt(t, g, "run", "--envoy-path", envoyPath(t))
	awaitAnswer(t, startBound, port, "/", "n0")
}

// An Envoy that weir did not start keeps serving while weir is away, and takes up with the next one.
func TestRestartedWeirIsNotNoticed(t *testing.T) {
	t.Parallel()
	nodes := newNodes(t, 2)
	port := freePort(t)
	g := serveWeir(t, newDirectory(t, files{"gateway.hcl": shop(port, plain(nodes[0]))}))
	g.awaitListening(t)
	envoyOn(t, g, "e2e", nil)
	r := request{port: port, path: "/"}
	awaitAnswer(t, startBound, port, "/", "n0")
	l := startLoad(t, r)
	for round, end := range []func(*process, *testing.T){(*process).stop, (*process).kill} {
		before, err := g.status()
		must(t, err)
		end(g.process, t)
		must(t, answeredByAll(r, nodes[round].name)())
		g.process = startWeirAt(t, g, "serve")
		g.awaitListening(t)
		eventually(t, startBound, "Envoy is connected again", func() error { return g.hasProxy("edge") })
		after, err := g.status()
		must(t, err)
		if after.Generation != before.Generation {
			t.Errorf("generation %s after a restart over the same files, want %s", after.Generation, before.Generation)
		}
		n := nodes[(round+1)%2]
		g.edit(t, "gateway.hcl", shop(port, plain(n)), "an edit after the restart is seen", answeredByAll(r, n.name))
	}
	l.stop(t)
}

// An Envoy that waits for an instance which is added later is live within seconds, and is shown until then.
func TestInstanceIsAddedForAWaitingEnvoy(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	early := strings.ReplaceAll(fill(edgeText, "port", freePort(t))+mock("early", "/", "early"), "edge", "early")
	g := serveWeir(t, newDirectory(t, files{"gateway.hcl": early}))
	g.awaitListening(t)
	envoyOn(t, g, "e2e", nil)
	eventually(t, startBound, "the stray Envoy is shown", func() error {
		s, err := g.status()
		if err != nil {
			return err
		}
		return hold(len(s.Strays) == 1 && s.Strays[0].Instance == "edge", "strays are %+v", s.Strays)
	})
	later := strings.ReplaceAll(fill(edgeText, "port", port), "vpc \"main\" {}\n", "") + mock("later", "/", "later")
	g.save(t, "later.hcl", later)
	awaitAnswer(t, startBound, port, "/", "later")
}

// fakeEnvoy is a program that says what it is told to say, whatever it is asked.
func fakeEnvoy(t *testing.T, says string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "envoy")
	must(t, os.WriteFile(path, []byte("#!/bin/sh\necho '"+says+"'\n"), 0o755))
	return path
}

// What `weir run` says about an Envoy that it cannot use: at once, with what to do, and with status 1.
func TestUnusableEnvoy(t *testing.T) {
	t.Parallel()
	dir := newDirectory(t, files{"gateway.hcl": fill(edgeText, "port", freePort(t))})
	for name, c := range map[string]struct {
		path  string
		words []string
	}{
		"missing":   {filepath.Join(dir, "no-such-envoy"), []string{"no-such-envoy", "--envoy-path", "WEIR_ENVOY_PATH"}},
		"too old":   {fakeEnvoy(t, "/usr/bin/envoy  version: 0123456789012345678901234567890123456789/1.20.1/Clean/RELEASE/BoringSSL"), []string{"1.20.1", "too old", "--envoy-path"}},
		"not Envoy": {fakeEnvoy(t, "nginx version: nginx/1.22.1"), []string{"is not Envoy", "nginx/1.22.1"}},
		"a folder":  {dir, []string{"directory"}},
	} {
		g := startWeir(t, "run", dir, "--envoy-path", c.path)
		g.await(t, startBound)
		if code := g.cmd.ProcessState.ExitCode(); code != 1 {
			t.Errorf("%s: exit status %d, want 1", name, code)
		}
		if err := containsAll(g.output.String(), c.words...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if c := weir(t, "validate", "--with-envoy", "--envoy-path", filepath.Join(dir, "no-such-envoy"), dir); c.status != 1 {
		t.Errorf("validate --with-envoy without an Envoy ends with %d, want 1", c.status)
	} else if err := containsAll(c.stderr, "no-such-envoy", "--envoy-path"); err != nil {
		t.Error(err)
	}
}

// A port of weir's own that is taken ends it with a message that names the port.
func TestOwnPortTaken(t *testing.T) {
	t.Parallel()
	dir := newDirectory(t, files{"gateway.hcl": fill(edgeText, "port", freePort(t))})
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer taken.Close()
	address := taken.Addr().String()
	for _, flag := range []string{"--xds-address", "--admin-address"} {
		g := startWeir(t, "serve", dir, flag, address)
		g.await(t, startBound)
		if code := g.cmd.ProcessState.ExitCode(); code != 1 {
			t.Errorf("%s is taken: exit status %d, want 1", flag, code)
		}
		if err := containsAll(g.output.String(), address, flag); err != nil {
			t.Errorf("%s is taken: %v", flag, err)
		}
	}
}

// xDS without TLS leaves the machine only when the operator says so.
func TestInsecureIsAsked(t *testing.T) {
	t.Parallel()
	dir := newDirectory(t, files{"gateway.hcl": fill(edgeText, "port", freePort(t))})
	address := "0.0.0.0:" + strconv.Itoa(freePort(t))
	g := startWeir(t, "serve", dir, "--xds-address", address)
	g.await(t, startBound)
	if code := g.cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit status %d, want 1", code)
	}
	if err := containsAll(g.output.String(), "--insecure"); err != nil {
		t.Error(err)
	}
}
