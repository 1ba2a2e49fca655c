package translate

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/weirproxy/weir/model"
)

// TestRouting sends requests through the real Envoy and asks which API answers.
func TestRouting(t *testing.T) {
	c := edge()
	addMocks(t, c, "shop", "shop.test", []string{
		0:  "/orders/new",
		1:  "GET /orders/{id}",
		2:  "/orders/*",
		3:  "/orders/{id}/items/",
		4:  "/{kind}/{id}/items/{item}",
		5:  "/orders/{id}/{part}/first",
		6:  "GET /login",
		7:  "POST /login",
		8:  "GET /orders/deep/er/*",
		9:  "/files/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{a_very_long_name_of_a_variable}",
		10: "DELETE *",
		11: "/caf%C3%A9",
	})
	addMocks(t, c, "wild", "*.shop.test", []string{"/wild"})
	addMocks(t, c, "deep", "*.eu.shop.test", []string{"/deep"})
	addMocks(t, c, "rest", "", []string{"/rest"})
	addService(c, "none", "closed.test") // no API: its requests are nobody else's
	addMocks(t, c, "more", "shop.test", []string{"/more"})
	caller := startEnvoy(t, cutUp(c), nil).dial("http", nil)
	for _, test := range []struct{ request, want string }{
		{"GET closed.test /rest", ""},
		{"GET shop.test /orders/new", "shop/a0"},
		{"GET shop.test /orders/new?q=/orders/7", "shop/a0"},
		{"GET shop.test /orders/new?", "shop/a0"},
		{"GET shop.test /orders/new/", "shop/a2"}, // a trailing slash is another path
		{"GET shop.test /orders/newer", "shop/a1"},
		{"GET shop.test /orders/7", "shop/a1"},
		{"GET shop.test /orders/7?id=8", "shop/a1"},
		{"GET shop.test /orders/[x]|^\"<>`{}", "shop/a1"},
		{"GET shop.test /orders/a%2Fb", "shop/a1"},
		{"GET shop.test /orders/%37", "shop/a1"},
		{"HEAD shop.test /orders/7", "shop/a2"}, // GET does not imply HEAD
		{"POST shop.test /orders/7", "shop/a2"},
		{"GET shop.test /orders", "shop/a2"},
		{"GET shop.test /orders?q", "shop/a2"},
		{"GET shop.test /orders/", "shop/a2"}, // a variable is not empty
		{"GET shop.test /orders/7/items", "shop/a2"},
		{"GET shop.test /orders/7/items/", "shop/a3"},
		{"GET shop.test /orders/7/items/8", "shop/a4"},
		{"GET shop.test /orders/7/items/first", "shop/a5"}, // the literal further left goes first
		{"GET shop.test /carts/7/items/first", "shop/a4"},
		{"GET shop.test /orders-old", ""},
		{"GET shop.test /orders-old/7", ""},
		{"DELETE shop.test /orders-old/7", "shop/a10"},
		{"GET shop.test /orders/deep/er/still", "shop/a8"},
		{"POST shop.test /orders/deep/er/still", "shop/a2"}, // passed over, then the shorter prefix
		{"GET shop.test /login", "shop/a6"},
		{"POST shop.test /login?next=/", "shop/a7"},
		{"DELETE shop.test /login", "shop/a10"},
		{"PUT shop.test /login", ""},
		{"GET shop.test /files/1/2/3/4/5/6/7/8/9", "shop/a9"},
		{"GET shop.test /x/../orders//new", "shop/a0"},
		{"GET shop.test /caf%C3%A9", "shop/a11"},
		{"GET shop.test /more", "more/a0"}, // services of one domain are taken together
		{"GET shop.test:8080 /orders/new", "shop/a0"},
		{"GET SHOP.Test /orders/new", "shop/a0"},
		{"GET shop.test /rest", ""}, // never another domain's API
		{"GET a.shop.test /wild", "wild/a0"},
		{"GET a.b.Shop.test:1 /wild", "wild/a0"},
		{"GET a.eu.shop.test /deep", "deep/a0"},
		{"GET a.eu.shop.test /wild", ""},
		{"GET eu.shop.test /wild", "wild/a0"},
		{"GET other.test /rest", "rest/a0"},
		{"GET 127.0.0.1:80 /rest", "rest/a0"},
		{"GET [::1]:80 /rest", "rest/a0"},
		{"GET other.test /orders/new", ""},
	} {
		method, rest, _ := strings.Cut(test.request, " ")
		host, path, _ := strings.Cut(rest, " ")
		a := caller.do(method, host, path)
		if method == "HEAD" { // no body says who answered
			a.Body = test.want
		}
		if got := chosen(a); got != test.want {
			t.Errorf("%s: got %q, want %q", test.request, got, test.want)
		}
	}
}

