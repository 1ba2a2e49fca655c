package e2e

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// example is an example that runs: its nodes at 127.0.0.1:9001 to 9003 are nodes of the test, its ports 8080 and 8443 free
// ones of loopback.
type example struct {
	nodes []*node
	http  int
	https int
}

func startExample(t *testing.T, name string) *example {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(moduleRoot(), "examples", name, "weir.hcl"))
	must(t, err)
	e := &example{nodes: newNodes(t, 3), http: freePort(t), https: freePort(t)}
	rewritten := strings.NewReplacer(
		"127.0.0.1:9001", e.nodes[0].address, "127.0.0.1:9002", e.nodes[1].address, "127.0.0.1:9003", e.nodes[2].address,
		"    port = 8080", "    address = \"127.0.0.1\"\n    port = "+strconv.Itoa(e.http),
		"    port = 8443", "    address = \"127.0.0.1\"\n    port = "+strconv.Itoa(e.https),
		"8443", strconv.Itoa(e.https),
	).Replace(string(text))
	made := madeForExamples(t)
	made["weir.hcl"] = rewritten
	g := runWeir(t, newDirectory(t, made))
	awaitReady(t, g, e.http)
	return e
}

// ask sends a request to the example's plain listener and returns the whole answer.
func (e *example) ask(t *testing.T, method, path string, headers ...string) (*http.Response, string) {
	t.Helper()
	return e.send(t, "http://"+loopback(e.http)+path, method, "shop.example.com", headers...)
}

