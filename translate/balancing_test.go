package translate

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/weirproxy/weir/model"
)

// named is a node that answers with its name.
func named(t *testing.T, name string) *node {
	t.Helper()
	return startNode(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, name) })
}

// Requests with one key go to one node, keys are spread over all nodes by their weights, and a node that is gone moves its
// own keys only.
func TestHashing(t *testing.T) {
	const keys = 300
	c := edge()
	nodes := []*node{named(t, "n0"), named(t, "n1"), named(t, "n2")}
	for _, algorithm := range []model.LoadBalancing{model.RingHash, model.Maglev} {
		for name, key := range map[string]*model.HashKey{
			"header": {Header: "x-user"}, "cookie": {Cookie: "user", MakeCookie: true}, "source": {SourceAddress: true},
		} {
			u := addUpstream(c, string(algorithm)+"_"+name, model.HTTP, nodes[0].address, nodes[1].address, nodes[2].address)
			u.LoadBalancing, u.HashKey = algorithm, key
			u.Nodes[0].Weight = 2
		}
		u := addUpstream(c, string(algorithm)+"_dead", model.HTTP, nodes[0].address, nodes[1].address, "127.0.0.1:1")
		u.LoadBalancing, u.HashKey, u.Retries = algorithm, &model.HashKey{Header: "x-user"}, 1
		v := addUpstream(c, string(algorithm)+"_names", model.HTTP, strings.Replace(nodes[0].address, "127.0.0.1", "localhost", 1), nodes[1].address)
		v.LoadBalancing, v.HashKey = algorithm, &model.HashKey{Header: "x-user"}
	}
	g := eachUpstream(t, c)
	caller := g.dial("http", nil)
	ask := func(path string, headers ...string) answer {
		a := caller.do("GET", "shop.test", "/"+path, headers...)
		drain(t, nodes...)
		if a.Status != 200 {
			t.Fatalf("%s: %+v", path, a)
		}
		return a
	}
	for _, algorithm := range []string{"ring_hash", "maglev"} {
		for _, kind := range []string{"header", "dead", "names"} {
			chosen, counts := map[int]string{}, map[string]int{}
			for round := range 2 {
				for key := range keys {
					a := ask(algorithm+"_"+kind, fmt.Sprint("X-User: ", key))
					if round > 0 && chosen[key] != a.Body {
						t.Errorf("%s_%s: key %d goes to %s, and then to %s", algorithm, kind, key, chosen[key], a.Body)
					}
					chosen[key] = a.Body
					counts[a.Body]++
				}
			}
			t.Logf("%s_%s: %v", algorithm, kind, counts)
			if kind == "header" && (counts["n0"] < keys*2*3/10 || counts["n0"] > keys*2*7/10 || counts["n1"] < keys/10 || counts["n2"] < keys/10) {
				t.Errorf("%s: weights 2, 1, 1 give %v", algorithm, counts)
			}
			if len(counts) != map[string]int{"header": 3, "dead": 2, "names": 2}[kind] {
				t.Errorf("%s_%s: %v", algorithm, kind, counts)
			}
		}
		cookie, _, _ := strings.Cut(ask(algorithm+"_cookie").Header.Get("Set-Cookie"), ";")
		if !strings.HasPrefix(cookie, "user=") {
			t.Fatalf("%s: a caller without a cookie is given %q", algorithm, cookie)
		}
		first := ask(algorithm+"_cookie", "Cookie: "+cookie)
		if again := first.Header.Get("Set-Cookie"); again != "" {
			t.Errorf("%s: a caller with a cookie is given another: %q", algorithm, again)
		}
		source := ask(algorithm + "_source").Body
		for range 20 {
			if a := ask(algorithm+"_cookie", "Cookie: "+cookie); a.Body != first.Body {
				t.Errorf("%s: the cookie leads to %s and to %s", algorithm, first.Body, a.Body)
			}
			if a := ask(algorithm + "_source"); a.Body != source {
				t.Errorf("%s: the address leads to %s and to %s", algorithm, source, a.Body)
			}
		}
	}
}

