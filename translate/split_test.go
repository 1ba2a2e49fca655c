package translate

import (
	"net/http"
	"testing"
	"time"

	"github.com/weirproxy/weir/model"
)

// TestSplit counts where the requests of a split go, with which Host header, and how often each upstream retries.
func TestSplit(t *testing.T) {
	const requests = 2000
	c := edge()
	upstreams := []struct {
		name   string
		host   string
		weight uint32
	}{{"a", "", 70}, {"b", "b.internal", 30}, {"c", "", 0}}
	var split []model.Target
	var nodes []*node
	for _, u := range upstreams {
		n := startNode(t, nil)
		nodes = append(nodes, n)
		addUpstream(c, u.name, model.HTTP, n.address).HostHeader = u.host
		split = append(split, model.Target{Upstream: u.name, Weight: u.weight})
	}
	fails := startNode(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	addUpstream(c, "once", model.HTTP, fails.address).Retries = 1
	addUpstream(c, "four", model.HTTP, fails.address).Retries = 4
	addService(c, "shop", "shop.test",
		splitAPI("split", "/split/*", "/v1", split...),
		splitAPI("retries", "/retries", "", model.Target{Upstream: "once", Weight: 1}, model.Target{Upstream: "four", Weight: 1}))
	caller := startEnvoy(t, cutUp(c), nil).dial("http", nil)
	for range requests {
		if a := caller.do("GET", "shop.test", "/split/a"); a.Status != 200 {
			t.Fatalf("status %d", a.Status)
		}
		for i, n := range nodes {
			for len(n.requests) > 0 {
				r := <-n.requests
				want := upstreams[i].host
				if want == "" {
					want = "shop.test"
				}
				if r.Host != want || r.URL.Path != "/v1/a" {
					t.Fatalf("upstream %s saw %s%s", upstreams[i].name, r.Host, r.URL.Path)
				}
				upstreams[i].weight += 1 << 16
			}
		}
	}
	for _, u := range upstreams {
		want := float64(u.weight & 0xffff)
		if percent := float64(u.weight>>16) / requests * 100; percent < want-5 || percent > want+5 || want == 0 && percent > 0 {
			t.Errorf("upstream %s got %.1f %% of the requests, want %.0f", u.name, percent, want)
		}
	}
	attempts := map[int]int{}
	for range 50 {
		caller.do("GET", "shop.test", "/retries")
		attempts[drain(t, fails)]++
	}
	if attempts[2]+attempts[5] != 50 || attempts[2] == 0 || attempts[5] == 0 {
		t.Errorf("attempts per request: %v, want some of 2 and some of 5, each upstream's own", attempts)
	}
}

func splitAPI(name, line, replacement string, targets ...model.Target) *model.API {
	api := forwardAPI(name, line, "", replacement)
	api.Backend.Split = targets
	return api
}

// TestMirror looks at the copies, and at callers who must not notice what becomes of them.
func TestMirror(t *testing.T) {
	c := edge()
	main, copies := startNode(t, nil), startNode(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	hangs := startNode(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	addUpstream(c, "main", model.HTTP, main.address)
	addUpstream(c, "copies", model.HTTP, copies.address)
	addUpstream(c, "some", model.HTTP, copies.address)
	addUpstream(c, "none", model.HTTP, copies.address)
	addUpstream(c, "named", model.HTTP, copies.address).HostHeader = "shadow.internal"
	addUpstream(c, "hangs", model.HTTP, hangs.address)
	addUpstream(c, "dead", model.HTTP, "127.0.0.1:1")
	mirrored := func(name, line string, mirrors ...model.Mirror) *model.API {
		api := forwardAPI(name, line, "main", "/v1")
		api.Backend.Mirrors = mirrors
		return api
	}
	addService(c, "shop", "shop.test",
		mirrored("all", "/all", model.Mirror{Upstream: "copies", Percent: 100}),
		mirrored("named", "/named", model.Mirror{Upstream: "named", Percent: 100}, model.Mirror{Upstream: "dead", Percent: 100}),
		mirrored("some", "/some", model.Mirror{Upstream: "some", Percent: 20}),
		mirrored("none", "/none", model.Mirror{Upstream: "none", Percent: 0}),
		mirrored("hangs", "/hangs", model.Mirror{Upstream: "hangs", Percent: 100}))
	g := startEnvoy(t, cutUp(c), nil)
	caller := g.dial("http", nil)
	ask := func(path string, times int) {
		t.Helper()
		for range times {
			if a := caller.send("POST", "shop.test", path, "body"); a.Status != 200 {
				t.Fatalf("%s: status %d, although only copies fail", path, a.Status)
			}
		}
		if got := drain(t, main); got != times {
			t.Errorf("%s: the upstream saw %d of %d requests", path, got, times)
		}
	}
	for path, host := range map[string]string{"/all": "shop.test", "/named": "shadow.internal"} {
		ask(path, 20)
		for range 20 {
			select {
			case r := <-copies.requests:
				if r.Host != host || r.Method != "POST" || r.URL.Path != "/v1" || r.ContentLength != 4 {
					t.Fatalf("%s: the copy is %s %s%s of %d bytes", path, r.Method, r.Host, r.URL.Path, r.ContentLength)
				}
			case <-time.After(30 * time.Second):
				t.Fatalf("%s: a copy is missing", path)
			}
		}
	}
	ask("/hangs", 20)
	ask("/none", 50)
	ask("/some", 1000)
	if n := g.counter("cluster.upstream/none.upstream_rq_total"); n != 0 {
		t.Errorf("%d copies were sent where 0 %% are", n)
	}
	if n := g.counter("cluster.upstream/some.upstream_rq_total"); n < 120 || n > 280 {
		t.Errorf("%d of 1000 requests were copied, want about 200", n)
	}
}
