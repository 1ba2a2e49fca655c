package translate

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/weirproxy/weir/model"
)

// shortIdle is how long nothing may move on the streams of the listener "impatient", in place of five minutes.
const shortIdle = 400 * time.Millisecond

// cutCase is a request, and how the answer to it starts.
type cutCase struct {
	what, method, target, body, want string
	headers                          []string
	listener                         string // empty: "http"
}

var handshake = []string{"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="}

// cutCases ask for everything that a route can say.
var cutCases = []cutCase{
	{what: "plain", method: "GET", target: "shop.test/plain?a=1", want: `200 "GET shop.test/plain?a=1 `},
	{what: "POST", method: "POST", target: "shop.test/plain", body: "body", want: `200 "POST `},
	{what: "HEAD", method: "HEAD", target: "shop.test/plain", want: `200 ""`},
	{what: "template", method: "GET", target: "shop.test/orders/7?a=1", want: `200 "GET orders.internal/v1/7?a=1 `},
	{what: "another method", method: "POST", target: "shop.test/orders/7", want: "404 "},
	{what: "prefix", method: "GET", target: "shop.test/prefix//x/../y", want: `200 "GET orders.internal/v2/y `},
	{what: "no API", method: "GET", target: "shop.test/elsewhere", want: "404 "},
	{what: "no API, gRPC", method: "POST", target: "shop.test/elsewhere", want: "200 ", headers: []string{"Content-Type: application/grpc"}},
	{what: "no APIs", method: "GET", target: "nothing.test/plain", want: "404 "},
	{what: "no domain", method: "GET", target: "other.test/plain", want: "404 "},
	{what: "timeout", method: "GET", target: "shop.test/timeout", want: "504 ", headers: []string{"X-Wait: 30s"}},
	{what: "idle before the answer", method: "GET", target: "shop.test/plain", want: "504 ", headers: []string{"X-Wait: 30s"}, listener: "impatient"},
	{what: "idle within the answer", method: "GET", target: "shop.test/plain", want: "broken after", headers: []string{"X-Pause: 30s"}, listener: "impatient"},
	{what: "endless, before", method: "GET", target: "shop.test/endless", want: "200 ", headers: []string{"X-Wait: 1.2s"}, listener: "impatient"},
	{what: "endless, within", method: "GET", target: "shop.test/endless", want: "200 ", headers: []string{"X-Pause: 1.2s"}, listener: "impatient"},
	{what: "long, before", method: "GET", target: "shop.test/long", want: "200 ", headers: []string{"X-Wait: 1.2s"}, listener: "impatient"},
	{what: "retries", method: "GET", target: "shop.test/plain", want: "200 ", headers: []string{"X-Fail: 3"}},
	{what: "retries of a POST", method: "POST", target: "shop.test/plain", want: "503 ", headers: []string{"X-Fail: 1"}},
	{what: "retries of a small PUT", method: "PUT", target: "shop.test/plain", body: "small", want: "200 ", headers: []string{"X-Fail: 1"}},
	{what: "retries of a large PUT", method: "PUT", target: "shop.test/plain", body: strings.Repeat("b", 2<<20), want: "503 ", headers: []string{"X-Fail: 1"}},
	{what: "no retries", method: "GET", target: "shop.test/never", want: "503 ", headers: []string{"X-Fail: 1"}},
	{what: "retries as said", method: "POST", target: "shop.test/said", want: "200 ", headers: []string{"X-Fail: 1"}},
	{what: "per-try timeout", method: "GET", target: "shop.test/hasty", want: "504 ", headers: []string{"X-Wait: 30s"}},
	{what: "cookie", method: "GET", target: "shop.test/sticky", want: "200 "},
	{what: "headers", method: "GET", target: "shop.test/headers", want: `200 "GET shop.test/headers added=\"by the gateway\""`},
	{what: "limited", method: "GET", target: "shop.test/limited", want: "200 "},
	{what: "limited, again", method: "GET", target: "shop.test/limited", want: "429 "},
	{what: "limited, on another listener", method: "GET", target: "shop.test/limited", want: "200 ", listener: "impatient"},
	{what: "denied", method: "GET", target: "shop.test/denied", want: "403 "},
	{what: "preflight", method: "OPTIONS", target: "shop.test/cors", want: "200 ", headers: []string{"Origin: https://page.test", "Access-Control-Request-Method: PUT"}},
	{what: "preflight of a stranger", method: "OPTIONS", target: "shop.test/cors", want: "200 ", headers: []string{"Origin: https://evil.test", "Access-Control-Request-Method: PUT"}},
	{what: "page", method: "GET", target: "shop.test/cors", want: "200 ", headers: []string{"Origin: https://page.test"}},
	{what: "mirror", method: "POST", target: "shop.test/mirror", body: "body", want: "200 "},
	{what: "split", method: "GET", target: "shop.test/split", want: `200 "GET orders.internal/v3`},
	{what: "conditions", method: "GET", target: "shop.test/conditions?v=2", want: "200 ", headers: []string{"X-Version: 2"}},
	{what: "conditions that do not hold", method: "GET", target: "shop.test/conditions?v=1", want: "404 ", headers: []string{"X-Version: 2"}},
	{what: "encoded", method: "GET", target: "shop.test/a%2Fb", want: `200 "GET shop.test/a%2Fb `},
	{what: "mock", method: "GET", target: "shop.test/mock", want: "201 "},
	{what: "redirect", method: "GET", target: "shop.test/redirect/a?b", want: "308 "},
	{what: "upgrade that nobody takes", method: "GET", target: "store.test/plain", want: "403 ", headers: handshake},
	{what: "upgrade beside an API that takes it", method: "GET", target: "shop.test/plain", want: "403 ", headers: handshake},
	{what: "upgrade to something else", method: "GET", target: "shop.test/socket", want: "403 ", headers: []string{"Connection: Upgrade", "Upgrade: other"}},
}

