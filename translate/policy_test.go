package translate

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"github.com/weirproxy/weir/model"
)

// TestHeaderChanges looks at requests as nodes see them, and at answers as callers do.
func TestHeaderChanges(t *testing.T) {
	c := edge()
	seen := startNode(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Server", "node")
		w.Header().Set("X-Old", "node")
		w.Header().Set("X-Kept", "node")
	})
	addUpstream(c, "main", model.HTTP, seen.address).HostHeader = "main.internal"
	forward := forwardAPI("forward", "/forward", "main", "")
	forward.RequestHeaders = model.HeaderChanges{
		Set:    []model.Header{{Name: "x-set", Value: "100%"}, {Name: "x-format", Value: "%REQ(:path)% %%"}, {Name: "user-agent", Value: "weir"}, {Name: "x-empty", Value: ""}},
		Add:    []model.Header{{Name: "x-added", Value: "gateway"}, {Name: "x-ünï", Value: "ü"}}[:1],
		Remove: []string{"x-secret"},
	}
	forward.ResponseHeaders = model.HeaderChanges{
		Set:    []model.Header{{Name: "x-old", Value: "%RESPONSE_CODE%"}, {Name: "x-new", Value: "ünïcode"}},
		Add:    []model.Header{{Name: "x-kept", Value: "gateway"}},
		Remove: []string{"server"},
	}
	mock := mockAPI("shop", "mock", "/mock")
	mock.Backend.Mock.Headers = []model.Header{{Name: "content-type", Value: "application/json"}, {Name: "x-a", Value: "mock"}, {Name: "x-b", Value: "mock"}, {Name: "x-c", Value: "mock"}, {Name: "x-d", Value: "50%"}}
	mock.ResponseHeaders = model.HeaderChanges{
		Set: []model.Header{{Name: "x-a", Value: "gateway"}}, Add: []model.Header{{Name: "x-b", Value: "gateway"}}, Remove: []string{"x-c"},
	}
	redirect := mockAPI("shop", "redirect", "/redirect")
	redirect.Backend = model.Backend{Redirect: &model.Redirect{Host: "www.test", Status: 302}}
	redirect.ResponseHeaders = model.HeaderChanges{Set: []model.Header{{Name: "x-a", Value: "gateway"}}}
	addService(c, "shop", "shop.test", forward, mock, redirect)
	caller := startEnvoy(t, cutUp(c), nil).dial("http", nil)

	a := caller.do("GET", "shop.test", "/forward", "X-Set: caller", "X-Added: caller", "X-Secret: caller", "User-Agent: caller", "X-Other: caller")
	r := <-seen.requests
	for name, want := range map[string][]string{
		"X-Set": {"100%"}, "X-Format": {"%REQ(:path)% %%"}, "X-Added": {"caller", "gateway"}, "X-Secret": nil, "User-Agent": {"weir"}, "X-Other": {"caller"}, "X-Empty": {""},
	} {
		if got := r.Header.Values(name); !slices.Equal(got, want) {
			t.Errorf("the node saw %s: %q, want %q", name, got, want)
		}
	}
	if r.Host != "main.internal" {
		t.Errorf("the node saw the Host %s", r.Host)
	}
	holdHeaders(t, "/forward", a, map[string][]string{"X-Old": {"%RESPONSE_CODE%"}, "X-New": {"ünïcode"}, "X-Kept": {"node", "gateway"}, "Server": nil})
	holdHeaders(t, "/mock", caller.do("GET", "shop.test", "/mock"), map[string][]string{
		"Content-Type": {"application/json"}, "X-A": {"gateway"}, "X-B": {"mock", "gateway"}, "X-C": nil, "X-D": {"50%"},
	})
	holdHeaders(t, "/redirect", caller.do("GET", "shop.test", "/redirect"), map[string][]string{"X-A": {"gateway"}, "Location": {"http://www.test/redirect"}})
}

func holdHeaders(t *testing.T, what string, a answer, want map[string][]string) {
	t.Helper()
	for name, values := range want {
		if got := a.Header.Values(name); !slices.Equal(got, values) {
			t.Errorf("%s: the caller saw %s: %q, want %q", what, name, got, values)
		}
	}
}

