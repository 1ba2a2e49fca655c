package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"

	"github.com/weirproxy/weir/admin"
)

// standbyOf starts one of instance "edge" and waits until it listens, which is at w.xds.
func standbyOf(t *testing.T, xds, state string) *live {
	t.Helper()
	return launch(t, "weir stands by", "standby", func(w *live) { w.xds = w.logged("weir stands by")[0]["standby"].(string) },
		"--instance", "edge", "--node-id", "s1", "--xds-address", xds, "--standby-address", "127.0.0.1:0", "--state-dir", state)
}

// servedMeanwhile is what a standby logs that has something while weir is away.
const servedMeanwhile = "weir cannot be followed; Envoys that start and get nothing from it either are served"

// serveAt starts weir at a socket, where it can be started again.
func serveAt(t *testing.T, socket, dir string) *live {
	t.Helper()
	return serve(t, dir, "--xds-address", socket)
}

func TestStandby(t *testing.T) {
	socket, dir, state := "unix://"+filepath.Join(t.TempDir(), "xds"), directory(t, gateway("one")), filepath.Join(t.TempDir(), "state")
	w := serveAt(t, socket, dir)
	b := standbyOf(t, socket, state)
	first := w.awaitAttempt(time.Time{}, admin.Applied)
	w.await("the standby has what serves", func() bool {
		all := w.current().Instances
		return len(all) == 1 && len(all[0].Proxies) == 0 && len(all[0].Standbys) == 1 && all[0].Standbys[0].Current && all[0].Standbys[0].Node == "s1"
	})
	if r := weir("status", "--admin-address", w.admin); !strings.Contains(r.stdout, "none is connected") || !strings.Contains(r.stdout, "standby, current") {
		t.Errorf("status prints %+v", r)
	}
	if r := weir("wait", "--admin-address", w.admin); r.stdout != first.Generation+" is live in 0 Envoys\n" {
		t.Errorf("a standby counts as an Envoy: %+v", r)
	}
	if _, page := w.page("/metrics"); !strings.Contains(string(page), `weir_xds_connected_standbys{instance="edge"} 1`) {
		t.Errorf("metrics are\n%s", page)
	}
	write(t, dir, gateway("two"))
	second := w.awaitAttempt(first.LastAttempt.At, admin.Applied)
	kept(b, state, second.Generation)
	if info, err := os.Stat(filepath.Join(state, "edge.state")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file with private keys has mode %v, %v", info.Mode(), err)
	}

	w.stop()
	<-w.ended
	b.await("it says that weir is away", func() bool { return len(b.logged(servedMeanwhile)) == 1 })
	b.stop()
	if <-b.ended; b.status != 0 {
		t.Errorf("a standby that is stopped ends with %d", b.status)
	}
	b = standbyOf(t, socket, state)
	got := make(chan string, 8)
	proxy(t, b.xds, "edge", func(r *discoveryv3.DeltaDiscoveryResponse) string {
		for _, one := range r.Resources {
			got <- one.Name + " " + string(one.Resource.Value)
		}
		return ""
	})
	if listener, scope, routes := <-got, <-got, <-got; !strings.HasPrefix(listener, "0.0.0.0:8080 ") || !strings.Contains(routes, "two") {
		t.Errorf("an Envoy is sent %q, %q and %q", listener, scope, routes)
	}

	write(t, dir, gateway("three"))
	w = serveAt(t, socket, dir)
	b.await("the Envoy is sent back", func() bool { return len(b.logged("weir is followed")) == 1 && len(b.logged("proxy disconnected")) == 1 })
	kept(b, state, w.awaitAttempt(time.Time{}, admin.Applied).Generation)
}

