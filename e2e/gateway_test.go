package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// gateway is a running weir with its configuration.
type gateway struct {
	*process
	path  string // the directory, or the single file
	admin string // host:port of weir's admin address
	xds   string // host:port of weir's xDS address
}

// runWeir starts `weir run`: weir and one Envoy per instance.
func runWeir(t *testing.T, path string, flags ...string) *gateway {
	t.Helper()
	return startWeir(t, "run", path, append([]string{"--envoy-path", envoyPath(t)}, flags...)...)
}

// serveWeir starts `weir serve`: weir alone.
func serveWeir(t *testing.T, path string, flags ...string) *gateway {
	t.Helper()
	return startWeir(t, "serve", path, flags...)
}

// startWeir starts one of the two on free ports and does not wait for anything.
func startWeir(t *testing.T, verb, path string, flags ...string) *gateway {
	t.Helper()
	g := &gateway{path: path, admin: loopback(freePort(t)), xds: loopback(freePort(t))}
	g.process = startWeirAt(t, g, verb, flags...)
	return g
}

// startWeirAt starts weir on the addresses of a gateway, which may be those of one that has ended. Whatever the test
// did to it, at its end it stops as it promises to.
func startWeirAt(t *testing.T, g *gateway, verb string, flags ...string) *process {
	t.Helper()
	return startWeirAs(t, g, verb, func(*exec.Cmd) {}, flags...)
}

// startWeirAs is startWeirAt as another user, or with other variables.
func startWeirAs(t *testing.T, g *gateway, verb string, change func(*exec.Cmd), flags ...string) *process {
	t.Helper()
	cmd := exec.Command(weirBinary, append([]string{verb, g.path, "--admin-address", g.admin, "--xds-address", g.xds}, flags...)...)
	change(cmd)
	p := start(t, "weir "+verb, cmd)
	t.Cleanup(func() {
		switch {
		case !p.running():
		case t.Failed():
			g.keepState(t)
		default:
			p.stop(t)
		}
	})
	return p
}

// keepState keeps what a failed test's weir says of itself, and what the Envoys that it runs were told.
func (g *gateway) keepState(t *testing.T) {
	_, body, err := g.page("/api/v1/status")
	keep(t, "status.json", fmt.Sprintln(body, err))
	s, err := g.status()
	if err != nil {
		return
	}
	for _, e := range s.Envoys {
		if e.AdminAddress != "" {
			keepDump(t, "envoy of "+e.Instance, e.AdminAddress)
		}
	}
}

// save replaces a file of the configuration as careful editors do.
func (g *gateway) save(t *testing.T, name, text string) {
	t.Helper()
	renameFile(t, filepath.Join(g.path, name), text)
}

// page reads a page of the admin address.
func (g *gateway) page(path string) (int, string, error) {
	client := newClient(nil)
	defer client.CloseIdleConnections()
	response, err := client.Get("http://" + g.admin + path)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

// awaitListening waits until weir answers on its admin address.
func (g *gateway) awaitListening(t *testing.T) {
	t.Helper()
	eventually(t, startBound, "weir answers on its admin address", func() error {
		status, body, err := g.page("/healthz")
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("%d %s", status, body)
		}
		return err
	})
}

// edit saves a file and waits until what it asks for is seen.
func (g *gateway) edit(t *testing.T, name, text, what string, seen func() error) {
	t.Helper()
	g.save(t, name, text)
	eventually(t, editBound, what, seen)
}

// status is the part of /api/v1/status that the tests look at.
type status struct {
	Generation  string
	Ready       bool
	LastAttempt struct {
		Outcome, Error, Report string
		At                     time.Time
	} `json:"last_attempt"`
	Instances []instanceStatus
	Strays    []struct{ Node, Instance string }
	Envoys    []struct {
		Instance      string
		PID, Restarts int
		AdminAddress  string `json:"admin_address"`
	}
}

// instanceStatus is how far those are that belong to an instance.
type instanceStatus struct {
	Name     string
	Proxies  []struct{ Node string }
	Standbys []struct{ Current bool }
}

