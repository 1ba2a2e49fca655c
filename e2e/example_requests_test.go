package e2e

import (
	"crypto/tls"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
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
}

func TestExampleConditions(t *testing.T) {
	t.Parallel()
	e := startExample(t, "conditions")
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
	} {
		if _, body := e.ask(t, "GET", c.path, c.headers...); body != c.want {
			t.Errorf("%s %q is answered by %q, want %s", c.path, c.headers, body, c.want)
		}
	}
}
