package translate

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirproxy/weir/model"
)

// algorithms are all of them.
var algorithms = []model.LoadBalancing{model.WeightedRoundRobin, model.LeastRequest, model.Random, model.RingHash, model.Maglev}

// post sends POSTs at once, each with a body and a user of its own, and counts the statuses.
func (g *gateway) post(path string, requests int) map[int]int {
	g.t.Helper()
	statuses := make(chan int, requests)
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for i := range requests {
		go func() {
			request, _ := http.NewRequest(http.MethodPost, "http://"+g.ports["http"]+path, strings.NewReader(fmt.Sprint("body ", i)))
			request.Header.Set("x-user", fmt.Sprint(i))
			status := 0
			if response, err := client.Do(request); err == nil {
				response.Body.Close()
				status = response.StatusCode
			}
			statuses <- status
		}()
	}
	counts := map[int]int{}
	for range requests {
		counts[<-statuses]++
	}
	return counts
}

// Whatever chooses the node, and however nodes are named: with one of four dead and 200 POSTs in flight, one retry is enough.
func TestOneOfFourDead(t *testing.T) {
	const requests = 200
	c := edge()
	var nodes []string
	for range 3 {
		n := startNode(t, func(http.ResponseWriter, *http.Request) { time.Sleep(100 * time.Millisecond) }) // so that all are in flight
		go func() {
			for range n.requests {
			}
		}()
		t.Cleanup(func() { close(n.requests) })
		nodes = append(nodes, n.address)
	}
	nodes = append(nodes, "127.0.0.1:1")
	for i, algorithm := range algorithms {
		for kind, host := range map[string]string{"addresses": "127.0.0.1", "names": "localhost"} {
			u := addUpstream(c, string(algorithm)+"_"+kind, model.HTTP, strings.Split(strings.ReplaceAll(strings.Join(nodes, " "), "127.0.0.1", host), " ")...)
			u.LoadBalancing, u.Retries = algorithm, 1
			if algorithm.Hashes() {
				u.HashKey = &model.HashKey{Header: "x-user"}
			}
			if i%2 == 0 {
				u.Nodes[3].Weight = 2 // the dead one is asked more often
			}
		}
	}
	g := eachUpstream(t, c)
	for name := range c.Upstreams {
		if got := g.post("/"+name, requests); got[200] != requests {
			t.Errorf("%s: %v", name, got)
		}
		if g.stat(name, "upstream_rq_retry") == "0" {
			t.Errorf("%s: the dead node was never asked, so nothing is shown", name)
		}
	}
}

// Of a name with several addresses, a retry goes to another one.
func TestRetriesReachAnotherAddress(t *testing.T) {
	dns := startDNS(t)
	l, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	serveNamed(t, l, "good")
	_, port, _ := net.SplitHostPort(l.Addr().String())
	dns.tell("name.test", dnsRecord{addresses: []string{"127.0.0.1", "127.0.0.3", "127.0.0.4", "127.0.0.2"}})
	c := edge()
	var apis []*model.API
	for _, algorithm := range algorithms {
		u := addUpstream(c, string(algorithm), model.HTTP, "name.test:"+port)
		u.LoadBalancing, u.Retries = algorithm, 3
		if algorithm.Hashes() {
			u.HashKey = &model.HashKey{Header: "x-user"}
		}
		apis = append(apis, forwardAPI(u.Name, "/"+u.Name, u.Name, ""))
	}
	addService(c, "shop", "", apis...)
	g := startEnvoy(t, resolvedBy(t, dns, Instance(c, "edge")), nil)
	for _, algorithm := range algorithms {
		if got := g.post("/"+string(algorithm), 100); got[200] != 100 {
			t.Errorf("%s: with three of four addresses dead: %v", algorithm, got)
		}
	}
}

// rawNode counts the bodies that it reads, and answers as its test says.
type rawNode struct {
	address string
	mu      sync.Mutex
	bodies  map[string]int
}