// TestForwarding looks at requests as the nodes see them.
func TestForwarding(t *testing.T) {
	c := edge()
	seen := startNode(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Server", "node") })
	addUpstream(c, "plain", model.HTTP, seen.address)
	addUpstream(c, "named", model.HTTP, seen.address).HostHeader = "orders.internal:8443"
	addUpstream(c, "resolved", model.HTTP, strings.Replace(seen.address, "127.0.0.1", "localhost", 1))
	_, port, _ := strings.Cut(seen.address, ":")
	url := forwardAPI("url", "/url", "", "")
	url.Backend.URL = &model.URL{Protocol: model.HTTP, Host: "127.0.0.1", Port: c.Upstreams["plain"].Nodes[0].Port, Explicit: true}
	addService(c, "shop", "shop.test",
		forwardAPI("as_it_is", "/same/*", "plain", ""),
		forwardAPI("exact", "/exact", "plain", "/v1/exact/"),
		forwardAPI("swap", "/swap/{a}/{b}", "plain", "/{b}/x/{a}"),
		forwardAPI("fixed", "/fixed/{a}", "plain", "/fixed.(txt)"),
		forwardAPI("nine", "/n/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}", "plain", "/{i}/{h}/{g}/{f}/{e}/{d}/{c}/{b}/{a}"),
		forwardAPI("prefix", "/prefix/*", "plain", "/v1"),
		forwardAPI("to_root", "/to.root/*", "plain", "/"),
		forwardAPI("same_prefix", "/identity/*", "plain", "/identity"),
		forwardAPI("host", "/host", "named", ""),
		forwardAPI("names", "/names", "resolved", ""),
		url)
	addService(c, "api", "api.test", forwardAPI("root", "/*", "plain", "/v1"))
	addService(c, "any", "any.test", forwardAPI("all", "*", "plain", "/v1"))
	addService(c, "keep", "keep.test", forwardAPI("root", "/*", "plain", "/"))
	caller := startEnvoy(t, cutUp(c), nil).dial("http", nil)
	for _, test := range []struct{ host, path, seenHost, seenPath string }{
		{"shop.test", "/same/a%2Fb/?x=//y&z=%41", "shop.test", "/same/a%2Fb/?x=//y&z=%41"},
		{"Shop.test:81", "/same", "Shop.test:81", "/same"},
		{"shop.test", "/exact?x=1", "shop.test", "/v1/exact/?x=1"},
		{"shop.test", "/swap/1/%5B2?x=/swap/3/4", "shop.test", "/%5B2/x/1?x=/swap/3/4"},
		{"shop.test", `/swap/\1/\2`, "shop.test", "/2/x/1"}, // a backslash is a slash before a route is chosen
		{"shop.test", "/fixed/1", "shop.test", "/fixed.(txt)"},
		{"shop.test", "/n/1/2/3/4/5/6/7/8/9", "shop.test", "/9/8/7/6/5/4/3/2/1"},
		{"shop.test", "/prefix", "shop.test", "/v1"},
		{"shop.test", "/prefix?x", "shop.test", "/v1?x"},
		{"shop.test", "/prefix/", "shop.test", "/v1/"},
		{"shop.test", "/prefix/a/?x", "shop.test", "/v1/a/?x"},
		{"shop.test", "/to.root", "shop.test", "/"},
		{"shop.test", "/to.root?x=/", "shop.test", "/?x=/"},
		{"shop.test", "/to.root/", "shop.test", "/"},
		{"shop.test", "/to.root/a/to.root/", "shop.test", "/a/to.root/"},
		{"shop.test", "/identity/a", "shop.test", "/identity/a"},
		{"shop.test", "/host", "orders.internal:8443", "/host"},
		{"shop.test", "/names", "shop.test", "/names"},
		{"shop.test", "/url", "127.0.0.1:" + port, "/url"},
		{"api.test", "/", "api.test", "/v1/"},
		{"api.test", "/a?x", "api.test", "/v1/a?x"},
		{"any.test", "/a?x", "any.test", "/v1/a?x"},
		{"keep.test", "/a", "keep.test", "/a"},
	} {
		a := caller.do("GET", test.host, test.path)
		if a.Status != 200 || a.Header.Get("Server") != "node" {
			t.Errorf("%s%s: status %d, Server %q", test.host, test.path, a.Status, a.Header.Get("Server"))
			continue
		}
		if r := <-seen.requests; r.Host != test.seenHost || r.RequestURI != test.seenPath {
			t.Errorf("%s%s: the node saw %s%s, want %s%s", test.host, test.path, r.Host, r.RequestURI, test.seenHost, test.seenPath)
		}
	}
}

// TestRetries looks at what happens when nodes fail, and that only the operator says so.
func TestRetries(t *testing.T) {
	c := edge()
	good := startNode(t, nil)
	fails := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }
	failing, lone := startNode(t, fails), startNode(t, fails)
	resets := startNode(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	dead := "127.0.0.1:1" // nothing listens there
	addUpstream(c, "half", model.HTTP, failing.address, good.address).Retries = 1
	addUpstream(c, "resets", model.HTTP, resets.address, good.address).Retries = 1
	skewed := addUpstream(c, "dead", model.HTTP, dead, good.address)
	skewed.Retries, skewed.Nodes[0].Weight = 1, 1000 // the dead one is drawn a thousand times as often
	addUpstream(c, "lone", model.HTTP, lone.address).Retries = 3
	addUpstream(c, "hundred", model.HTTP, dead).Retries = 100
	var apis []*model.API
	for name := range c.Upstreams {
		apis = append(apis, forwardAPI(name, "/"+name, name, ""))
	}
	addService(c, "shop", "", apis...)
	g := startEnvoy(t, cutUp(c), nil)
	caller := g.dial("http", nil)

	for _, path := range []string{"/half", "/resets", "/dead"} {
		for range 50 {
			if a := caller.do("GET", "shop.test", path); a.Status != 200 {
				t.Fatalf("GET %s: status %d although one node is well", path, a.Status)
			}
		}
	}
	for range 50 {
		if a := caller.send("POST", "shop.test", "/dead", "body"); a.Status != 200 {
			t.Fatalf("POST /dead: status %d: a connection that fails is no harm to repeat", a.Status)
		}
	}
	for _, path := range []string{"/half", "/resets"} {
		drain(t, good, failing, resets)
		failed := 0
		for range 20 {
			if a := caller.send("POST", "shop.test", path, "body"); a.Status == 503 {
				failed++
			}
		}
		if seen := drain(t, good, failing, resets); failed == 0 || seen != 20 {
			t.Errorf("POST %s: 20 requests, %d of them failed, reached nodes %d times; a node that read a POST is the last", path, failed, seen)
		}
	}
	for method, want := range map[string]int{"GET": 4, "HEAD": 4, "OPTIONS": 4, "TRACE": 4, "PUT": 4, "DELETE": 4, "POST": 1, "PATCH": 1, "PROPFIND": 1} {
		caller.do(method, "shop.test", "/lone",
			"x-envoy-retry-on: 5xx,reset", "x-envoy-max-retries: 9", "x-envoy-upstream-rq-timeout-ms: 1", "x-envoy-upstream-alt-stat-name: mine")
		if attempts := drain(t, lone); attempts != want {
			t.Errorf("%s /lone: %d attempts, want %d: 3 retries for methods that may be repeated, and none of the caller's wishes", method, attempts, want)
		}
	}
	start := time.Now()
	if a := caller.do("GET", "shop.test", "/hundred"); a.Status != 503 {
		t.Errorf("GET /hundred: status %d", a.Status)
	}
	t.Logf("100 retries took %v", time.Since(start))
	if stats, _, err := g.adminGet("/stats?filter=mine"); err != nil || stats != "" {
		t.Errorf("a caller made statistics of its own: %s %v", stats, err)
	}
	stats, _, err := g.adminGet("/stats?filter=cluster.upstream/hundred.upstream_rq_retry$")
	if err != nil || strings.TrimSpace(stats) != "cluster.upstream/hundred.upstream_rq_retry: 100" {
		t.Errorf("GET /hundred: %q %v, want 100 retries", stats, err)
	}
}

// drain counts the requests that nodes saw since, and holds that the header of the gateway's own filter never left it.
func drain(t *testing.T, nodes ...*node) int {
	t.Helper()
	n := 0
	for _, node := range nodes {
		for ; len(node.requests) > 0; n++ {
			if header := (<-node.requests).Header.Values("x-envoy-retry-on"); header != nil {
				t.Errorf("x-envoy-retry-on: %q reached a node", header)
			}
		}
	}
	return n
}

// TestWeights counts where requests go, in both kinds of cluster.
func TestWeights(t *testing.T) {
	const requests = 1000
	c := edge()
	want := []int{50, 30, 20, 0}
	var nodes []*node
	addUpstream(c, "addresses", model.HTTP)
	addUpstream(c, "names", model.HTTP)
	for i, weight := range want {
		n := startNode(t, nil)
		nodes = append(nodes, n)
		for upstream, host := range map[string]string{"addresses": "127.0.0.1", "names": []string{"127.0.0.1", "localhost"}[i%2]} {
			u := addUpstream(edge(), "", model.HTTP, strings.Replace(n.address, "127.0.0.1", host, 1))
			u.Nodes[0].Weight = uint32(weight)
			c.Upstreams[upstream].Nodes = append(c.Upstreams[upstream].Nodes, u.Nodes...)
		}
	}
	addService(c, "shop", "", forwardAPI("addresses", "/addresses", "addresses", ""), forwardAPI("names", "/names", "names", ""))
	caller := startEnvoy(t, cutUp(c), nil).dial("http", nil)
	for _, path := range []string{"/addresses", "/names"} {
		for range requests {
			if a := caller.do("GET", "shop.test", path); a.Status != 200 {
				t.Fatalf("%s: status %d", path, a.Status)
			}
		}
		for i, n := range nodes {
			if percent := float64(drain(t, n)) / requests * 100; percent < float64(want[i])-3 || percent > float64(want[i])+3 || want[i] == 0 && percent > 0 {
				t.Errorf("%s: node %d got %.1f %% of the requests, want %d", path, i, percent, want[i])
			}
		}
	}
}
