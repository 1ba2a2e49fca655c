package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// proxy is an Envoy that the test runs itself.
type proxy struct {
	*process
	admin string // host:port
}

// startEnvoy runs an Envoy of an instance that finds weir at an address.
func startEnvoy(t *testing.T, instance, id, xds string, flags ...string) *proxy {
	t.Helper()
	admin := loopback(freePort(t))
	bootstrap := weir(t, append([]string{"bootstrap", "--instance", instance, "--node-id", id, "--xds-address", xds, "--envoy-admin-address", admin}, flags...)...).must(t)
	return startEnvoyWith(t, id, admin, bootstrap.stdout)
}

// startEnvoyWith runs an Envoy on a bootstrap. Of a failed test its configuration is kept.
func startEnvoyWith(t *testing.T, id, admin, bootstrap string) *proxy {
	t.Helper()
	file := filepath.Join(t.TempDir(), "bootstrap.json")
	writeFile(t, file, bootstrap)
	p := &proxy{admin: admin}
	p.process = start(t, "envoy "+id, exec.Command(envoyPath(t), "-c", file, "--disable-hot-restart", "--concurrency", "2",
		"--drain-time-s", "5", "--log-level", "warning"))
	t.Cleanup(func() {
		if t.Failed() && p.running() {
			keepDump(t, p.name, admin)
		}
	})
	return p
}

// page reads a page of Envoy's admin address.
func (p *proxy) page(path string) (int, string, error) {
	client := newClient(nil)
	defer client.CloseIdleConnections()
	response, err := client.Get("http://" + p.admin + path)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

// ready is nil when Envoy says that it takes requests.
func (p *proxy) ready() error {
	status, body, err := p.page("/ready")
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("envoy says %d %s", status, strings.TrimSpace(body))
	}
	return err
}

// stand is a gateway to try faults on: weir alone, an Envoy of the test's own, and two nodes behind "/". The API "/edit"
// answers with the number of the last edit.
type stand struct {
	*gateway
	proxy *proxy
	port  int
	nodes []*node
	edits int
	more  string // in the instance, besides its listener
}

// newStand makes the files and nodes; nothing runs yet.
func newStand(t *testing.T) *stand {
	t.Helper()
	s := &stand{port: freePort(t), nodes: newNodes(t, 2)}
	s.gateway = &gateway{path: newDirectory(t, files{"gateway.hcl": s.text()}), admin: loopback(freePort(t)), xds: loopback(freePort(t))}
	return s
}

// startStand has weir and the Envoy run.
func startStand(t *testing.T) *stand {
	t.Helper()
	s := newStand(t)
	s.start(t)
	return s
}

// start has weir and the Envoy run.
func (s *stand) start(t *testing.T, changes ...func(*exec.Cmd)) {
	t.Helper()
	s.serve(t, changes...)
	s.proxy = startEnvoy(t, "edge", "stand", s.xds)
	s.newest(t)
}

// serve starts weir, and starts it again after it was killed.
func (s *stand) serve(t *testing.T, changes ...func(*exec.Cmd)) {
	t.Helper()
	s.process = startWeirAs(t, s.gateway, "serve", func(cmd *exec.Cmd) {
		for _, change := range changes {
			change(cmd)
		}
	})
	s.awaitListening(t)
}

// text is the configuration after the last edit. Each edit swaps the node that answers, and gives the upstream another
// name: clusters, endpoints and routes change at once.
func (s *stand) text() string {
	orders := shop(s.port, plain(s.nodes[s.edits%2]))
	orders = strings.Replace(orders, "\n}\n\nupstream", "\n"+s.more+"}\n\nupstream", 1)
	return strings.ReplaceAll(orders, "orders", fmt.Sprintf("orders_%d", s.edits%7)) + mock("edit", "/edit", fmt.Sprint(s.edits))
}

// next edits and saves as editors do, and does not wait.
func (s *stand) next(t *testing.T) {
	t.Helper()
	s.edits++
	s.save(t, "gateway.hcl", s.text())
}

// call is what callers ask for.
func (s *stand) call() request { return request{port: s.port, path: "/"} }

// newest waits until the last edit serves.
func (s *stand) newest(t *testing.T) {
	t.Helper()
	eventually(t, startBound, "the last edit serves", s.isNewest)
}

// isNewest is nil when the last edit serves.
func (s *stand) isNewest() error {
	if err := (request{port: s.port, path: "/edit"}).wants(http.StatusOK, fmt.Sprint(s.edits)); err != nil {
		return err
	}
	return s.call().wants(http.StatusOK, s.nodes[s.edits%2].name)
}

// stale is nil when something else than the last edit serves, and serves well.
func (s *stand) stale() error {
	if err := s.call().wants(http.StatusOK, ""); err != nil {
		return err
	}
	return hold(s.isNewest() != nil, "edit %d serves already", s.edits)
}
