package translate

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirproxy/weir/model"
)

// lines waits until a log has so many lines, and returns them.
func lines(t *testing.T, file string, count int) []string {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Count(text, []byte("\n")) >= count {
			return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		}
		if time.Now().After(deadline) {
			t.Fatalf("the log has not %d lines:\n%s", count, text)
		}
	}
}

// deadAddress is a port of loopback on which nothing listens, and which is never given to one who asks for a free port.
const deadAddress = "127.0.0.1:1"

// logged is a gateway with an access log: /forward/x is rewritten, /retry answered by 503 at first, /dead by nobody,
// /mock by the gateway.
func logged(t *testing.T, a *model.AccessLog) (*gateway, *node, string) {
	c := edge()
	c.Instances["edge"].AccessLog = a
	first := true
	n := startNode(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/retry" && first {
			first = false
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		fmt.Fprint(w, "hello")
	})
	dead := deadAddress
	addUpstream(c, "orders", model.HTTP, n.address).HostHeader = "orders.internal"
	addUpstream(c, "gone", model.HTTP, dead).Retries = 1
	addService(c, "shop", "shop.test", forwardAPI("forward", "/forward/*", "orders", "/inside"), forwardAPI("retry", "/retry", "orders", ""),
		forwardAPI("dead", "/dead", "gone", ""), mockAPI("shop", "mock", "/mock"))
	secure(t, c, "https").XFFNumTrustedHops = 1
	c.Services["shop"].Listeners = []string{"http", "https"}
	return startEnvoy(t, cutUp(c), nil), n, dead
}

// secrets are what a caller may send and no log may hold.
var secrets = []string{"Authorization: Bearer s3cret", "Cookie: session=s3cret", "X-Api-Key: s3cret"}

func TestAccessLog(t *testing.T) {
	file := filepath.Join(t.TempDir(), "access.log")
	g, n, dead := logged(t, &model.AccessLog{Format: model.JSONLog, Path: file})
	caller := g.dial("http", nil)
	for _, path := range []string{"/forward/x?token=s3cret", "/retry", "/mock?token=s3cret", "/nowhere", "/dead"} {
		caller.do("GET", "shop.test", path, append(secrets, "X-Weir-Route: evil/evil", "User-Agent: test")...)
	}
	caller.send("POST", "shop.test", "/forward/y", "body")
	secureCaller := g.dial("https", &tls.Config{InsecureSkipVerify: true, ServerName: "shop.test"})
	secureCaller.do("GET", "shop.test", "/mock", "X-Forwarded-For: 203.0.113.9")

	usual := map[string]any{
		"listener": "http", "host": "shop.test", "method": "GET", "protocol": "HTTP/1.1", "status": 200.0, "flags": "-",
		"service": "shop", "sni": nil, "remote_address": "127.0.0.1", "user_agent": "test", "failure": nil, "bytes_received": 0.0,
	}
	orders := map[string]any{"upstream": "upstream/orders", "node": n.address, "attempts": 1.0, "details": "via_upstream", "bytes_sent": 5.0}
	nobody := map[string]any{"upstream": nil, "node": nil, "attempts": 0.0}
	want := []map[string]any{
		join(usual, orders, map[string]any{"path": "/forward/x", "api": "forward"}),
		join(usual, orders, map[string]any{"path": "/retry", "api": "retry", "attempts": 2.0}),
		join(usual, nobody, map[string]any{"path": "/mock", "api": "mock", "details": "direct_response", "bytes_sent": 9.0}),
		join(usual, nobody, map[string]any{"path": "/nowhere", "api": nil, "service": nil, "status": 404.0, "flags": "NR", "details": "route_not_found", "bytes_sent": 0.0}),
		join(usual, map[string]any{"path": "/dead", "api": "dead", "upstream": "upstream/gone", "node": dead, "attempts": 2.0, "status": 503.0, "flags": "URX,UF"}),
		join(usual, orders, map[string]any{"path": "/forward/y", "api": "forward", "method": "POST", "bytes_received": 4.0, "user_agent": nil}),
		join(usual, nobody, map[string]any{"path": "/mock", "api": "mock", "details": "direct_response", "bytes_sent": 9.0, "user_agent": nil,
			"listener": "https", "sni": "shop.test", "remote_address": "203.0.113.9"}),
	}
	for i, line := range lines(t, file, len(want)) {
		got := map[string]any{}
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if _, err := time.Parse(time.RFC3339, fmt.Sprint(got["start_time"])); err != nil || got["request_id"] == nil || got["duration_ms"] == nil {
			t.Errorf("no time, id or duration in %s", line)
		}
		for _, varying := range []string{"start_time", "request_id", "duration_ms"} {
			delete(got, varying)
		}
		if want[i]["status"] == 503.0 { // what the kernel says of a refused connection is not ours
			if got["failure"] == nil || got["details"] == nil {
				t.Errorf("no reason in %s", line)
			}
			want[i]["failure"], want[i]["details"], want[i]["bytes_sent"] = got["failure"], got["details"], got["bytes_sent"]
		}
		if diff := cmp.Diff(want[i], got); diff != "" {
			t.Errorf("line %d (- wanted, + found):\n%s", i+1, diff)
		}
		if strings.Contains(line, "s3cret") {
			t.Errorf("a secret in %s", line)
		}
	}
	for len(n.requests) > 0 {
		if r := <-n.requests; r.Header.Get(routeHeader) != "" {
			t.Errorf("a node sees %s: %q", routeHeader, r.Header.Get(routeHeader))
		}
	}
}

// join is the union of some maps, of which the later ones win.
func join(all ...map[string]any) map[string]any {
	out := map[string]any{}
	for _, m := range all {
		for key, value := range m {
			out[key] = value
		}
	}
	return out
}

func TestTextAccessLog(t *testing.T) {
	file := filepath.Join(t.TempDir(), "access.log")
	g, n, _ := logged(t, &model.AccessLog{Format: model.TextLog, Path: file})
	caller := g.dial("http", nil)
	caller.do("GET", "shop.test", "/forward/x?token=s3cret", secrets...)
	caller.do("GET", "shop.test", "/nowhere")
	got := lines(t, file, 2)
	for i, words := range [][]string{
		{` 127.0.0.1 "GET /forward/x HTTP/1.1" 200 - `, ` host="shop.test" api=shop/forward upstream=upstream/orders node=` + n.address + " attempts=1 id="},
		{` 127.0.0.1 "GET /nowhere HTTP/1.1" 404 NR `, ` api=-/- upstream=- node=- attempts=0 id=`},
	} {
		for _, word := range words {
			if !strings.Contains(got[i], word) || strings.Contains(got[i], "s3cret") {
				t.Errorf("no %q in %q", word, got[i])
			}
		}
	}
}