// Whatever is in the state directory, a standby says what it is, and follows.
func TestStandbyWithStateThatCannotBeUsed(t *testing.T) {
	socket, dir, other := "unix://"+filepath.Join(t.TempDir(), "xds"), directory(t, gateway("one")), t.TempDir()
	w := serve(t, directory(t, strings.ReplaceAll(gateway("one"), "edge", "other")), "--state-dir", other)
	kept(w, other, w.awaitAttempt(time.Time{}, admin.Applied).Generation)
	foreign, err := os.ReadFile(filepath.Join(other, stateFile))
	if err != nil {
		t.Fatal(err)
	}
	w = serveAt(t, socket, dir)
	generation := w.awaitAttempt(time.Time{}, admin.Applied).Generation
	for _, test := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"damaged", []byte("hello\n"), "what was kept cannot be used"},
		{"of another instance", foreign, "what was kept is of other instances"},
		{"cut off", foreign[:len(foreign)-10], "what was kept cannot be used"},
	} {
		t.Run(test.name, func(t *testing.T) {
			state := t.TempDir()
			file := filepath.Join(state, "edge.state")
			if err := os.WriteFile(file, test.content, 0o644); err != nil {
				t.Fatal(err)
			}
			b := standbyOf(t, socket, state)
			if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the file that was put there has mode %v, %v", info.Mode(), err)
			}
			if lines := b.logged(test.want); len(lines) != 1 || lines[0]["level"] != "ERROR" {
				t.Errorf("logged %v", lines)
			}
			kept(b, state, generation)
		})
	}
}

// A standby that knows nothing says so, and an instance that is not there is no reason to forget it.
func TestStandbyWithoutWeir(t *testing.T) {
	socket, state := "unix://"+filepath.Join(t.TempDir(), "xds"), t.TempDir()
	b := standbyOf(t, socket, state)
	b.await("it says what Envoys get", func() bool {
		return len(b.logged("weir cannot be followed; Envoys that start and get nothing from it either wait")) == 1
	})
	if lines := b.logged("nothing was kept yet"); len(lines) != 1 || lines[0]["level"] != "WARN" {
		t.Errorf("logged %v", lines)
	}
	dir := directory(t, gateway("one"))
	w := serveAt(t, socket, dir)
	first := w.awaitAttempt(time.Time{}, admin.Applied)
	kept(b, state, first.Generation)
	write(t, dir, strings.ReplaceAll(gateway("one"), "edge", "renamed"))
	w.awaitAttempt(first.LastAttempt.At, admin.Applied)
	b.await("it says that there is no such instance", func() bool {
		return len(b.logged("weir has no such instance; Envoys that start wait until it has")) == 1
	})
	w.stop()
	b.await("it says that weir is away", func() bool { return len(b.logged(servedMeanwhile)) == 1 })
	kept(b, state, first.Generation)
}

func TestStandbyUsage(t *testing.T) {
	good := []string{"--instance", "edge", "--state-dir", t.TempDir()}
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, "which instance? say --instance"},
		{[]string{"--instance", "a/b"}, `no instance can be named "a/b"`},
		{[]string{"--instance", "edge"}, "say --state-dir"},
		{append(good, "--standby-address", "127.0.0.1:18000"), "--xds-address and --standby-address are both 127.0.0.1:18000"},
		{append(good, "--standby-address", "0.0.0.0:1"), "--standby-address 0.0.0.0:1 is open to other machines"},
		{append(good, "--standby-address", "unix://s"), "--standby-address unix://s: the path must be absolute"},
		{append(good, "--xds-address", "unix://s"), "the path must be absolute"},
		{append(good, "--xds-address", "weir"), `--xds-address "weir": want HOST:PORT`},
		{append(good, "--xds-address", "weir:"), "the port must be a number"},
		{append(good, "--xds-address", "weir:xds"), "the port must be a number"},
		{append(good, "--xds-address", "weir:70000"), "the port must be a number"},
		{append(good, "--standby-address", "unix:///"+strings.Repeat("a", 110)), "--standby-address unix:///aaa"},
		{append(good, "edge"), `unexpected argument "edge"`},
	} {
		var stderr buffer
		status := run(context.Background(), append([]string{"standby"}, test.args...), strings.NewReader(""), io.Discard, &stderr, nil)
		if status != 1 || !strings.Contains(stderr.String(), test.want) {
			t.Errorf("%v: status %d, %s", test.args, status, stderr.String())
		}
	}
}