func (e *example) send(t *testing.T, url, method, host string, headers ...string) (*http.Response, string) {
	t.Helper()
	client := newClient(&tls.Config{InsecureSkipVerify: true, ServerName: host})
	defer client.CloseIdleConnections()
	r, err := http.NewRequest(method, url, http.NoBody)
	must(t, err)
	r.Host = host
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	response, err := client.Do(r)
	must(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	must(t, err)
	return response, string(body)
}

func TestExampleCanary(t *testing.T) {
	t.Parallel()
	e := startExample(t, "canary")
	const requests = 500
	for range requests {
		if _, body := e.ask(t, "GET", "/orders/1"); body != "n0" && body != "n1" {
			t.Fatalf("answered by %q", body)
		}
	}
	stable, canary := e.nodes[0].count(), e.nodes[1].count()
	if stable+canary != requests || canary < requests*4/100 || canary > requests*18/100 {
		t.Errorf("the stable version got %d requests and the canary %d, want about 9 to 1", stable, canary)
	}
	if got := e.nodes[1].last(t).Host; got != "v2.orders.internal" {
		t.Errorf("the canary saw the Host %q", got)
	}
	eventually(t, editBound, "every request was copied", func() error {
		return hold(e.nodes[2].count() == requests, "%d of %d copies arrived", e.nodes[2].count(), requests)
	})
}

func TestExampleHTTPSRedirect(t *testing.T) {
	t.Parallel()
	e := startExample(t, "https-redirect")
	response, _ := e.ask(t, "POST", "/orders/7?x=1")
	location := response.Header.Get("Location")
	if want := "https://shop.example.com:" + strconv.Itoa(e.https) + "/orders/7?x=1"; response.StatusCode != 308 || location != want {
		t.Fatalf("%d to %q, want 308 to %q", response.StatusCode, location, want)
	}
	if _, body := e.send(t, "https://"+loopback(e.https)+"/orders/7?x=1", "POST", "shop.example.com"); body != "n0" {
		t.Errorf("where it leads, %q answers", body)
	}
	response, _ = e.send(t, "https://"+loopback(e.https)+"/shop/orders/7", "GET", "shop.example.com")
	if location := response.Header.Get("Location"); location != "https://shop.example.com/orders/7" {
		t.Errorf("what moved leads to %q", location)
	}
	response, _ = e.send(t, "https://"+loopback(e.https)+"/help/returns?session=1", "GET", "shop.example.com")
	if location := response.Header.Get("Location"); response.StatusCode != 302 || location != "https://help.example.com/shop/returns" {
		t.Errorf("what went to another host leads to %d %q", response.StatusCode, location)
	}
}

func TestExampleConditions(t *testing.T) {
	t.Parallel()
	e := startExample(t, "conditions")
	const parameters = "format=csv&shop=shop-berlin&fields=id,total,tax&by=anna%40example.com"
	partner := []string{"X-Partner", "acme", "Accept", "text/csv, */*", "Origin", "https://shop.acme.example"}
	for _, c := range []struct {
		path    string
		headers []string
		want    string
	}{
		{"/orders", nil, "n0"},
		{"/orders/1", []string{"X-Version", "2.1"}, "n1"},
		{"/orders/1", []string{"X-Version", "1.2"}, "n0"},
		{"/orders?a=b&preview", nil, "n2"},
		{"/orders?preview=1", []string{"X-Version", "2"}, "n2"},
		{"/orders?preview", []string{"User-Agent", "GoogleBot/2"}, "n0"},
		{"/orders?previews", nil, "n0"},
		{"/export?" + parameters, partner, "n1"},
		{"/export?" + parameters, partner[2:], ""},
		{"/export?" + parameters, append([]string{"X-Debug", "1"}, partner...), ""},
		{"/export?" + strings.Replace(parameters, "csv", "xml", 1), partner, ""},
		{"/export?" + strings.Replace(parameters, "shop-", "", 1), partner, ""},
		{"/export?" + strings.Replace(parameters, "total", "sum", 1), partner, ""},
		{"/export?" + strings.Replace(parameters, ".com", ".org", 1), partner, ""},
	} {
		if _, body := e.ask(t, "GET", c.path, c.headers...); body != c.want {
			t.Errorf("%s %q is answered by %q, want %s", c.path, c.headers, body, c.want)
		}
	}
}

func TestExamplePolicies(t *testing.T) {
	t.Parallel()
	e := startExample(t, "policies")
	e.nodes[0].behave(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "node")
		w.Header().Set("Link", "</next>; rel=next")
		_, _ = io.WriteString(w, r.Header.Get("X-Gateway")+strings.Join(r.Header.Values("X-Tag"), "")+r.Header.Get("X-Internal-User"))
	})
	response, body := e.ask(t, "GET", "/orders/1", "X-Internal-User", "root", "X-Tag", "caller", "Origin", "https://a.shop.example.com")
	if body != "weircallershop" || response.Header.Get("Server") != "" || response.Header.Get("Strict-Transport-Security") == "" || len(response.Header.Values("Link")) != 2 ||
		response.Header.Get("Access-Control-Allow-Origin") != "https://a.shop.example.com" {
		t.Errorf("the node saw %q, the caller %v", body, response.Header)
	}
	response, _ = e.ask(t, "OPTIONS", "/orders/1", "Origin", "https://shop.example.com", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type")
	if response.StatusCode != 200 || response.Header.Get("Access-Control-Allow-Methods") != "GET, POST" || response.Header.Get("Access-Control-Max-Age") != "3600" {
		t.Errorf("a preflight: %d %v", response.StatusCode, response.Header)
	}
	response, _ = e.ask(t, "OPTIONS", "/login", "Origin", "https://login.example.com", "Access-Control-Request-Method", "POST")
	if response.Header.Get("Access-Control-Allow-Methods") != "POST" || response.Header.Get("Access-Control-Allow-Credentials") != "true" {
		t.Errorf("a preflight of the login: %d %v", response.StatusCode, response.Header)
	}
	passed := 0
	for range 20 {
		response, _ := e.ask(t, "POST", "/login", "Origin", "https://login.example.com")
		if response.Header.Get("Access-Control-Allow-Origin") == "" || response.Header.Get("Access-Control-Expose-Headers") != "retry-after" {
			t.Fatalf("a page may not read the answer: %d %v", response.StatusCode, response.Header)
		}
		switch {
		case response.StatusCode == 200:
			passed++
		case response.StatusCode != 429 || response.Header.Get("Retry-After") == "":
			t.Fatalf("beyond the limit: %d %v", response.StatusCode, response.Header)
		}
	}
	if passed < 5 || passed > 8 {
		t.Errorf("%d of 20 logins passed, want 5 and what has come back since", passed)
	}
	if response, _ := e.ask(t, "GET", "/admin/users", "X-Forwarded-For", "10.0.0.2"); response.StatusCode != 403 {
		t.Errorf("a caller from elsewhere: %d", response.StatusCode)
	}
	if response, body := e.ask(t, "GET", "/version"); response.Header.Get("Content-Type") != "application/json" || body != `{"version":"1.4.2"}` {
		t.Errorf("the version: %q %v", body, response.Header)
	}
	e.nodes[1].behave(func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer connection.Close()
		_, _ = io.WriteString(connection, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		_, _ = io.CopyN(connection, connection, 8)
	})
	if got := talk(t, e.http, "/chat", "\x82\x82\x00\x00\x00\x00hi"); got != "\x82\x82\x00\x00\x00\x00hi" {
		t.Errorf("the frame came back as %q", got)
	}
}

// talk opens a WebSocket connection, sends bytes and returns as many.
func talk(t *testing.T, port int, path, frame string) string {
	t.Helper()
	connection, err := net.Dial("tcp", loopback(port))
	must(t, err)
	defer connection.Close()
	must(t, connection.SetDeadline(time.Now().Add(editBound)))
	_, err = io.WriteString(connection, "GET "+path+" HTTP/1.1\r\nHost: shop.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"+frame)
	must(t, err)
	in := bufio.NewReader(connection)
	response, err := http.ReadResponse(in, nil)
	must(t, err)
	if response.StatusCode != 101 {
		t.Fatalf("%s is answered with %d", path, response.StatusCode)
	}
	got := make([]byte, len(frame))
	_, err = io.ReadFull(in, got)
	must(t, err)
	return string(got)
}