// TestCORS sends what browsers send: preflights and the requests after them.
func TestCORS(t *testing.T) {
	c := edge()
	n := startNode(t, nil)
	addUpstream(c, "main", model.HTTP, n.address)
	get, post, everything := forwardAPI("get", "GET /orders", "main", ""), forwardAPI("post", "POST /orders", "main", ""), forwardAPI("everything", "/any/*", "main", "")
	get.CORS = &model.CORS{AllowOrigins: []string{"https://*.shop.test", "https://shop.test"}, AllowMethods: []string{"GET"}, AllowHeaders: []string{"x-token"},
		ExposeHeaders: []string{"x-total"}, AllowCredentials: true, MaxAge: time.Hour}
	post.CORS = &model.CORS{AnyOrigin: true, AllowMethods: []string{"POST"}, MaxAge: -1}
	everything.CORS = &model.CORS{AllowOrigins: []string{"http://shop.test:8080"}, AllowMethods: []string{"GET", "PUT"}, MaxAge: 0}
	conditional := forwardAPI("conditional", "/conditional", "main", "")
	conditional.Headers = []model.Condition{{Name: "x-version", Match: model.MatchExact, Text: "2"}}
	conditional.CORS = post.CORS
	everything.ResponseHeaders.Add = []model.Header{{Name: "vary", Value: "accept"}}
	conditional.ResponseHeaders.Set = []model.Header{{Name: "vary", Value: "cookie"}}
	addService(c, "shop", "api.test", get, post, everything, conditional, forwardAPI("none", "/none", "main", ""))
	for form, caller := range map[string]*client{"lists": startEnvoy(t, cutUp(c), nil).dial("http", nil), "tree": startEnvoy(t, asTree(c), nil).dial("http", nil)} {
		for _, test := range []struct {
			path, origin, method string
			status               int
			allowed, methods     string
		}{
			{"/orders", "https://shop.test", "GET", 200, "https://shop.test", "GET"},
			{"/orders", "https://a.b.shop.test", "GET", 200, "https://a.b.shop.test", "GET"},
			{"/orders", "https://evilshop.test", "GET", 200, "", "GET"},
			{"/orders", "https://shop.test.evil", "GET", 200, "", "GET"},
			{"/orders", "http://shop.test", "GET", 200, "", "GET"},
			{"/orders", "https://other.test", "POST", 200, "https://other.test", "POST"},
			{"/orders", "https://shop.test", "DELETE", 404, "", ""},
			{"/any/x", "http://shop.test:8080", "PUT", 200, "http://shop.test:8080", "GET, PUT"},
			{"/any/x", "http://shop.test", "PUT", 200, "", "GET, PUT"},
			{"/conditional", "https://other.test", "PUT", 200, "https://other.test", "POST"},
		} {
			a := caller.do("OPTIONS", "api.test", test.path, "Origin: "+test.origin, "Access-Control-Request-Method: "+test.method)
			if got := a.Header.Get("Access-Control-Allow-Origin"); a.Status != test.status || got != test.allowed || a.Header.Get("Access-Control-Allow-Methods") != test.methods {
				t.Errorf("%s: preflight of %s %s from %s: %d, %v", form, test.method, test.path, test.origin, a.Status, a.Header)
			}
		}
		if drain(t, n) != 0 {
			t.Errorf("%s: a preflight reached a node", form)
		}
		a := caller.do("OPTIONS", "api.test", "/orders", "Origin: https://shop.test", "Access-Control-Request-Method: GET")
		holdHeaders(t, "preflight", a, map[string][]string{"Access-Control-Allow-Headers": {"x-token"}, "Access-Control-Allow-Credentials": {"true"}, "Access-Control-Max-Age": {"3600"}})
		a = caller.do("GET", "api.test", "/orders", "Origin: https://shop.test")
		holdHeaders(t, "request", a, map[string][]string{"Access-Control-Allow-Origin": {"https://shop.test"}, "Access-Control-Expose-Headers": {"x-total"}, "Access-Control-Allow-Credentials": {"true"}, "Vary": {"origin"}})
		if a.Status != 200 || drain(t, n) != 1 {
			t.Errorf("%s: the request after the preflight: %d", form, a.Status)
		}
		holdHeaders(t, "elsewhere", caller.do("GET", "api.test", "/orders", "Origin: https://evil.test"), map[string][]string{"Access-Control-Allow-Origin": nil, "Vary": {"origin"}})
		drain(t, n)
		for path, vary := range map[string][]string{"/any/x": {"accept,origin"}, "/conditional": {"cookie"}, "/none": nil} {
			holdHeaders(t, path, caller.do("GET", "api.test", path, "X-Version: 2"), map[string][]string{"Vary": vary})
		}
		if a := caller.do("OPTIONS", "api.test", "/orders"); a.Status != 404 {
			t.Errorf("%s: OPTIONS without an origin: %d", form, a.Status)
		}
		if a := caller.do("OPTIONS", "api.test", "/none", "Origin: https://shop.test", "Access-Control-Request-Method: GET"); a.Status != 200 || a.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: an API without cors answers a preflight itself: %d", form, a.Status)
		}
		drain(t, n)
	}
}

// asTree is the instance's resources with every domain as a tree.
func asTree(c *model.Configuration) []Resource {
	resources := Instance(c, "edge")
	for _, r := range resources {
		routes, ok := r.Message.(*routev3.RouteConfiguration)
		if !ok {
			continue
		}
		for i, s := range sortedValues(c.Services) {
			routes.VirtualHosts[i].Matcher = routeTree(withPreflights(entriesOf(s)), use{byName: c.Upstreams})
		}
	}
	return resources
}

