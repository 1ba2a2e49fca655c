package e2e

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// nodeFaults are those of one of three nodes. The load is of GET and PUT, which may be sent again.
var nodeFaults = []fault{
	{"a node is killed and comes back", "its requests are sent to another node", nodeIsKilled},
	{"a node's machine is gone: packets to it vanish", "its requests wait for `connect_timeout` (2 s), then they are sent to another node", nodeVanishes},
	{"a node resets every connection", "its requests are sent to another node (a POST that it has read is not)", func(t *testing.T) result { return nodeMisbehaves(t, reset) }},
	{"a node answers with garbage that is no HTTP", "its requests are sent to another node (a POST that it has read is not)", func(t *testing.T) result { return nodeMisbehaves(t, garbage) }},
	{"a node answers 503 to everything", "its requests are sent to another node (a POST that it has read is not)", func(t *testing.T) result { return nodeMisbehaves(t, unavailable) }},
	{"a node breaks off in the middle of its answers", "Envoy has passed on the beginning and cannot take it back: the node's share fails until its weight is 0", nodeBreaksOff},
	{"a node takes requests and never answers (`timeout = \"1s\"`)", "the node's share is answered 504 after the timeout, until its weight is 0", nodeHangs},
	{"the same, with `retry { per_try_timeout = \"300ms\" }`", "its requests are sent to another node after that time", nodeHangsForOneTry},
	{"the same, with `health_check { interval = \"200ms\" }`", "the node's share is answered 504 until it has failed a few checks, then nobody is sent to it", nodeHangsAndIsChecked},
}

// trio is a gateway with three nodes, of which the first one goes wrong.
type trio struct {
	*gateway
	port    int
	timeout string
	more    string // of the upstream
	nodes   []*node
}

func startTrio(t *testing.T, timeout string, more ...string) *trio {
	t.Helper()
	f := &trio{nodes: newNodes(t, 3), port: freePort(t), timeout: timeout, more: strings.Join(more, "")}
	f.nodes[0] = startNode(t, "bad", loopback(freePort(t)), nil) // a port that stays free while the node is away
	f.gateway = runWeir(t, newDirectory(t, files{"gateway.hcl": f.text(1)}))
	awaitReady(t, f.gateway, f.port)
	return f
}

// text gives the first node a weight.
func (f *trio) text(weight int) string {
	text := shop(f.port, weighted(f.nodes, weight, 1, 1)+f.more)
	return withTimeout(text, f.timeout)
}

// withTimeout gives the API of shopText a timeout.
func withTimeout(text, timeout string) string {
	return fill(text[:len(text)-len(shopBackend)]+"    backend {\n      upstream = upstream.orders\n      timeout  = \"<t>\"\n    }\n  }\n}\n", "t", timeout)
}

// shopBackend is the end of shopText.
const shopBackend = "    backend { upstream = upstream.orders }\n  }\n}\n"

func (f *trio) call() request { return request{port: f.port, path: "/"} }

func nodeIsKilled(t *testing.T) result {
	f := startTrio(t, "15s")
	l := press(t, f.call())
	l.hold(500 * time.Millisecond)
	bad := f.nodes[0]
	bad.stop()
	l.hold(2 * time.Second)
	back := startNode(t, bad.name, bad.address, nil)
	eventually(t, startBound, "the node gets requests again", func() error { return hold(back.count() > 0, "none yet") })
	return result{l.release().none(t), fmt.Sprintf("%d answered by the node", back.count()+bad.count())}
}

// nodeMisbehaves has one node answer badly for a while.
func nodeMisbehaves(t *testing.T, badly http.HandlerFunc) result {
	return trioMisbehaves(t, startTrio(t, "15s"), badly)
}

func nodeHangsForOneTry(t *testing.T) result {
	return trioMisbehaves(t, startTrio(t, "15s", "  retry {\n    per_try_timeout = \"300ms\"\n  }\n"), hang)
}

func trioMisbehaves(t *testing.T, f *trio, badly http.HandlerFunc) result {
	l := press(t, f.call())
	l.hold(500 * time.Millisecond)
	before := f.nodes[0].count()
	f.nodes[0].behave(badly)
	l.hold(2 * time.Second)
	f.nodes[0].behave(nil)
	asked := f.nodes[0].count() - before
	if asked < 10 {
		t.Errorf("the bad node was asked %d times: that shows nothing", asked)
	}
	l.hold(200 * time.Millisecond)
	return result{l.release().none(t), fmt.Sprintf("%d requests reached the bad node", asked)}
}

