package e2e

import (
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
