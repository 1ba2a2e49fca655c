package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// What callers may not do: switch retries on by Envoy's own headers, or change the Host by a port.
func TestCallersHeaders(t *testing.T) {
	t.Parallel()
	n := newNode(t, "n0")
	_, port := startShop(t, plain(n)+"  retries = 1\n", nil)
	host := fmt.Sprintf("shop.example.com:%d", port)
	must(t, request{port: port, host: host, path: "/"}.wants(http.StatusOK, "n0"))
	if got := n.last(t).Host; got != host {
		t.Errorf("Host is %q at the node, want the caller's %q", got, host)
	}
	n.behave(unavailable)
	for _, header := range []string{"x-envoy-max-retries: 20", "x-envoy-retry-on: 5xx", "x-envoy-retry-grpc-on: internal", "x-envoy-hedge-on-per-try-timeout: true"} {
		before := n.count()
		name, value, _ := strings.Cut(header, ": ")
		got, err := request{port: port, path: "/", method: "POST", header: http.Header{name: {value}}}.try()
		if err != nil || got.status != http.StatusServiceUnavailable {
			t.Errorf("%s: answered %v, %v", header, got, err)
		}
		if attempts := n.count() - before; attempts != 1 {
			t.Errorf("%s: a POST that was answered is sent %d times, want 1", header, attempts)
		}
	}
}

// The page's range goes to 100, and each of them is an attempt.
func TestHundredRetries(t *testing.T) {
	t.Parallel()
	n := newNode(t, "n0")
	_, port := startShop(t, plain(n)+"  retries = 100\n", nil)
	must(t, attempts(request{port: port, path: "/"}, n, 101)())
}

// A burst of slow requests is not cut down by a limit that nobody set.
func TestThousandsAtOnce(t *testing.T) {
	t.Parallel()
	const callers = 1500
	n := newNode(t, "n0")
	_, port := startShop(t, plain(n), nil)
	gate := make(chan struct{})
	var arrived sync.WaitGroup
	arrived.Add(callers)
	n.behave(func(http.ResponseWriter, *http.Request) { arrived.Done(); <-gate })
	results := make(chan error, callers)
	for range callers {
		go func() { results <- request{port: port, path: "/"}.wants(http.StatusOK, "") }()
	}
	all := make(chan struct{})
	go func() { arrived.Wait(); close(all) }()
	select {
	case <-all:
	case err := <-results:
		t.Errorf("an answer before all requests have arrived: %v", err)
	case <-time.After(8 * time.Second):
		t.Errorf("only %d of %d requests have arrived at once", n.count(), callers)
	}
	close(gate)
	if t.Failed() {
		return
	}
	for range callers {
		if err := <-results; err != nil {
			t.Fatal(err)
		}
	}
}

// holdOne has a node keep one request waiting: arrived is closed when it is there, and release has it answered with
// "slow". Those that come after it get the node's usual answer.
func holdOne(t *testing.T, n *node) (arrived <-chan struct{}, release func()) {
	there, gate := make(chan struct{}), make(chan struct{})
	release = sync.OnceFunc(func() { close(gate) })
	t.Cleanup(release) // a node does not end before its requests
	var taken atomic.Bool
	n.behave(func(w http.ResponseWriter, _ *http.Request) {
		if taken.Swap(true) {
			fmt.Fprint(w, n.name)
			return
		}
		close(there)
		<-gate
		fmt.Fprint(w, "slow")
	})
	return there, release
}

// sendSlow sends a request on its way, and returns where its outcome comes.
func sendSlow(r request) <-chan error {
	result := make(chan error, 1)
	go func() { result <- r.wants(http.StatusOK, "slow") }()
	return result
}

// SIGTERM and SIGINT let the requests finish that are on their way.
func TestStopDrains(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		n := newNode(t, "n0")
		g, port := startShop(t, plain(n), nil)
		arrived, release := holdOne(t, n)
		result := sendSlow(request{port: port, path: "/"})
		<-arrived
		must(t, g.cmd.Process.Signal(signal))
		eventually(t, stopBound, "no new connection is taken", func() error { return refused(port) })
		release()
		if err := <-result; err != nil {
			t.Errorf("%v cuts a request off: %v", signal, err)
		}
		g.await(t, stopBound)
		if g.err != nil {
			t.Errorf("after %v: %v, want exit status 0", signal, g.err)
		}
	}
}