// TestRateLimit counts what gets through. Buckets fill so slowly here that only what is in them counts.
func TestRateLimit(t *testing.T) {
	c := edge()
	limit := func(requests, burst int) *model.RateLimit {
		return &model.RateLimit{Requests: requests, Per: time.Hour, Burst: burst}
	}
	all, exact, several, free := mockAPI("shop", "all", "*"), mockAPI("shop", "exact", "GET /exact"), mockAPI("shop", "several", "GET,POST,PUT /several/*"), mockAPI("shop", "free", "/free")
	all.RateLimit, several.RateLimit = limit(5, 5), limit(1, 7)
	apis := []*model.API{all, exact, several, free}
	for i := range 100 { // so many that the domain would be cut into parts
		apis = append(apis, mockAPI("shop", fmt.Sprint("other", i), fmt.Sprintf("/%02d/other", i)))
	}
	addService(c, "shop", "shop.test", apis...)
	g := startEnvoy(t, cutUp(c), nil)
	caller := g.dial("http", nil)
	passed := func(requests ...string) int {
		n := 0
		for range 10 {
			for _, r := range requests {
				method, path, _ := strings.Cut(r, " ")
				switch a := caller.do(method, "shop.test", path); a.Status {
				case 200:
					n++
				case 429:
					if after, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || after < 1 || after > 3600 {
						t.Errorf("Retry-After: %q", a.Header.Get("Retry-After"))
					}
				default:
					t.Fatalf("%s: status %d", r, a.Status)
				}
			}
		}
		return n
	}
	if n := passed("GET /", "GET /x/y", "POST /exact", "DELETE /several/x", "GET /07/x", "GET /99/y"); n != 5 {
		t.Errorf("%d requests passed a limit of 5", n)
	}
	if n := passed("GET /several/a", "POST /several/b", "PUT /several"); n != 7 {
		t.Errorf("%d requests passed a limit with a burst of 7", n)
	}
	if n := passed("GET /exact", "GET /free"); n != 20 {
		t.Errorf("%d of 20 requests passed where nothing is limited", n)
	}
	if n := g.counter("api_rate_limit.http_local_rate_limit.rate_limited"); n != 78 {
		t.Errorf("the counter of refused requests says %d", n)
	}
}

// TestRateLimitFills holds that tokens come back.
func TestRateLimitFills(t *testing.T) {
	c := edge()
	api := mockAPI("shop", "all", "*")
	api.RateLimit = &model.RateLimit{Requests: 20, Per: time.Second, Burst: 1}
	addService(c, "shop", "", api)
	caller := startEnvoy(t, cutUp(c), nil).dial("http", nil)
	passed, start := 0, time.Now()
	for passed < 20 && time.Since(start) < 30*time.Second {
		if caller.do("GET", "shop.test", "/").Status == 200 {
			passed++
		}
	}
	if took := time.Since(start); passed < 20 || took < 800*time.Millisecond {
		t.Errorf("%d requests passed in %v, want 20 in about a second", passed, took)
	}
}

// TestIPRules asks from the address that this test has, and with headers that claim another.
func TestIPRules(t *testing.T) {
	c := edge()
	networks := func(texts ...string) []netip.Prefix {
		var out []netip.Prefix
		for _, text := range texts {
			out = append(out, netip.MustParsePrefix(text))
		}
		return out
	}
	rules := map[string]struct {
		rules  model.IPRules
		status int
	}{
		"in":     {model.IPRules{Allow: networks("10.0.0.0/8", "127.0.0.1/32")}, 200},
		"out":    {model.IPRules{Allow: networks("10.0.0.0/8", "::1/128")}, 403},
		"denied": {model.IPRules{Deny: networks("127.0.0.0/8")}, 403},
		"other":  {model.IPRules{Deny: networks("10.0.0.0/8", "2001:db8::/32")}, 200},
		"both":   {model.IPRules{Allow: networks("127.0.0.0/8"), Deny: networks("127.0.0.1/32")}, 403},
		"all":    {model.IPRules{Allow: networks("0.0.0.0/0", "::/0")}, 200},
	}
	apis := []*model.API{mockAPI("shop", "free", "/free")}
	for name, r := range rules {
		api := mockAPI("shop", name, "/"+name)
		api.IPRules = &r.rules
		apis = append(apis, api)
	}
	addService(c, "shop", "shop.test", apis...)
	caller := startEnvoy(t, cutUp(c), nil).dial("http", nil)
	for name, r := range rules {
		for _, claimed := range []string{"127.0.0.1", "10.0.0.1", "192.0.2.1"} {
			if a := caller.do("GET", "shop.test", "/"+name, "X-Forwarded-For: "+claimed, "X-Real-IP: "+claimed); a.Status != r.status {
				t.Errorf("/%s claiming to be %s: status %d, want %d", name, claimed, a.Status, r.status)
			}
		}
	}
	if a := caller.do("GET", "shop.test", "/free"); a.Status != 200 {
		t.Errorf("an API without rules: status %d", a.Status)
	}
}