// reset cuts the connection so that the other side sees a TCP reset.
func reset(w http.ResponseWriter, _ *http.Request) {
	connection, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_ = connection.(*net.TCPConn).SetLinger(0)
	_ = connection.Close()
}

// garbage answers in no protocol.
func garbage(w http.ResponseWriter, _ *http.Request) {
	connection, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_, _ = connection.Write([]byte("\x00\xff\x17garbage\r\n\r\n{]"))
	_ = connection.Close()
}

// breakOff promises more than it sends.
func breakOff(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Length", "1000")
	_, _ = w.Write([]byte("the beginning"))
	_ = http.NewResponseController(w).Flush()
	reset(w, r)
}

func nodeBreaksOff(t *testing.T) result { return shareFails(t, breakOff) }

func nodeHangs(t *testing.T) result {
	return shareFails(t, hang)
}

// hang never answers.
func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func nodeHangsAndIsChecked(t *testing.T) result {
	f := startTrio(t, "1s", "  health_check {\n    interval = \"200ms\"\n    timeout  = \"200ms\"\n  }\n")
	l := press(t, f.call())
	l.hold(500 * time.Millisecond)
	began := time.Now()
	f.nodes[0].behave(hang)
	eventually(t, startBound, "Envoy finds out", answeredByAll(f.call(), f.nodes[1].name, f.nodes[2].name))
	out := time.Now()
	if out.Sub(began) > 10*time.Second {
		t.Errorf("Envoy found out after %v", out.Sub(began))
	}
	l.hold(2 * time.Second)
	f.nodes[0].behave(nil)
	eventually(t, startBound, "the node is used again", answeredByAll(f.call(), f.nodes[0].name, f.nodes[1].name, f.nodes[2].name))
	return result{l.release().noneAfter(t, out), fmt.Sprintf("found out after %v", round(out.Sub(began)))}
}

// shareFails has one node do what cannot be mended, and then the operator switch it off. What fails is the node's third,
// and nothing that is sent after the edit is live.
func shareFails(t *testing.T, badly http.HandlerFunc) result {
	f := startTrio(t, "1s")
	l := press(t, f.call())
	l.hold(500 * time.Millisecond)
	began := time.Now()
	f.nodes[0].behave(badly)
	l.hold(2 * time.Second)
	f.save(t, "gateway.hcl", f.text(0))
	eventually(t, editBound, "the node is switched off", answeredByAll(f.call(), f.nodes[1].name, f.nodes[2].name))
	off := time.Now()
	l.hold(time.Second)
	c := l.release().noneAfter(t, off)
	if sent := c.sentDuring(began, off); c.failed > sent/2 {
		t.Errorf("%d failed of %d while the node was bad: more than its share%s", c.failed, sent, describe(c.failures))
	}
	return result{c, fmt.Sprintf("of %d sent while the node was in use", c.sentDuring(began, off))}
}

func nodeVanishes(t *testing.T) result {
	nodes := newNodes(t, 2)
	g, port := startShop(t, plain(nodes...), nil)
	r := request{port: port, path: "/"}
	l := press(t, r)
	l.hold(500 * time.Millisecond)
	gone := blackHole(t)
	text := shop(port, plain(nodes...)+fmt.Sprintf("  node %q {}\n", gone))
	g.save(t, "gateway.hcl", text)
	l.hold(4 * time.Second)
	g.save(t, "gateway.hcl", shop(port, plain(nodes...)))
	l.hold(time.Second)
	c := l.release().none(t)
	if len(c.bodies) != 2 {
		t.Errorf("answers of %v", c.bodies)
	}
	return result{c, ""}
}

// blackHole is an address to which connections are neither made nor refused: a queue of connections that is full, so that
// the kernel drops what else comes.
func blackHole(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	must(t, err)
	t.Cleanup(func() { syscall.Close(fd) })
	must(t, syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	must(t, syscall.Listen(fd, 0))
	name, err := syscall.Getsockname(fd)
	must(t, err)
	address := loopback(name.(*syscall.SockaddrInet4).Port)
	for range 100 {
		connection, err := net.DialTimeout("tcp", address, 200*time.Millisecond)
		if err != nil {
			return address
		}
		t.Cleanup(func() { connection.Close() })
	}
	t.Fatal("the queue never gets full")
	return ""
}
