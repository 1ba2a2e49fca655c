package translate

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirproxy/weir/model"
)

// burst sends GETs at once, each on a connection of its own, and counts the statuses.
func (g *gateway) burst(path string, requests int) map[int]int {
	g.t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	statuses := map[int]int{}
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for range requests {
		all.Go(func() {
			status := 0
			if response, err := client.Get("http://" + g.ports["http"] + path); err == nil {
				response.Body.Close()
				status = response.StatusCode
			}
			mu.Lock()
			defer mu.Unlock()
			statuses[status]++
		})
	}
	all.Wait()
	return statuses
}

// eachUpstream mounts every upstream at its name, and runs Envoy.
func eachUpstream(t *testing.T, c *model.Configuration) *gateway {
	t.Helper()
	var apis []*model.API
	for name := range c.Upstreams {
		apis = append(apis, forwardAPI(name, "/"+name, name, ""))
	}
	addService(c, "shop", "", apis...)
	return startEnvoy(t, cutUp(c), nil)
}

// stat is a counter of an upstream's cluster.
func (g *gateway) stat(upstream, name string) string {
	g.t.Helper()
	text, _, err := g.adminGet("/stats?filter=^cluster.upstream/" + upstream + "." + name + "$")
	if err != nil {
		g.t.Fatal(err)
	}
	_, value, _ := strings.Cut(strings.TrimSpace(text), ": ")
	return value
}

