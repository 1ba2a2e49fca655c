package envoy

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
)

// statsText is an Envoy with an upstream and a url, and with the statistics that weir's bootstrap leaves.
const statsText = `{
  "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
  "stats_config": STATS,
  "static_resources": {
    "clusters": [CLUSTER(upstream/orders), CLUSTER(url/a.example.com:443), CLUSTER(xds)],
    "listeners": [{"name": "l", "address": {"socket_address": {"address": "127.0.0.1", "port_value": PORT}}, "filter_chains": [{"filters": [{
      "name": "envoy.filters.network.http_connection_manager", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", "stat_prefix": "l",
        "route_config": {"virtual_hosts": [{"name": "v", "domains": ["*"], "routes": [
          ROUTE(upstream/orders), ROUTE(url/a.example.com:443), ROUTE(xds)]}]},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}]
      }}]}]}]
  }}`

// TestFewerStats holds which statistics of clusters that are used are left, by a real Envoy.
func TestFewerStats(t *testing.T) {
	node := httptest.NewServer(http.NotFoundHandler())
	defer node.Close()
	config, err := protojson.Marshal(fewerStats())
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	_, nodePort, _ := strings.Cut(node.Listener.Addr().String(), ":")
	text := statsText
	for _, name := range []string{"upstream/orders", "url/a.example.com:443", "xds"} {
		text = strings.NewReplacer("CLUSTER("+name+")", fmt.Sprintf(`{"name": %q, "type": "STATIC", "load_assignment": {"cluster_name": "a", "endpoints": [{"lb_endpoints": [
			{"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": %s}}}}]}]}}`, name, nodePort),
			"ROUTE("+name+")", fmt.Sprintf(`{"match": {"prefix": "/%s"}, "route": {"cluster": %q}}`, name, name)).Replace(text)
	}
	address := runEnvoy(t, strings.NewReplacer("STATS", string(config), "PORT", fmt.Sprint(port)).Replace(text))
	admin := newAdminClient(address)
	eventually(t, "Envoy is ready", func() bool { return admin.ready(t.Context()) })
	for _, name := range []string{"upstream/orders", "url/a.example.com:443", "xds"} {
		response, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/%s", port, name))
		if err != nil || response.StatusCode != http.StatusNotFound {
			t.Fatal(response, err)
		}
		_ = response.Body.Close()
	}
	if xds := statsOf(t, admin, "cluster.xds."); len(xds) < 100 {
		t.Errorf("of weir's own cluster only these are left: %q", xds)
	}
	if all := statsOf(t, admin, "http.l."); len(all) < 50 {
		t.Errorf("of callers only these are left: %q", all)
	}
	for _, prefix := range []string{"cluster.upstream/orders.", "cluster.url/a.example.com_443."} {
		got := statsOf(t, admin, prefix)
		if len(got) > 32 {
			t.Errorf("%d are left: %q", len(got), got)
		}
		for _, name := range []string{
			"membership_healthy", "membership_total", "lb_healthy_panic", "circuit_breakers.default.rq_open",
			"upstream_cx_active", "upstream_cx_connect_fail", "upstream_cx_overflow", "upstream_cx_total",
			"upstream_rq_4xx", "upstream_rq_active", "upstream_rq_active_overflow", "upstream_rq_pending_overflow", "upstream_rq_retry", "upstream_rq_retry_success",
			"upstream_rq_time", "upstream_rq_timeout", "upstream_rq_total",
		} {
			if !slices.Contains(got, name) {
				t.Errorf("%s%s is not among %q", prefix, name, got)
			}
		}
	}
}

// statsOf are the names of the statistics below a prefix, without it.
func statsOf(t *testing.T, admin *adminClient, prefix string) []string {
	t.Helper()
	text, err := admin.ask(context.Background(), http.MethodGet, "/stats?histogram_buckets=summary&filter=^"+prefix)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(text) {
		if name, _, ok := strings.Cut(line, ": "); ok {
			names = append(names, strings.TrimPrefix(name, prefix))
		}
	}
	return names
}
