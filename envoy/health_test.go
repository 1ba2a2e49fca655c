package envoy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// healthText is an Envoy with an upstream whose nodes it checks, and one of which only names are known.
const healthText = `{
  "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
  "static_resources": {"clusters": [
    {"name": "upstream/orders", "connect_timeout": "1s", "type": "STATIC", "health_checks": [CHECK],
     "load_assignment": {"cluster_name": "a", "endpoints": [{"lb_endpoints": [NODE(127.0.0.1:LIVE), NODE(127.0.0.1:DEAD)]}]}},
    {"name": "upstream/orders_old", "connect_timeout": "1s", "type": "STATIC",
     "load_assignment": {"cluster_name": "b", "endpoints": [{"lb_endpoints": [NODE(127.0.0.1:DEAD)]}]}},
    {"name": "upstream/names", "connect_timeout": "1s", "type": "STRICT_DNS", "dns_lookup_family": "V4_ONLY", "health_checks": [CHECK],
     "load_assignment": {"cluster_name": "c", "endpoints": [{"lb_endpoints": [NODE(localhost:LIVE)]}]}}
  ]}}`

// TestClusterHealth asks a real Envoy.
func TestClusterHealth(t *testing.T) {
	live := httptest.NewServer(http.NotFoundHandler())
	defer live.Close()
	_, livePort, _ := net.SplitHostPort(live.Listener.Addr().String())
	dead := fmt.Sprint(freePort(t))
	text := healthText
	for {
		before, rest, found := strings.Cut(text, "NODE(")
		if !found {
			break
		}
		node, after, _ := strings.Cut(rest, ")")
		host, port, _ := strings.Cut(node, ":")
		text = before + fmt.Sprintf(`{"endpoint": {"address": {"socket_address": {"address": %q, "port_value": %s}}}}`, host, port) + after
	}
	text = strings.NewReplacer("LIVE", livePort, "DEAD", dead, "CHECK",
		`{"timeout": "1s", "interval": "0.1s", "unhealthy_threshold": 1, "healthy_threshold": 1, "http_health_check": {"path": "/", "expected_statuses": [{"start": 200, "end": 500}]}}`).Replace(text)
	address := runEnvoy(t, text)
	for cluster, want := range map[string][]Endpoint{
		"upstream/orders":     {{Address: "127.0.0.1:" + livePort}, {Address: "127.0.0.1:" + dead, Health: Unhealthy}},
		"upstream/orders_old": {{Address: "127.0.0.1:" + dead}},
		"upstream/names":      {{Address: "127.0.0.1:" + livePort, Hostname: "localhost"}},
		"upstream/.*":         nil,
	} {
		for i := range want {
			_, port, _ := net.SplitHostPort(want[i].Address)
			_, _ = fmt.Sscan(port, &want[i].Port)
		}
		eventually(t, fmt.Sprintf("%s is %+v", cluster, want), func() bool {
			got, err := ClusterHealth(t.Context(), address, cluster)
			return err == nil && cmp.Equal(want, got)
		})
	}
}

// runEnvoy starts Envoy on a bootstrap and returns the address of its admin API.
func runEnvoy(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	config, file := filepath.Join(dir, "bootstrap.json"), filepath.Join(dir, "admin")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(envoyPath(t), "-c", config, "--admin-address-path", file, "--disable-hot-restart", "--log-level", "error", "--concurrency", "1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	var address []byte
	eventually(t, "Envoy has an admin API", func() bool {
		address, _ = os.ReadFile(file)
		return len(address) > 0
	})
	return string(address)
}

// TestClusterHealthStates holds which of Envoy's words mean what.
func TestClusterHealthStates(t *testing.T) {
	answer := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/clusters" || r.URL.Query().Get("filter") != "^upstream/a$" {
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
			return
		}
		fmt.Fprintf(w, `{"cluster_statuses": [{"name": "upstream/a", "host_statuses": [{"address": {"socket_address": {"address": "::1", "port_value": 80}}, "health_status": {%s}}]}]}`, answer)
	}))
	defer server.Close()
	address := server.Listener.Addr().String()
	for words, want := range map[string]Health{
		``:                               Healthy,
		`"eds_health_status": "HEALTHY"`: Healthy,
		`"failed_active_health_check": true, "eds_health_status": "HEALTHY"`:   Unhealthy,
		`"failed_outlier_check": true`:                                         Unhealthy,
		`"excluded_via_immediate_hc_fail": true`:                               Unhealthy,
		`"eds_health_status": "DRAINING"`:                                      Unhealthy,
		`"failed_active_health_check": true, "pending_active_hc": true`:        Pending,
		`"pending_dynamic_removal": true, "eds_health_status": "HEALTHY"`:      Healthy,
		`"failed_active_degraded_check": true, "eds_health_status": "HEALTHY"`: Healthy,
	} {
		answer = words
		got, err := ClusterHealth(t.Context(), address, "upstream/a")
		if err != nil || len(got) != 1 || got[0].Health != want || got[0].Address != "[::1]:80" {
			t.Errorf("%s: %+v, %v, want %d", words, got, err, want)
		}
	}
	if got, err := ClusterHealth(t.Context(), address, "upstream/b"); err == nil {
		t.Errorf("a redirect was followed: %v", got)
	}
	answer = "nonsense"
	if got, err := ClusterHealth(t.Context(), address, "upstream/a"); err == nil {
		t.Errorf("nonsense is understood: %v", got)
	}
}

// TestClusterHealthOfADeadEnvoy holds that nobody waits for an Envoy that takes connections and says nothing.
func TestClusterHealthOfADeadEnvoy(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := ClusterHealth(ctx, silent.Addr().String(), "upstream/a"); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