// Two hundred requests in flight lose nothing to a node that is dead, however few the retries; nor, where there are enough,
// to three out of four.
func TestRetriesUnderLoad(t *testing.T) {
	const requests = 200
	var inFlight atomic.Int32
	var gate chan struct{}
	slow := func(http.ResponseWriter, *http.Request) { // answers when all requests are there
		if inFlight.Add(1) == requests {
			close(gate)
		}
		select {
		case <-gate:
		case <-time.After(20 * time.Second):
		}
	}
	var alive []string
	for range 4 {
		alive = append(alive, startNode(t, slow).address)
	}
	dead := func(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
	c := edge()
	for _, k := range []int{1, 5} {
		addUpstream(c, fmt.Sprintf("one_%d", k), model.HTTP, alive[0], alive[1], alive[2], dead(1)).Retries = k
	}
	addUpstream(c, "three_5", model.HTTP, alive[3], dead(1), dead(2), dead(3)).Retries = 5
	g := eachUpstream(t, c)
	for name := range c.Upstreams {
		inFlight.Store(0)
		gate = make(chan struct{})
		if got := g.burst("/"+name, requests); got[200] != requests {
			t.Errorf("%s: %d requests in flight are answered %v", name, requests, got)
		}
		t.Logf("%s: %s retries, %s over the budget", name, g.stat(name, "upstream_rq_retry"), g.stat(name, "upstream_rq_retry_overflow"))
	}
}

// Where every node fails, the budget keeps the retries of all requests together from being a multiple of them.
func TestRetryBudget(t *testing.T) {
	const requests, k = 300, 5
	c, attempts := edge(), map[string]*atomic.Int32{}
	for _, name := range []string{"held", "free"} {
		count := new(atomic.Int32)
		attempts[name] = count
		n := startNode(t, func(w http.ResponseWriter, _ *http.Request) {
			count.Add(1)
			time.Sleep(20 * time.Millisecond) // a node that fails under load does not fail at once
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		go func() {
			for range n.requests { // there are more than it keeps
			}
		}()
		t.Cleanup(func() { close(n.requests) })
		addUpstream(c, name, model.HTTP, n.address).Retries = k
	}
	c.Upstreams["held"].Retry.Budget = model.Budget{Percent: 1, MinConcurrency: 10}
	g := eachUpstream(t, c)
	for _, name := range []string{"held", "free"} {
		if got := g.burst("/"+name, requests); got[503] != requests {
			t.Errorf("%s: answered %v", name, got)
		}
		t.Logf("%s: %d attempts", name, attempts[name].Load())
	}
	if got := attempts["free"].Load(); got != requests*(1+k) {
		t.Errorf("the default budget is in the way of %d requests: %d attempts, want %d", requests, got, requests*(1+k))
	}
	if got := attempts["held"].Load(); got < requests || got > requests*2 {
		t.Errorf("10 retries at a time: %d attempts of %d requests", got, requests)
	}
}

// What retry { on } says takes the place of all conditions, those for some methods too.
func TestRetryConditions(t *testing.T) {
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	answers := map[string]http.HandlerFunc{
		"500": status(500), "502": status(502), "503": status(503), "409": status(409), "429": status(429),
		"reset": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
	nodes := map[string]*node{}
	c := edge()
	for fails, answer := range answers {
		nodes[fails] = startNode(t, answer)
	}
	var tests []func(caller *client)
	add := func(name string, retry model.Retry, want map[string]int) {
		for fails, node := range nodes {
			upstream := name + "_" + fails
			u := addUpstream(c, upstream, model.HTTP, node.address)
			u.Retries, u.Retry.On, u.Retry.StatusCodes = 2, retry.On, retry.StatusCodes
			if name == "none" {
				u.Retries = 0
			}
			tests = append(tests, func(caller *client) {
				for _, method := range []string{"GET", "POST"} {
					caller.do(method, "shop.test", "/"+upstream)
					if got := drain(t, node); got != max(1, want[method+" "+fails], want[fails]) {
						t.Errorf("%s %s: %d attempts", method, upstream, got)
					}
				}
			})
		}
	}
	add("default", model.Retry{}, map[string]int{"GET 502": 3, "GET 503": 3, "GET reset": 3})
	add("none", model.Retry{On: []string{}}, nil)
	add("connect", model.Retry{On: []string{"connect-failure"}}, nil)
	add("five", model.Retry{On: []string{"5xx"}}, map[string]int{"500": 3, "502": 3, "503": 3, "reset": 3})
	add("gateway", model.Retry{On: []string{"gateway-error"}}, map[string]int{"502": 3, "503": 3, "reset": 3})
	add("reset", model.Retry{On: []string{"reset"}}, map[string]int{"reset": 3})
	add("codes", model.Retry{On: []string{"retriable-4xx"}, StatusCodes: []int{429, 503}}, map[string]int{"409": 3, "429": 3, "503": 3})
	caller := eachUpstream(t, c).dial("http", nil)
	for _, test := range tests {
		test(caller)
	}
}

// An attempt that takes too long is given up, and another node is asked; a POST that a node may have read is not sent again.
func TestPerTryTimeout(t *testing.T) {
	c := edge()
	hangs := startNode(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	good := startNode(t, nil)
	u := addUpstream(c, "half", model.HTTP, hangs.address, good.address)
	u.Retries, u.Retry.PerTryTimeout = 1, 100*time.Millisecond
	caller := eachUpstream(t, c).dial("http", nil)
	for range 10 {
		if a := caller.do("GET", "shop.test", "/half"); a.Status != 200 {
			t.Errorf("GET: status %d", a.Status)
		}
	}
	if attempts := drain(t, hangs, good); attempts < 11 {
		t.Errorf("%d attempts: the node that hangs was never asked, so nothing is shown", attempts)
	}
	timeouts := 0
	for range 10 {
		if a := caller.send("POST", "shop.test", "/half", "body"); a.Status == 504 {
			timeouts++
		}
	}
	if seen := drain(t, hangs, good); timeouts == 0 || seen != 10 {
		t.Errorf("10 POSTs: %d given up, %d arrived", timeouts, seen)
	}
}

// Pauses are as long as they are said to be: of ten retries that wait up to 200 ms each, all take less than 10 ms about
// once in 10^13 times.
func TestBackOff(t *testing.T) {
	c := edge()
	for name, pause := range map[string]time.Duration{"short": time.Millisecond, "long": 200 * time.Millisecond} {
		u := addUpstream(c, name, model.HTTP, "127.0.0.1:1")
		u.Retries, u.Retry.BackOff = 10, model.BackOff{Base: pause, Max: pause}
	}
	caller := eachUpstream(t, c).dial("http", nil)
	took := map[string]time.Duration{}
	for name := range c.Upstreams {
		start := time.Now()
		caller.do("GET", "shop.test", "/"+name)
		took[name] = time.Since(start)
	}
	if t.Logf("%v", took); took["long"] < 100*time.Millisecond || took["long"] < took["short"] {
		t.Errorf("10 retries take %v", took)
	}
}
