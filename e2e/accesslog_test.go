package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The example of an access log writes what it says to standard output, and nothing else goes there.
func TestExampleAccessLog(t *testing.T) {
	t.Parallel()
	port, dead := freePort(t), freePort(t)
	n := newNode(t, "n0")
	dir := exampleOn(t, "access-log", files{}, map[string]string{
		"8080": fmt.Sprint(port), "127.0.0.1:9001": n.address, "127.0.0.1:9002": loopback(dead),
	})
	log := filepath.Join(t.TempDir(), "access.log")
	cmd := exec.Command("sh", "-c", `exec "$@" > "$0"`, log, weirBinary, "run", dir, "--envoy-path", envoyPath(t), "--log-format", "json",
		"--admin-address", loopback(freePort(t)), "--xds-address", loopback(freePort(t)))
	p := start(t, "weir run", cmd)
	eventually(t, startBound, "the gateway answers", func() error {
		return request{port: port, path: "/orders/probe"}.wants(http.StatusOK, "n0")
	})
	for i := range 4 { // one of two nodes is dead, so some of them are tried twice
		must(t, request{port: port, path: fmt.Sprintf("/orders/%d?token=s3cret", i)}.wants(http.StatusOK, "n0"))
	}
	must(t, request{port: port, path: "/elsewhere"}.wants(http.StatusNotFound, ""))

	eventually(t, editBound, "each request is logged", func() error {
		text, err := os.ReadFile(log)
		if err != nil {
			return err
		}
		return containsAll(string(text), `"/orders/0"`, `"/orders/3"`, `"/elsewhere"`)
	})
	p.stop(t)
	text, err := os.ReadFile(log)
	must(t, err)
	twice := 0
	for line := range strings.Lines(string(text)) {
		var got struct {
			Path, Service, API, Upstream, Node string
			Status, Attempts                   int
		}
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		switch {
		case got.Path == "/elsewhere":
			must(t, hold(got.Status == http.StatusNotFound && got.API == "", "%s", line))
		case got.Status == http.StatusOK:
			must(t, hold(got.Service == "shop" && got.API == "orders" && got.Upstream == "upstream/orders" && got.Node == n.address, "%s", line))
			if got.Attempts == 2 {
				twice++
			}
		}
	}
	if twice == 0 {
		t.Errorf("no request was tried twice:\n%s", text)
	}
	if strings.Contains(string(text), "s3cret") || strings.Contains(string(text), `"msg"`) {
		t.Errorf("standard output holds what does not belong there:\n%s", text)
	}
	if !strings.Contains(p.output.String(), `"msg":"weir serves"`) {
		t.Errorf("weir's own log is not on standard error:\n%s", p.output)
	}
}