// TestCutIsWhole sends the same requests to the same APIs, whole and cut into parts, and holds that callers, nodes, the log and
// the spans see no difference. What Envoy takes from the first route that it finds (scope.go) would make one.
func TestCutIsWhole(t *testing.T) {
	forms := []*form{startForm(t, math.MaxInt), startForm(t, 0)}
	outcomes := make([][]string, len(forms))
	var both sync.WaitGroup
	for i, f := range forms {
		both.Go(func() {
			for _, c := range cutCases {
				outcomes[i] = append(outcomes[i], f.outcome(c))
			}
			outcomes[i] = append(outcomes[i], f.converse(3*shortIdle))
		})
	}
	both.Wait()
	for i, c := range cutCases {
		whole, cut := outcomes[0][i], outcomes[1][i]
		if !strings.HasPrefix(whole, c.want) {
			t.Errorf("%s: %.300s, want %s", c.what, whole, c.want)
		}
		if diff := cmp.Diff(whole, cut); diff != "" {
			t.Errorf("%s (- whole, + cut):\n%s", c.what, diff)
		}
	}
	for i, f := range forms {
		if said := outcomes[i][len(cutCases)]; said != "" {
			t.Errorf("a WebSocket: %s", said)
		}
		outcomes[i] = f.observed()
	}
	if diff := cmp.Diff(outcomes[0], outcomes[1]); diff != "" {
		t.Errorf("log and spans (- whole, + cut):\n%s", diff)
	}
	// The one difference: Envoy decides of upgrades by the index, which does not know whether there is an API.
	for i, want := range []string{"404 ", "403 "} {
		if got := forms[i].outcome(cutCase{method: "GET", target: "store.test/elsewhere", headers: handshake}); !strings.HasPrefix(got, want) {
			t.Errorf("an upgrade to nowhere: %s, want %s", got, want)
		}
	}
}

// form is a gateway whose routes are whole, or each in a part of its own.
type form struct {
	*gateway
	node, copies *node
	log          string
	spans        <-chan span
	fails        atomic.Int64 // attempts that are to fail
}

// startForm mounts cutCases' APIs, with parts of a size.
func startForm(t *testing.T, size int) *form {
	t.Helper()
	f := &form{log: filepath.Join(t.TempDir(), "access.log"), copies: startNode(t, nil)}
	f.node = startNode(t, f.answer)
	c := edge()
	edge := c.Instances["edge"]
	address, spans := collect(t)
	f.spans = spans
	edge.AccessLog = &model.AccessLog{Format: model.JSONLog, Path: f.log}
	edge.Tracing = &model.Tracing{Host: address.Addr().String(), Port: address.Port(), Sampling: 1}
	edge.Listeners["impatient"] = &model.Listener{Name: "impatient", Address: netip.IPv4Unspecified(), Port: 8081, Limits: usualLimits}
	mountCutCases(c, f.node, f.copies)
	resources := instanceOf(c, "edge", size)
	for _, r := range resources {
		if l, ok := r.Message.(*listenerv3.Listener); ok && l.StatPrefix == "impatient" {
			shortenIdle(t, l)
		}
	}
	f.gateway = startEnvoy(t, resources, nil)
	return f
}

// shortenIdle changes a listener's own limit on idle streams, so that a test can wait for it.
func shortenIdle(t *testing.T, l *listenerv3.Listener) {
	t.Helper()
	var m hcmv3.HttpConnectionManager
	filter := l.FilterChains[0].Filters[0]
	if err := filter.GetTypedConfig().UnmarshalTo(&m); err != nil {
		t.Fatal(err)
	}
	m.StreamIdleTimeout = durationpb.New(shortIdle)
	filter.ConfigType = &listenerv3.Filter_TypedConfig{TypedConfig: pack(&m)}
}