// An edit that removes a node, or the whole upstream, lets the requests finish that are on their way to it.
func TestRemovalDrains(t *testing.T) {
	t.Parallel()
	nodes := newNodes(t, 2)
	g, port := startShop(t, plain(nodes[0]), nil)
	r := request{port: port, path: "/"}
	arrived, release := holdOne(t, nodes[0])
	result := sendSlow(r)
	<-arrived
	g.edit(t, "gateway.hcl", shop(port, plain(nodes[1])), "the other node answers", answeredByAll(r, "n1"))
	renamed := strings.ReplaceAll(shop(port, plain(nodes[1])), "orders", "renamed")
	g.edit(t, "gateway.hcl", renamed, "the renamed upstream answers", answeredByAll(r, "n1"))
	g.edit(t, "gateway.hcl", fill(edgeText, "port", port)+mock("only", "/", "mocked"), "the upstream is gone", answeredByAll(r, "mocked"))
	release()
	if err := <-result; err != nil {
		t.Errorf("the edits cut a request off: %v", err)
	}
}

// An edit of a listener lets the requests finish that came in through it, however long they take, and the connections that
// callers keep open lose none.
func TestListenerEditDrains(t *testing.T) {
	t.Parallel()
	n := newNode(t, "n0")
	g, port := startShop(t, plain(n), nil)
	r := request{port: port, path: "/", method: http.MethodPost}
	arrived, release := holdOne(t, n)
	result := make(chan error, 1)
	go func() {
		client := newClient(nil)
		client.Timeout = time.Minute
		defer client.CloseIdleConnections()
		if got, err := r.send(client, "http"); err != nil || got.body != "slow" {
			result <- fmt.Errorf("%v %v", got, err)
		}
		close(result)
	}()
	<-arrived
	l := startLoad(t, r)
	logged := strings.Replace(shop(port, plain(n)), "  listener", "  access_log {}\n  listener", 1)
	g.edit(t, "gateway.hcl", logged, "the access log is on", func() error { return containsAll(g.output.String(), `"api":"all"`) })
	g.edit(t, "gateway.hcl", strings.Replace(logged, `listener "http"`, `listener "public"`, 1), "the other name is in the log",
		func() error { return containsAll(g.output.String(), `"listener":"public"`) })
	select { // an Envoy that is told to drain for as long as it may take to stop cuts here
	case err := <-result:
		t.Fatalf("the edits cut a request off: %v", err)
	case <-time.After(12 * time.Second):
	}
	release()
	if err := <-result; err != nil {
		t.Errorf("the edits cut a request off: %v", err)
	}
	l.stop(t)
}

// An instance that is removed from the files lets its Envoy finish, and takes no more.
func TestRemovedInstanceDrains(t *testing.T) {
	t.Parallel()
	n := newNode(t, "n0")
	g, port := startShop(t, plain(n), nil)
	arrived, release := holdOne(t, n)
	result := sendSlow(request{port: port, path: "/"})
	<-arrived
	other := strings.ReplaceAll(fill(edgeText, "port", freePort(t)), "edge", "other")
	g.edit(t, "gateway.hcl", other, "the instance's port is closed", func() error { return refused(port) })
	release()
	if err := <-result; err != nil {
		t.Errorf("the edit cuts a request off: %v", err)
	}
	eventually(t, editBound, "only the other instance's Envoy is left", func() error {
		s, err := g.status()
		if err != nil {
			return err
		}
		return hold(len(s.Envoys) == 1 && s.Envoys[0].Instance == "other", "Envoys are %+v", s.Envoys)
	})
}

// An answer that takes longer than backend.timeout says is given up, and an edit of it is live.
func TestTimeout(t *testing.T) {
	t.Parallel()
	n := newNode(t, "n0")
	port := freePort(t)
	limited := func(timeout string) string {
		return strings.Replace(shop(port, plain(n)), "backend { upstream = upstream.orders }",
			"backend {\n      upstream = upstream.orders\n      timeout  = \""+timeout+"\"\n    }", 1)
	}
	g := runWeir(t, newDirectory(t, files{"gateway.hcl": limited("100ms")}))
	awaitReady(t, g, port)
	n.behave(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(400 * time.Millisecond)
		fmt.Fprint(w, "late")
	})
	r := request{port: port, path: "/"}
	must(t, r.wants(http.StatusGatewayTimeout, ""))
	g.edit(t, "gateway.hcl", limited("5s"), "a longer timeout is seen", answeredBy(r, "late"))
	g.edit(t, "gateway.hcl", limited("150ms"), "a shorter timeout is seen", func() error { return r.wants(http.StatusGatewayTimeout, "") })
	g.edit(t, "gateway.hcl", limited("0s"), "no timeout is seen", answeredBy(r, "late"))
}