// status asks a running weir.
func (g *gateway) status() (status, error) {
	var s status
	_, body, err := g.page("/api/v1/status")
	if err == nil {
		err = json.Unmarshal([]byte(body), &s)
	}
	return s, err
}

// awaitOutcome waits until the last attempt to load ended so, and until both the status and the log say every one of
// the words.
func (g *gateway) awaitOutcome(t *testing.T, outcome string, words ...string) {
	t.Helper()
	eventually(t, editBound, "the status says "+outcome+" "+strings.Join(words, ", "), func() error {
		s, err := g.status()
		if err != nil {
			return err
		}
		if s.LastAttempt.Outcome != outcome {
			return fmt.Errorf("the last attempt is %+v", s.LastAttempt)
		}
		return containsAll(s.LastAttempt.Report+s.LastAttempt.Error, words...)
	})
	g.awaitOutput(t, editBound, words...)
}

// hasProxy is nil when an Envoy is connected for the instance.
func (g *gateway) hasProxy(instance string) error {
	s, err := g.status()
	if err != nil {
		return err
	}
	for _, i := range s.Instances {
		if i.Name == instance && len(i.Proxies) > 0 {
			return nil
		}
	}
	return fmt.Errorf("no proxy for %s in %+v", instance, s)
}

// The texts that most tests start from.
const (
	// edgeText is a gateway without services.
	edgeText = `
vpc "main" {}
instance "edge" {
  vpc = vpc.main
  listener "http" {
    address = "127.0.0.1"
    port    = <port>
  }
}
`
	// shopText adds one upstream that answers everything.
	shopText = edgeText + `
upstream "orders" {
  vpc = vpc.main
<upstream>
}
service "shop" {
  instance = instance.edge
  api "all" {
    backend { upstream = upstream.orders }
  }
}
`
	// mockText is an API's file of its own: <service> answers <path> with its <body>.
	mockText = `
service "<service>" {
  instance = instance.edge
  api "fixed" {
    path = "<path>"
    backend {
      mock {
        body = "<body>"
      }
    }
  }
}
`
)

// shop is shopText with the body of its upstream.
func shop(port int, upstream string) string {
	return fill(shopText, "port", port, "upstream", upstream)
}

// plain is the body of an upstream of equal HTTP nodes.
func plain(nodes ...*node) string {
	text := "  protocol = \"http\"\n"
	for _, n := range nodes {
		text += fmt.Sprintf("  node %q {}\n", n.address)
	}
	return text
}

// weighted is the body of an upstream of HTTP nodes with weights.
func weighted(nodes []*node, weights ...int) string {
	text := "  protocol = \"http\"\n"
	for i, n := range nodes {
		text += fmt.Sprintf("  node %q { weight = %d }\n", n.address, weights[i])
	}
	return text
}

// mock is mockText filled in.
func mock(service, path, body string) string {
	return fill(mockText, "service", service, "path", path, "body", body)
}

// startShop runs a gateway with one upstream and waits until it answers.
func startShop(t *testing.T, upstream string, more files) (*gateway, int) {
	t.Helper()
	port := freePort(t)
	content := files{"gateway.hcl": shop(port, upstream)}
	for name, text := range more {
		content[name] = text
	}
	g := runWeir(t, newDirectory(t, content))
	awaitReady(t, g, port)
	return g, port
}

// awaitReady waits until the gateway's Envoy forwards.
func awaitReady(t *testing.T, g *gateway, port int) {
	t.Helper()
	err := poll(startBound, func() error {
		if !g.running() {
			return nil
		}
		got, err := request{port: port, path: "/"}.try()
		if err == nil && got.status == http.StatusServiceUnavailable {
			err = fmt.Errorf("answered %v", got)
		}
		return err
	})
	if err != nil || !g.running() {
		t.Fatalf("the gateway does not answer (running: %v): %v", g.running(), err)
	}
}

// hold is nil when the condition is met; a word for checks within eventually.
func hold(condition bool, format string, values ...any) error {
	if condition {
		return nil
	}
	return fmt.Errorf(format, values...)
}
