package envoy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// running is a Runner that a test started.
type running struct {
	*Runner
	stop func() // stops it and waits
}

// run starts a Runner and stops it at the end of the test.
func run(t *testing.T, o RunnerOptions) running {
	t.Helper()
	if o.Log == nil {
		o.Log = quiet()
	}
	r, err := NewRunner(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { r.Run(ctx) })
	stop := func() {
		cancel()
		done.Wait()
	}
	t.Cleanup(stop)
	return running{Runner: r, stop: stop}
}

// alive says whether a process runs. One that has ended and that nobody has waited for yet does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err == nil {
		_, state, _ := strings.Cut(string(stat), ") ")
		return !strings.HasPrefix(state, "Z")
	}
	return syscall.Kill(pid, 0) == nil
}

// get asks through Envoy.
func get(port uint32, path string) (string, error) {
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(fmt.Sprintf("http://127.0.0.1:%d%s", port, path))
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.New(response.Status)
	}
	return string(body), err
}

func TestRunnerStartsRestartsAndStops(t *testing.T) {
	port, dir := freePort(t), t.TempDir()
	t.Setenv("TMPDIR", dir)
	xds := serveXDS(t, gateway(t, port, serveNode(t, nil, nil)))
	r := run(t, RunnerOptions{Path: envoyPath(t), Concurrency: 1, Bootstrap: BootstrapOptions{
		Instance: "edge", NodeID: "one", XDSAddress: xds, CAFile: throwawayCAFile(t),
	}})
	eventually(t, "ready", func() bool { return r.State().Ready })
	first := r.State()
	if first.PID == 0 || first.AdminAddress == "" || first.Restarts != 0 || first.LastExit != "" {
		t.Fatalf("state of a ready Envoy: %+v", first)
	}
	if body, err := get(port, "/"); err != nil || body != "from the node" {
		t.Fatalf("through Envoy: %q, %v", body, err)
	}

	if err := syscall.Kill(first.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "ready again", func() bool { s := r.State(); return s.Ready && s.PID != first.PID })
	second := r.State()
	if second.Restarts != 1 || second.LastExit != "envoy: signal: killed" {
		t.Errorf("state after a kill: %+v", second)
	}
	if body, err := get(port, "/"); err != nil || body != "from the node" {
		t.Fatalf("through the second Envoy: %q, %v", body, err)
	}

	r.stop()
	if alive(second.PID) {
		t.Errorf("envoy %d is alive after the stop", second.PID)
	}
	if s := r.State(); s.PID != 0 || s.Ready || s.AdminAddress != "" {
		t.Errorf("state after the stop: %+v", s)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestRunnerFinishesRequestsBeforeItStops(t *testing.T) {
	port := freePort(t)
	entered, release := make(chan struct{}), make(chan struct{})
	xds := serveXDS(t, gateway(t, port, serveNode(t, entered, release)))
	r := run(t, RunnerOptions{Path: envoyPath(t), Concurrency: 1, Bootstrap: BootstrapOptions{
		Instance: "edge", NodeID: "one", XDSAddress: xds,
	}})
	eventually(t, "ready", func() bool { return r.State().Ready })
	var body string
	var err error
	var asked, stopped sync.WaitGroup
	asked.Go(func() { body, err = get(port, "/slow") })
	<-entered
	stopped.Go(r.stop)
	eventually(t, "ports closed", func() bool {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	close(release)
	asked.Wait()
	stopped.Wait()
	if err != nil || body != "from the node" {
		t.Errorf("the request that was under way at the stop: %q, %v", body, err)
	}
}

func TestRunnerStopsThoughARequestNeverEnds(t *testing.T) {
	port := freePort(t)
	entered, release := make(chan struct{}), make(chan struct{})
	xds := serveXDS(t, gateway(t, port, serveNode(t, entered, release)))
	t.Cleanup(func() { close(release) })
	r := run(t, RunnerOptions{Path: envoyPath(t), Concurrency: 1, DrainTime: time.Second, Bootstrap: BootstrapOptions{
		Instance: "edge", NodeID: "one", XDSAddress: xds,
	}})
	eventually(t, "ready", func() bool { return r.State().Ready })
	pid := r.State().PID
	var asked sync.WaitGroup
	asked.Go(func() { _, _ = get(port, "/slow") })
	<-entered
	r.stop()
	asked.Wait()
	if alive(pid) {
		t.Errorf("envoy %d is alive after the stop", pid)
	}
}

func TestRunnerGoesOnTrying(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	bootstrap := BootstrapOptions{Instance: "edge", NodeID: "one", XDSAddress: "127.0.0.1:1"}
	onTakenPort := bootstrap
	onTakenPort.AdminAddress = taken.Addr().String()
	tests := []struct {
		name, path string
		bootstrap  BootstrapOptions
		want       string
	}{
		{"admin port taken", envoyPath(t), onTakenPort, "Address already in use"},
		{"binary that ends with an error", script(t, "printf broken >&2; exit 3"), bootstrap, "envoy: exit status 3: broken"},
		{"binary that ends well", script(t, "exit 0"), bootstrap, "envoy: exit status 0"},
		{"binary that is gone", filepath.Join(t.TempDir(), "envoy"), bootstrap, "no such file or directory"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := run(t, RunnerOptions{Path: test.path, Bootstrap: test.bootstrap})
			eventually(t, "two restarts", func() bool { return r.State().Restarts >= 2 })
			if got := r.State(); !strings.Contains(got.LastExit, test.want) || got.Ready {
				t.Errorf("state %+v, want the last exit to hold %q", got, test.want)
			}
		})
	}
}

func TestNextPause(t *testing.T) {
	tests := []struct {
		name       string
		pause, ran time.Duration
		want       time.Duration
	}{
		{"first", firstPause, 0, firstPause},
		{"grows", 800 * time.Millisecond, time.Second, 800 * time.Millisecond},
		{"is bounded", 20 * time.Second, time.Second, lastPause},
		{"a stable run forgets", lastPause, stableRun, firstPause},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := nextPause(test.pause, test.ran); got != test.want {
				t.Errorf("nextPause(%s, %s) = %s, want %s", test.pause, test.ran, got, test.want)
			}
		})
	}
}

// script writes a program that is not Envoy.
func script(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "envoy")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}