// Saves faster than anybody reads them: no request fails, and the last one is what serves.
func TestBurstOfEdits(t *testing.T) {
	t.Parallel()
	nodes := newNodes(t, 2)
	g, port := startShop(t, plain(nodes[0]), nil)
	r := request{port: port, path: "/"}
	l := startLoad(t, r)
	for round := range 60 {
		text := strings.ReplaceAll(shop(port, plain(nodes[round%2])), "orders", fmt.Sprintf("orders_%d", round))
		g.save(t, "gateway.hcl", text)
		time.Sleep(time.Duration(round%8) * 5 * time.Millisecond) // the rhythm is the subject
	}
	eventually(t, editBound, "the last edit is seen", answeredByAll(r, "n1"))
	l.stop(t)
}

// Two listeners that change ports in one save, again and again: no request fails, on either port.
func TestListenersSwapPorts(t *testing.T) {
	t.Parallel()
	nodes := newNodes(t, 2)
	g, port := startShop(t, plain(nodes[0]), nil)
	ports := []int{port, freePort(t)}
	g.save(t, "gateway.hcl", withListener(shop(ports[0], plain(nodes[0])), "more", ports[1]))
	awaitAnswer(t, editBound, ports[1], "/", "n0")
	one, other := request{port: ports[0], path: "/"}, request{port: ports[1], path: "/"}
	l, m := startLoad(t, one), startLoad(t, other)
	for round := 1; round < 8; round++ {
		http, more := ports[round%2], ports[(round+1)%2]
		g.save(t, "gateway.hcl", withListener(shop(http, plain(nodes[round%2])), "more", more))
		name := fmt.Sprintf("n%d", round%2)
		eventually(t, editBound, "the edit is seen", answeredByAll(one, name))
		eventually(t, editBound, "the edit is seen", answeredByAll(other, name))
	}
	l.stop(t)
	m.stop(t)
	g.awaitOutcome(t, "applied")
}

// A listener and an upstream that get other names in one save: the connections that callers keep open go on answering.
func TestRenamedListener(t *testing.T) {
	t.Parallel()
	n := newNode(t, "n0")
	g, port := startShop(t, plain(n), nil)
	kept := newClient(nil)
	defer kept.CloseIdleConnections()
	ask := func() {
		got, err := request{port: port, path: "/"}.send(kept, "http")
		if err != nil || got.status != http.StatusOK {
			t.Fatalf("over a kept connection: %v %v", got, err)
		}
	}
	ask()
	renamed := strings.NewReplacer(`listener "http"`, `listener "public"`, "orders", "renamed").Replace(shop(port, plain(n)))
	g.save(t, "gateway.hcl", renamed)
	eventually(t, editBound, "the new listener serves", func() error {
		ask()
		_, body, err := g.page("/api/v1/status")
		if err != nil {
			return err
		}
		return containsAll(body, `"name": "public"`, `"current": true`)
	})
	for range 200 {
		ask()
	}
}

// An instance that gets another name keeps its port open: the Envoy of the new one is there before the old one stops.
func TestRenamedInstance(t *testing.T) {
	t.Parallel()
	n := newNode(t, "n0")
	g, port := startShop(t, plain(n), nil)
	old := descendants(g.cmd.Process.Pid)
	g.save(t, "gateway.hcl", strings.ReplaceAll(shop(port, plain(n)), "edge", "front"))
	eventually(t, startBound, "the old Envoy is gone", func() error {
		// A connection that waits in the queue of the port that closes may be reset; none is refused.
		if got, err := (request{port: port, path: "/"}).try(); errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("the port was closed: %v %v", got, err)
		}
		return noneAlive(old)
	})
	must(t, request{port: port, path: "/"}.wants(http.StatusOK, "n0"))
}
