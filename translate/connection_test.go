package translate

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/weirproxy/weir/model"
)

// connectionNode is a node that counts its connections.
type connectionNode struct {
	address      string
	opened, open atomic.Int32
}

func startConnectionNode(t *testing.T) *connectionNode {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &connectionNode{address: l.Addr().String()}
	server := &http.Server{
		Handler:  http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
		ErrorLog: log.New(io.Discard, "", 0),
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				n.opened.Add(1)
				n.open.Add(1)
			case http.StateClosed:
				n.open.Add(-1)
			}
		},
	}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return n
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

// Connections are kept as long, and for as many requests, as is said.
func TestConnections(t *testing.T) {
	c := edge()
	nodes := map[string]*connectionNode{}
	for name, change := range map[string]func(*model.Connections){
		"brief": func(m *model.Connections) { m.IdleTimeout = 50 * time.Millisecond },
		"kept":  func(m *model.Connections) { m.IdleTimeout = 0 },
		"old":   func(m *model.Connections) { m.IdleTimeout, m.MaxDuration = 0, 50*time.Millisecond },
		"twice": func(m *model.Connections) { m.IdleTimeout, m.MaxRequests = 0, 2 },
	} {
		nodes[name] = startConnectionNode(t)
		change(&addUpstream(c, name, model.HTTP, nodes[name].address).Connections)
	}
	caller := eachUpstream(t, c).dial("http", nil)
	ask := func(name string) {
		if a := caller.do("GET", "shop.test", "/"+name); a.Status != 200 {
			t.Fatalf("/%s: %+v", name, a)
		}
	}
	for name := range nodes {
		ask(name)
	}
	for _, name := range []string{"brief", "old"} {
		eventually(t, "the connection of "+name+" is closed", func() bool { return nodes[name].open.Load() == 0 })
	}
	if n := nodes["kept"]; n.open.Load() != 1 {
		t.Error("a connection without idle_timeout was closed")
	}
	for range 5 {
		ask("twice")
		ask("kept")
	}
	if got := nodes["twice"].opened.Load(); got != 3 {
		t.Errorf("6 requests, 2 per connection: %d connections", got)
	}
	if got := nodes["kept"].opened.Load(); got != 1 {
		t.Errorf("6 requests, one after the other: %d connections", got)
	}
}

// A limit on requests answers those beyond it at once, a limit on connections has them wait in line.
func TestCircuitBreaker(t *testing.T) {
	gate := make(chan struct{})
	var open sync.Once
	defer open.Do(func() { close(gate) })
	hold := func(http.ResponseWriter, *http.Request) { <-gate }
	var all sync.WaitGroup
	c := edge()
	for name, limits := range map[string]model.CircuitBreaker{
		"requests": {MaxRequests: 3},
		"line":     {MaxConnections: 3, MaxPendingRequests: 2},
	} {
		u := addUpstream(c, name, model.HTTP, startNode(t, hold).address)
		u.Connections.Limits, u.Retries, u.Retry.On = limits, 0, []string{}
	}
	g := eachUpstream(t, c)
	for name, want := range map[string]struct {
		stat, refused string
		served        int
	}{
		"requests": {"upstream_rq_active_overflow", "7", 3},
		"line":     {"upstream_rq_pending_overflow", "5", 5},
	} {
		answers := make(chan map[int]int)
		for i := 1; i <= 3; i++ { // one after the other, since those whose connection is not there yet stand in line too
			go func() { answers <- g.burst("/"+name, 1) }()
			eventually(t, fmt.Sprint(i, " under way"), func() bool { return g.stat(name, "upstream_rq_active") == fmt.Sprint(i) })
		}
		go func() { answers <- g.burst("/"+name, 7) }()
		eventually(t, name+" refuses "+want.refused, func() bool { return g.stat(name, want.stat) == want.refused })
		all.Add(1)
		go func() {
			defer all.Done()
			got := map[int]int{}
			for range 4 {
				for status, count := range <-answers {
					got[status] += count
				}
			}
			if got[200] != want.served || got[503] != 10-want.served {
				t.Errorf("%s: 10 at once are answered %v", name, got)
			}
		}()
	}
	open.Do(func() { close(gate) })
	all.Wait()
}

// A node whose machine does not answer costs the connect timeout, and then another node is asked.
func TestConnectTimeout(t *testing.T) {
	c := edge()
	for _, name := range []string{"short", "usual"} {
		addUpstream(c, name, model.HTTP, fullSocket(t)).Retries = 1
	}
	c.Upstreams["short"].Connections.ConnectTimeout = 50 * time.Millisecond
	caller := eachUpstream(t, c).dial("http", nil)
	took := map[string]time.Duration{}
	for name := range c.Upstreams {
		start := time.Now()
		if a := caller.do("GET", "shop.test", "/"+name); a.Status != 503 {
			t.Errorf("%s: %+v", name, a)
		}
		took[name] = time.Since(start)
	}
	if took["short"] > 2*time.Second || took["usual"] < 2*model.DefaultConnectTimeout-100*time.Millisecond { // Envoy counts from when it last looked at the clock
		t.Errorf("two attempts take %v", took)
	}
}

// fullSocket is the address of a socket whose queue is full, so that the system does not answer those who connect.
func fullSocket(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	address := hostPort("127.0.0.1", uint16(name.(*syscall.SockaddrInet4).Port))
	for range 16 {
		conn, err := net.DialTimeout("tcp", address, 300*time.Millisecond)
		if err != nil {
			return address
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
	t.Fatal("the queue of a listening socket is never full")
	return ""
}
