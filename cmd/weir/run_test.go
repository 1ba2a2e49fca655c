package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weirproxy/weir/admin"
)

func TestRunIsTheWholeGateway(t *testing.T) {
	port := freePort(t)
	dir := directory(t, strings.Replace(gateway("one"), "8080", port, 1))
	w := start(t, "run", dir, "--xds-address", "127.0.0.1:0", "--envoy-path", envoyPath(t))
	answers := func(want string) func() bool {
		return func() bool { return body("http://127.0.0.1:"+port+"/") == want }
	}
	w.await("Envoy answers", answers("one"))
	var first admin.Status
	w.await("Envoy is said to be ready", func() bool {
		first = w.current()
		return first.LastAttempt != nil && len(first.Envoys) == 1 && first.Envoys[0].Ready && first.Envoys[0].Instance == "edge"
	})

	write(t, dir, strings.Replace(gateway("two"), "8080", port, 1))
	w.await("the edit is live", answers("two"))
	if s := w.awaitAttempt(first.LastAttempt.At, admin.Applied); len(s.Instances[0].Proxies) != 1 {
		t.Errorf("proxies %+v", s.Instances[0].Proxies)
	}

	if err := syscall.Kill(first.Envoys[0].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	w.await("a killed Envoy comes back", func() bool {
		e := w.current().Envoys[0]
		return e.Ready && e.PID != first.Envoys[0].PID && e.Restarts == 1
	})
	w.await("with its configuration", answers("two"))

	// Another instance comes, the first one goes.
	write(t, dir, strings.NewReplacer("8080", freePort(t), `"edge"`, `"west"`, "instance.edge", "instance.west").Replace(gateway("three")))
	w.await("the fleet follows", func() bool {
		s := w.current()
		return len(s.Envoys) == 1 && s.Envoys[0].Instance == "west" && s.Envoys[0].Ready
	})
	w.await("the first Envoy is gone", func() bool { return body("http://127.0.0.1:"+port+"/") == "" })

	pid := w.current().Envoys[0].PID
	w.stop()
	<-w.ended
	if w.status != 0 {
		t.Errorf("exit status %d", w.status)
	}
	if process, err := os.FindProcess(pid); err == nil && process.Signal(syscall.Signal(0)) == nil {
		t.Errorf("Envoy %d has outlived weir", pid)
	}
}

// What Envoy itself refuses serves nobody: the configuration before is back when the outcome is known.
func TestRunWithdrawsWhatEnvoyRefuses(t *testing.T) {
	port := freePort(t)
	text := func(body, more string) string {
		return strings.Replace(gateway(body), `listener "http" { port = 8080 }`, `listener "http" { port = `+port+" }\n"+more, 1)
	}
	dir := directory(t, text("one", ""))
	w := start(t, "run", dir, "--xds-address", "127.0.0.1:0", "--envoy-path", envoyPath(t))
	get := func() string { return body("http://127.0.0.1:" + port + "/") }
	w.await("Envoy answers", func() bool { return get() == "one" })
	w.await("it has everything", func() bool {
		in := w.current().Instances
		return len(in) == 1 && len(in[0].Proxies) == 1 && in[0].Proxies[0].Current && w.current().LastAttempt != nil
	})
	first := w.current()

	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	write(t, dir, text("two", fmt.Sprintf("listener \"more\" {\naddress = \"127.0.0.1\"\nport = %d\n}", taken.Addr().(*net.TCPAddr).Port)))
	second := w.awaitAttempt(first.LastAttempt.At, admin.Refused)
	if second.Generation != first.Generation || !strings.Contains(second.LastAttempt.Error, "main.hcl:5: ") {
		t.Errorf("%+v: %s", second, second.LastAttempt.Error)
	}
	if got := get(); got != "one" {
		t.Errorf("Envoy answers %q after the refusal", got)
	}
	write(t, dir, text("three", ""))
	w.awaitAttempt(second.LastAttempt.At, admin.Applied)
	if got := get(); got != "three" {
		t.Errorf("Envoy answers %q after the mistake was mended", got)
	}
}

// body is what a URL answers, empty where nobody does.
func body(url string) string {
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Get(url)
	if err != nil {
		return ""
	}
	defer r.Body.Close()
	text := make([]byte, 100)
	n, _ := r.Body.Read(text)
	return string(text[:n])
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
}
