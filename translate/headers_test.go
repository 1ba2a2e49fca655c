package translate

import (
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirproxy/weir/model"
)

// callersWords are headers by which a caller would have a gateway, or a node behind it, believe something: those that Envoy
// obeys or writes, all that start like them, and the gateway's own.
var callersWords = []string{
	"x-envoy-retry-on: 5xx", "x-envoy-retry-grpc-on: cancelled", "x-envoy-max-retries: 9", "x-envoy-retriable-status-codes: 404",
	"x-envoy-retriable-header-names: x-a", "x-envoy-hedge-on-per-try-timeout: true", "x-envoy-upstream-rq-timeout-ms: 1",
	"x-envoy-upstream-rq-per-try-timeout-ms: 1", "x-envoy-upstream-rq-timeout-alt-response: 1", "x-envoy-upstream-alt-stat-name: mine",
	"x-envoy-upstream-stream-duration-ms: 1", "x-envoy-expected-rq-timeout-ms: 1", "x-envoy-attempt-count: 7", "x-envoy-force-trace: true",
	"x-envoy-decorator-operation: mine", "x-envoy-internal: true", "x-envoy-ip-tags: mine", "x-envoy-canary: true",
	"x-envoy-downstream-service-cluster: mine", "x-envoy-downstream-service-node: mine", "X-Envoy-External-Address: 192.0.2.9",
	"x-envoy-original-path: /mine", "x-envoy-original-host: mine", "x-envoy-original-url: mine", "x-envoy-original-dst-host: 192.0.2.9:1",
	"X-Envoy-Peer-Metadata: mine", "x-envoy-mobile-cluster: mine", "x-envoy-ratelimited: true", "x-envoy-of-tomorrow: mine",
	"X-Weir-Route: mine", "x-weir-scope: mine", "x-forwarded-client-cert: By=mine", "x-request-id: mine", "x-forwarded-for: 192.0.2.9", "x-forwarded-proto: https",
}

// TestHeadersBetweenEnvoys counts the headers that nodes get and callers get: the gateway's own are those of docs/language.md,
// callers' words about them never pass, and what a node says passes unless the operator takes it away.
func TestHeadersBetweenEnvoys(t *testing.T) {
	collector, _ := collect(t)
	for _, traced := range []bool{false, true} {
		c := edge()
		n := startNode(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Envoy-Upstream-Service-Time", "7")
			switch r.URL.Path {
			case "/v1/fails":
				w.WriteHeader(http.StatusServiceUnavailable)
			case "/v1/slow":
				<-r.Context().Done()
			}
		})
		if traced {
			c.Instances["edge"].Tracing = &model.Tracing{Host: collector.Addr().String(), Port: collector.Port(), Sampling: 1}
		}
		headersService(c, n)
		g := startEnvoy(t, cutUp(c), nil)
		for _, listener := range []string{"http", "proxied"} {
			nodeSees := []string{"User-Agent", "X-Envoy-External-Address", "X-Forwarded-For", "X-Forwarded-Proto", "X-Request-Id"}
			if traced {
				nodeSees = append(nodeSees, "Traceparent", "Tracestate")
			}
			g.dial(listener, nil).do("GET", "shop.test", "/limited")
			for path, want := range map[string]struct {
				status int
				header []string
			}{
				"/all/ok": {200, []string{"X-Envoy-Upstream-Service-Time"}}, "/all/fails": {503, []string{"X-Envoy-Upstream-Service-Time"}},
				"/quiet": {200, nil}, "/all/slow": {504, nil}, "/dead": {503, nil}, "/limited": {429, []string{"Retry-After"}}, "/denied": {403, nil},
				"/mock": {200, nil}, "/redirect": {301, []string{"Location"}}, "/nowhere": {404, nil},
			} {
				a := g.dial(listener, nil).do("GET", "shop.test", path, append(callersWords, "User-Agent: test")...)
				got := slices.DeleteFunc(slices.Sorted(maps.Keys(a.Header)), func(name string) bool { return strings.HasPrefix(name, "Content-") || name == "Date" })
				if a.Status != want.status || !slices.Equal(got, want.header) {
					t.Errorf("%s, traced %v: %s is answered %d with %q, want %d with %q", listener, traced, path, a.Status, got, want.status, want.header)
				}
				for len(n.requests) > 0 {
					compareHeaders(t, listener+path, (<-n.requests).Header, nodeSees, map[string]string{"http": "127.0.0.1", "proxied": "192.0.2.9"}[listener])
				}
			}
		}
	}
}

// headersService mounts an API for each kind of answer, on a listener that believes nobody and on one behind a proxy.
func headersService(c *model.Configuration, n *node) {
	listeners := c.Instances["edge"].Listeners
	listeners["proxied"] = &model.Listener{Name: "proxied", Address: listeners["http"].Address, Port: 8081, Limits: usualLimits, XFFNumTrustedHops: 1}
	addUpstream(c, "orders", model.HTTP, n.address).HostHeader = "orders.internal"
	addUpstream(c, "dead", model.HTTP, "127.0.0.1:1")
	all, quiet := forwardAPI("all", "/all/*", "orders", "/v1"), forwardAPI("quiet", "/quiet", "orders", "/v1")
	all.Backend.Timeout = 500 * time.Millisecond
	quiet.ResponseHeaders.Remove = []string{"x-envoy-upstream-service-time"}
	limited, denied, redirect := mockAPI("shop", "limited", "/limited"), mockAPI("shop", "denied", "/denied"), mockAPI("shop", "redirect", "/redirect")
	limited.RateLimit = &model.RateLimit{Requests: 1, Per: time.Hour, Burst: 1}
	denied.IPRules = &model.IPRules{Deny: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}}
	redirect.Backend = model.Backend{Redirect: &model.Redirect{Status: 301, Path: "/elsewhere"}}
	addService(c, "shop", "shop.test", all, quiet, limited, denied, redirect, forwardAPI("dead", "/dead", "dead", ""), mockAPI("shop", "mock", "/mock"))
	c.Services["shop"].Listeners = sortedKeys(listeners)
}

// compareHeaders holds that a node got the gateway's headers and none of a caller's words.
func compareHeaders(t *testing.T, what string, got http.Header, want []string, from string) {
	t.Helper()
	if diff := cmp.Diff(slices.Sorted(slices.Values(want)), slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("%s: the node got (- wanted, + found):\n%s", what, diff)
	}
	if address := got["X-Envoy-External-Address"]; len(address) != 1 || address[0] != from {
		t.Errorf("%s: the node is told that the caller is %q, want %q", what, address, from)
	}
	if got.Get("X-Request-Id") == "mine" || !strings.HasPrefix(got.Get("X-Forwarded-For"), "192.0.2.9,") {
		t.Errorf("%s: the node got %v", what, got)
	}
}