// answer says what a node saw. The request's headers say how: X-Wait is a silence before the answer, X-Pause one within it,
// X-Fail how many attempts fail.
func (f *form) answer(w http.ResponseWriter, r *http.Request) {
	silence := func(header string) {
		wait, _ := time.ParseDuration(r.Header.Get(header))
		select {
		case <-time.After(wait):
		case <-r.Context().Done():
		}
	}
	silence("X-Wait")
	switch {
	case r.Header.Get("Upgrade") != "":
		echo(w, r)
		return
	case r.Header.Get("X-Fail") != "" && f.fails.Add(-1) >= 0:
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintf(w, "%s %s%s added=%q", r.Method, r.Host, r.RequestURI, r.Header.Get("X-Added"))
	if r.Header.Get("X-Pause") != "" {
		w.(http.Flusher).Flush()
		silence("X-Pause")
		_, _ = io.WriteString(w, " and on")
	}
}

// outcome is the answer to a request and how often nodes saw it, without what differs from one request to the next.
func (f *form) outcome(c cutCase) string {
	listener := "http"
	if c.listener != "" {
		listener = c.listener
	}
	conn, err := net.Dial("tcp", f.ports[listener])
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	host, path, _ := strings.Cut(c.target, "/")
	request, err := http.NewRequest(c.method, "http://"+host+"/"+path, strings.NewReader(c.body))
	if err != nil {
		return err.Error()
	}
	for _, h := range c.headers {
		name, value, _ := strings.Cut(h, ": ")
		request.Header.Set(name, value)
	}
	fails := 0
	_, _ = fmt.Sscan(request.Header.Get("X-Fail"), &fails)
	f.fails.Store(int64(fails))
	client := &http.Client{Transport: &http.Transport{
		Dial: func(string, string) (net.Conn, error) { return conn, nil }, DisableKeepAlives: true, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Sprintf("broken after %q", text)
	}
	response.Header.Del("Date")
	for i, cookie := range response.Header["Set-Cookie"] {
		response.Header["Set-Cookie"][i], _, _ = strings.Cut(cookie, "=")
	}
	return fmt.Sprintf("%d %q\n%v\n%d requests at the node", response.StatusCode, text, response.Header, len(drained(f.node)))
}

// drained are the requests that a node saw since.
func drained(n *node) (out []*http.Request) {
	for len(n.requests) > 0 {
		out = append(out, <-n.requests)
	}
	return out
}

// converse exchanges frames over a WebSocket, with a silence between them, and says what is wrong.
func (f *form) converse(silence time.Duration) string {
	conn, err := net.Dial("tcp", f.ports["impatient"])
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	_, _ = io.WriteString(conn, "GET /socket HTTP/1.1\r\nHost: shop.test\r\n"+strings.Join(handshake, "\r\n")+"\r\n\r\n")
	head := make([]byte, len("HTTP/1.1 101"))
	if _, err := io.ReadFull(conn, head); err != nil || string(head) != "HTTP/1.1 101" {
		return fmt.Sprintf("%q %v", head, err)
	}
	for end := ""; !strings.HasSuffix(end, "\r\n\r\n"); {
		if _, err := io.ReadFull(conn, head[:1]); err != nil {
			return err.Error()
		}
		end += string(head[:1])
	}
	for range 2 {
		frame := []byte{0x82, 0x81, 1, 2, 3, 4, 7 ^ 1}
		if _, err := conn.Write(frame); err != nil {
			return err.Error()
		}
		if _, err := io.ReadFull(conn, head[:3]); err != nil || head[2] != 7 {
			return fmt.Sprintf("%x %v", head[:3], err)
		}
		<-time.After(silence) // the silence is the subject
	}
	return ""
}

// observed is what the log and the spans say of all requests, sorted, without what differs from one to the next.
func (f *form) observed() []string {
	f.t.Helper()
	var out []string
	wanted := 0
	for _, line := range lines(f.t, f.log, len(cutCases)+1) {
		got := map[string]any{}
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			f.t.Fatalf("%v: %s", err, line)
		}
		attempts, _ := got["attempts"].(float64)
		switch wanted += int(attempts); {
		case got["api"] == "mirror":
			wanted += 2 // the copy, too
		case got["details"] == "upgrade_failed": // refused before it gets a span; what is said of its upstream depends
			delete(got, "upstream")
		default:
			wanted++
		}
		for _, varying := range []string{"start_time", "request_id", "duration_ms", "node", "failure"} {
			delete(got, varying)
		}
		text, _ := json.Marshal(got)
		out = append(out, string(text))
	}
	for range wanted {
		select {
		case s := <-f.spans:
			out = append(out, fmt.Sprint(s.name, s.kind, s.tags["http.url"], s.tags["weir.service"], s.tags["weir.api"], s.tags["weir.upstream"], s.tags["http.status_code"]))
		case <-time.After(20 * time.Second):
			f.t.Fatalf("of %d spans some are missing; there are\n%s", wanted, strings.Join(out, "\n"))
		}
	}
	out = append(out, fmt.Sprintf("%d copies", len(drained(f.copies))))
	slices.Sort(out)
	return out
}

// mountCutCases mounts the APIs that cutCases ask for.
func mountCutCases(c *model.Configuration, n, copies *node) {
	upstream := func(name, address string, change func(*model.Upstream)) {
		change(addUpstream(c, name, model.HTTP, address))
	}
	upstream("plain", n.address, func(*model.Upstream) {})
	upstream("copies", copies.address, func(*model.Upstream) {})
	upstream("orders", n.address, func(u *model.Upstream) { u.HostHeader = "orders.internal" })
	upstream("never", n.address, func(u *model.Upstream) { u.Retries, u.Retry.On = 0, []string{} })
	upstream("said", n.address, func(u *model.Upstream) { u.Retry.On = []string{"5xx"} })
	upstream("hasty", n.address, func(u *model.Upstream) { u.Retries, u.Retry.PerTryTimeout = 1, 200*time.Millisecond })
	upstream("sticky", n.address, func(u *model.Upstream) {
		u.LoadBalancing, u.HashKey = model.RingHash, &model.HashKey{Cookie: "stick", MakeCookie: true, CookieTTL: time.Hour}
	})
	var apis []*model.API
	api := func(line, upstream, replacement string, change func(*model.API)) {
		a := forwardAPI(strings.Split(line, "/")[1], line, upstream, replacement)
		change(a)
		apis = append(apis, a)
	}
	plain := func(*model.API) {}
	for _, name := range []string{"plain", "never", "said", "hasty", "sticky"} {
		api("/"+name, name, "", plain)
	}
	api("GET /orders/{id}", "orders", "/v1/{id}", plain)
	api("/prefix/*", "orders", "/v2", plain)
	for name, timeout := range map[string]time.Duration{"timeout": 200 * time.Millisecond, "endless": 0, "long": 10 * time.Minute} {
		api("/"+name, "plain", "", func(a *model.API) { a.Backend.Timeout = timeout })
	}
	api("/headers", "plain", "", func(a *model.API) {
		a.RequestHeaders.Set = []model.Header{{Name: "x-added", Value: "by the gateway"}}
		a.ResponseHeaders.Add = []model.Header{{Name: "x-answered", Value: "100%"}}
	})
	api("/limited", "plain", "", func(a *model.API) { a.RateLimit = &model.RateLimit{Requests: 1, Per: time.Hour, Burst: 1} })
	api("/denied", "plain", "", func(a *model.API) {
		a.IPRules = &model.IPRules{Deny: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	})
	api("GET,PUT /cors", "plain", "", func(a *model.API) {
		a.CORS = &model.CORS{AllowOrigins: []string{"https://page.test"}, AllowMethods: []string{"GET", "PUT"}, MaxAge: time.Minute}
	})
	api("/mirror", "plain", "", func(a *model.API) { a.Backend.Mirrors = []model.Mirror{{Upstream: "copies", Percent: 100}} })
	api("/split", "", "/v3", func(a *model.API) {
		a.Backend.Split = []model.Target{{Upstream: "orders", Weight: 1}, {Upstream: "plain", Weight: 0}}
	})
	api("/conditions", "plain", "", func(a *model.API) {
		a.Headers = []model.Condition{{Name: "x-version", Match: model.MatchExact, Text: "2"}}
		a.Query = []model.Condition{{Name: "v", Match: model.MatchExact, Text: "2"}}
	})
	api("/a%2Fb", "plain", "", plain)
	api("/mock", "", "", func(a *model.API) {
		a.Backend = model.Backend{Mock: &model.Mock{Status: 201, Body: strings.Repeat("m", 5000), Headers: []model.Header{{Name: "x-mock", Value: "1"}}}}
	})
	api("/redirect/*", "", "", func(a *model.API) {
		a.Backend = model.Backend{Redirect: &model.Redirect{Status: 308, Host: "else.test", PathPrefix: "/there"}}
	})
	api("/socket", "plain", "", func(a *model.API) { a.WebSocket = true })
	addService(c, "shop", "shop.test", apis...)
	addService(c, "nothing", "nothing.test")
	addService(c, "store", "store.test", forwardAPI("plain", "/plain", "plain", "")) // nothing of it stays in the index
	for _, s := range c.Services {
		s.Listeners = []string{"http", "impatient"}
	}
}