// A node that is slow gets less under least_request; random gives equal shares.
func TestLeastRequestAndRandom(t *testing.T) {
	c := edge()
	gate := make(chan struct{})
	var holding atomic.Bool
	var held atomic.Int32
	slow := startNode(t, func(w http.ResponseWriter, _ *http.Request) {
		if holding.Load() {
			held.Add(1)
			<-gate
		}
		fmt.Fprint(w, "slow")
	})
	fast := named(t, "fast")
	for _, algorithm := range []model.LoadBalancing{model.LeastRequest, model.Random} {
		addUpstream(c, string(algorithm), model.HTTP, slow.address, fast.address).LoadBalancing = algorithm
	}
	g := eachUpstream(t, c)
	caller := g.dial("http", nil)
	count := func(path string) map[string]int {
		counts := map[string]int{}
		for range 400 {
			counts[caller.do("GET", "shop.test", path).Body]++
			drain(t, slow, fast)
		}
		return counts
	}
	if got := count("/random"); got["slow"] < 120 || got["fast"] < 120 {
		t.Errorf("random: %v", got) // 8 standard deviations off
	}
	holding.Store(true)
	done := make(chan map[int]int)
	go func() { done <- g.burst("/least_request", 10) }()
	eventually(t, "the slow node has requests", func() bool { return held.Load() > 0 })
	holding.Store(false)
	got := count("/least_request")
	close(gate)
	if answers := <-done; answers[200] != 10 {
		t.Errorf("held requests are answered %v", answers)
	}
	// Of two nodes at random both are drawn half of the time, and a quarter of the time only the slow one is.
	if got["slow"] > 180 || got["fast"] < 220 {
		t.Errorf("least_request: %v", got)
	}
}

// Shares are exact over full cycles, on each worker, also where nodes are names.
func TestSharesPerWorker(t *testing.T) {
	for kind, hosts := range map[string][]string{"addresses": {"127.0.0.1"}, "names": {"localhost", "127.0.0.1"}} {
		t.Run(kind, func(t *testing.T) { sharesPerWorker(t, hosts) })
	}
}

func sharesPerWorker(t *testing.T, hosts []string) {
	const cycles = 20
	weights := []int{5, 3, 2, 0}
	c := edge()
	var nodes []*node
	u := addUpstream(c, "orders", model.HTTP)
	for i, weight := range weights {
		n := startNode(t, nil)
		nodes = append(nodes, n)
		one := addUpstream(edge(), "", model.HTTP, strings.Replace(n.address, "127.0.0.1", hosts[i%len(hosts)], 1))
		one.Nodes[0].Weight = uint32(weight)
		u.Nodes = append(u.Nodes, one.Nodes...)
	}
	addService(c, "shop", "", forwardAPI("all", "*", "orders", ""))
	g := startWorkers(t, cutUp(c), nil, 2)
	total := make([]int, len(nodes))
	const connections = 8 // each is one worker's, and no worker has any other meanwhile
	for range connections {
		caller := g.dial("http", nil)
		for range 10 * cycles {
			if a := caller.do("GET", "shop.test", "/"); a.Status != 200 {
				t.Fatalf("%+v", a)
			}
		}
		for i, n := range nodes {
			got := drain(t, n)
			total[i] += got
			if want := weights[i] * cycles; got < want-1 || got > want+1 {
				t.Errorf("one worker: the node of weight %d got %d of %d requests", weights[i], got, 10*cycles)
			}
		}
	}
	for i, got := range total {
		if want := weights[i] * cycles * connections; got < want-connections || got > want+connections || weights[i] == 0 && got > 0 {
			t.Errorf("overall: the node of weight %d got %d of %d requests", weights[i], got, 10*cycles*connections)
		}
	}
	t.Logf("weights %v: %v", weights, total)
}