// startRawNode hands every request to answer, with how many came before it on the connection.
func startRawNode(t *testing.T, answer func(conn *net.TCPConn, before int)) *rawNode {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	n := &rawNode{address: l.Addr().String(), bodies: map[string]int{}}
	serve := func(conn net.Conn) {
		defer conn.Close()
		in := bufio.NewReader(conn)
		for before := 0; ; before++ {
			request, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			body, err := io.ReadAll(request.Body)
			if err != nil {
				return
			}
			n.mu.Lock()
			n.bodies[string(body)]++
			n.mu.Unlock()
			answer(conn.(*net.TCPConn), before)
		}
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	return n
}

func says(text string) func(*net.TCPConn, int) {
	return func(conn *net.TCPConn, _ int) { _, _ = io.WriteString(conn, text) }
}

func cuts(conn *net.TCPConn, _ int) { _ = conn.Close() }

func resets(conn *net.TCPConn, _ int) {
	_ = conn.SetLinger(0)
	_ = conn.Close()
}

// A POST that a node has read is sent to no other, however the node fails, and on whichever request of a connection.
func TestPostArrivesOnce(t *testing.T) {
	const requests = 60
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	then := func(fail func(*net.TCPConn, int)) func(*net.TCPConn, int) {
		return func(conn *net.TCPConn, before int) {
			if before > 0 {
				fail(conn, before)
				return
			}
			says(ok)(conn, before)
		}
	}
	good := startRawNode(t, says(ok))
	c, bad := edge(), map[string]*rawNode{}
	for name, fail := range map[string]func(*net.TCPConn, int){
		"cuts": cuts, "resets": resets, "cuts_the_second": then(cuts), "resets_the_second": then(resets),
		"continues": func(conn *net.TCPConn, _ int) { says("HTTP/1.1 100 Continue\r\n\r\n")(conn, 0); cuts(conn, 0) },
		"begins":    func(conn *net.TCPConn, _ int) { says("HTTP/1.1 200 OK\r\nContent-Le")(conn, 0); cuts(conn, 0) },
		"garbage":   func(conn *net.TCPConn, _ int) { says("nonsense\r\n\r\n")(conn, 0); cuts(conn, 0) },
		"fails":     says("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"),
	} {
		bad[name] = startRawNode(t, fail)
		addUpstream(c, name, model.HTTP, bad[name].address, good.address)
	}
	caller := eachUpstream(t, c).dial("http", nil)
	for name, node := range bad {
		failed := 0
		for i := range requests {
			if a := caller.send("POST", "shop.test", "/"+name, fmt.Sprint(name, " ", i)); a.Status != 200 {
				failed++
			}
		}
		node.mu.Lock()
		good.mu.Lock()
		all := maps.Clone(good.bodies)
		for body, times := range node.bodies {
			all[body] += times
		}
		clear(good.bodies)
		good.mu.Unlock()
		node.mu.Unlock()
		for body, times := range all {
			if times != 1 {
				t.Errorf("%s: a POST arrived %d times: %q", name, times, body)
			}
		}
		if len(all) != requests || failed == 0 {
			t.Errorf("%s: %d of %d POSTs arrived, %d failed", name, len(all), requests, failed)
		}
	}
}

// max_retries takes the place of the budget: of retries beyond it none is made.
func TestMaxRetries(t *testing.T) {
	const requests, k = 60, 5
	n := startNode(t, func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(150 * time.Millisecond) // so that retries are under way at the same time
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	c := edge()
	u := addUpstream(c, "held", model.HTTP, n.address)
	u.Retries, u.Retry.Budget, u.Connections.Limits.MaxRetries = k, model.Budget{}, 2
	g := eachUpstream(t, c)
	if got := g.burst("/held", requests); got[503] != requests {
		t.Errorf("answered %v", got)
	}
	if retries := drain(t, n) - requests; retries < 1 || retries > requests*k/2 {
		t.Errorf("2 retries at a time: %d of %d", retries, requests*k)
	}
}
