package e2e

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// A node that is added gets little at first, and its share in the end.
func TestSlowStart(t *testing.T) {
	t.Parallel()
	nodes := newNodes(t, 2)
	const slow = "  slow_start {\n    window = \"4s\"\n  }\n"
	g, port := startShop(t, plain(nodes[0])+slow, nil)
	client := newClient(nil)
	defer client.CloseIdleConnections()
	// share is what the new node gets of 40 requests, which one worker shares out.
	share := func() int {
		before := nodes[1].count()
		for range 40 {
			if got, err := (request{port: port, path: "/"}).send(client, "http"); err != nil || got.status != 200 {
				t.Fatalf("%v %v", got, err)
			}
		}
		return nodes[1].count() - before
	}
	ready := time.Now()
	eventually(t, startBound, "the first node is as old as the window", func() error {
		return hold(time.Since(ready) > 5*time.Second, "it is not")
	})
	g.save(t, "gateway.hcl", shop(port, plain(nodes...)+slow))
	first := 0
	eventually(t, startBound, "the new node has its share", func() error {
		got := share()
		if first == 0 {
			first = got
		}
		return hold(got >= 19, "%d of 40", got)
	})
	if t.Logf("at first %d of 40 requests", first); first == 0 || first > 14 {
		t.Errorf("a new node gets %d of 40 requests at first", first)
	}
}

// A node that is healthy again gets little at first, too, and least_request starts it as slowly.
func TestSlowStartAfterIllness(t *testing.T) {
	t.Parallel()
	nodes := newNodes(t, 2)
	var isIll atomic.Bool
	var served atomic.Int32
	nodes[1].behave(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/health":
			served.Add(1)
		case isIll.Load():
			ill(w, r)
		}
	})
	_, port := startShop(t, plain(nodes...)+`  load_balancing = "least_request"
  slow_start {
    window = "4s"
  }
  health_check {
    path                = "/health"
    interval            = "100ms"
    healthy_threshold   = 1
    unhealthy_threshold = 1
  }
`, nil)
	client := newClient(nil)
	defer client.CloseIdleConnections()
	share := func() int {
		before := served.Load()
		for range 100 {
			if got, err := (request{port: port, path: "/"}).send(client, "http"); err != nil || got.status != http.StatusOK {
				t.Fatalf("%v %v", got, err)
			}
		}
		return int(served.Load() - before)
	}
	settles := func(what string, enough func(int) bool) (first int) {
		t.Helper()
		eventually(t, startBound, what, func() error {
			got := share()
			if first == 0 {
				first = got
			}
			return hold(enough(got), "%d of 100", got)
		})
		return first
	}
	ready := time.Now()
	settles("both nodes are older than the window", func(got int) bool { return got >= 48 && time.Since(ready) > 5*time.Second })
	isIll.Store(true)
	settles("the node that is ill gets no request", func(got int) bool { return got == 0 })
	isIll.Store(false)
	first := settles("it has its share again", func(got int) bool { return got >= 48 })
	if t.Logf("at first %d of 100 requests", first); first == 0 || first > 35 {
		t.Errorf("a node that is healthy again gets %d of 100 requests at first", first)
	}
}
