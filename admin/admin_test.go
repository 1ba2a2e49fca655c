package admin

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/weirproxy/weir/model"
)

// configuration has one upstream that two services use, one of them on an instance without any proxy.
func configuration() *model.Configuration {
	place := func(line int) model.Place { return model.PlaceAt("main.hcl", line, 1) }
	return &model.Configuration{
		VPCs: map[string]*model.VPC{"prod": {Name: "prod"}},
		Instances: map[string]*model.Instance{
			"edge": {Name: "edge", Type: model.Dedicated, VPC: "prod", Place: place(2), Listeners: map[string]*model.Listener{
				"https": {Name: "https", Address: netip.MustParseAddr("0.0.0.0"), Port: 8443, Certificates: make([]model.Certificate, 1)},
				"http":  {Name: "http", Address: netip.MustParseAddr("0.0.0.0"), Port: 8080, Place: place(3)},
			}},
			"back": {Name: "back", Type: model.Shared},
		},
		Upstreams: map[string]*model.Upstream{
			"orders": {
				Name: "orders", VPC: "prod", Protocol: model.HTTP, LoadBalancing: model.WeightedRoundRobin, Retries: 5,
				Place: place(10), Nodes: []model.Node{
					{Host: "10.0.0.1", Port: 80, Weight: 30, Place: place(12)},
					{Host: "::1", Port: 81, Weight: 10},
					{Host: "orders.internal", Port: 82, Weight: 0},
				},
			},
			"idle": {Name: "idle", VPC: "prod", Protocol: model.HTTPS, TLS: &model.UpstreamTLS{SNI: "idle.internal"}},
		},
		Services: map[string]*model.Service{
			"shop": {Name: "shop", Instance: "edge", Domains: []string{"shop.example.com"}, APIs: map[string]*model.API{
				"get": {
					Name: "get", Methods: []string{"GET"}, Path: model.Path{Kind: model.PrefixPath, Text: "/orders"},
					Backend: model.Backend{Upstream: "orders"}, Place: place(20),
				},
				"ping": {Name: "ping", Backend: model.Backend{Mock: &model.Mock{Status: 200}}},
			}},
			"admin": {Name: "admin", Instance: "back", APIs: map[string]*model.API{
				"all": {Name: "all", Backend: model.Backend{Upstream: "orders"}},
			}},
		},
	}
}

var loadedAt = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func loaded() *State {
	return &State{
		Version: "v1", Path: "gateway", XDSAddress: "127.0.0.1:18000", AdminAddress: "127.0.0.1:18001",
		Generation: "abc123", LoadedAt: loadedAt, Configuration: configuration(),
		LastAttempt: &Attempt{Outcome: Applied, At: loadedAt, Took: Duration(1500 * time.Microsecond), Generation: "abc123", Diagnostics: json.RawMessage("[]")},
	}
}

func options(state *State) Options {
	return Options{
		Listen: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 18001},
		State:  func() *State { return state },
		Proxies: func() []Proxy {
			return []Proxy{
				{Node: "n1", Instance: "edge", Current: true, Types: []ProxyType{}},
				{Node: "n2", Instance: "nowhere", Types: []ProxyType{}},
			}
		},
		Reload: func(context.Context) (*Attempt, error) { return state.LastAttempt, nil },
		Metrics: NewMetrics("v1", func() map[string]ProxyCounts {
			return map[string]ProxyCounts{"edge": {Connected: 3, Current: 2, Refusing: 1, Standbys: 1}, "back": {}}
		}, func() *State { return state }),
	}
}

// ask sends one request to a handler as a client on the same machine would.
func ask(o Options, method, path string, change ...func(*http.Request)) *http.Response {
	r := httptest.NewRequest(method, "http://127.0.0.1:18001"+path, nil)
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	NewHandler(o).ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	var b strings.Builder
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(b.String(), "\r\n\r\n")
	return text
}

func decode[T any](t *testing.T, r *http.Response) T {
	t.Helper()
	var document T
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&document); err != nil {
		t.Fatal(err)
	}
	return document
}

func TestStatusCodes(t *testing.T) {
	invalid := &State{LastAttempt: &Attempt{Outcome: Invalid, Error: "too bad", Diagnostics: json.RawMessage("[]")}}
	for _, test := range []struct {
		name, method, path string
		state              *State
		status             int
		contains           string
	}{
		{"index", "GET", "/", loaded(), 200, "POST /api/v1/reload"},
		{"live without a configuration", "GET", "/healthz", new(State), 200, "ok"},
		{"ready", "GET", "/readyz", loaded(), 200, "ready"},
		{"not ready at first", "GET", "/readyz", new(State), 503, "no configuration has been loaded yet"},
		{"not ready says why", "GET", "/readyz", invalid, 503, "the last attempt was invalid: too bad"},
		{"status without a configuration", "GET", "/api/v1/status", new(State), 200, `"ready": false`},
		{"upstreams without a configuration", "GET", "/api/v1/upstreams", new(State), 503, `"error"`},
		{"upstream without a configuration", "GET", "/api/v1/upstreams/orders", new(State), 503, `"error"`},
		{"instances without a configuration", "GET", "/api/v1/instances", new(State), 503, `"error"`},
		{"proxies without a configuration", "GET", "/api/v1/proxies", new(State), 200, `"proxies"`},
		{"no such upstream", "GET", "/api/v1/upstreams/nope", loaded(), 404, `there is no upstream \"nope\"`},
		{"no such page", "GET", "/api/v2", loaded(), 404, `"error"`},
		{"reload is no GET", "GET", "/api/v1/reload", loaded(), 405, `"error"`},
		{"status is no POST", "POST", "/api/v1/status", loaded(), 405, `"error"`},
		{"health is no DELETE", "DELETE", "/healthz", loaded(), 405, `"error"`},
		{"reload", "POST", "/api/v1/reload", loaded(), 200, `"outcome": "applied"`},
		{"reload of mistakes", "POST", "/api/v1/reload", invalid, 422, `"outcome": "invalid"`},
		{"metrics", "GET", "/metrics", loaded(), 200, `weir_xds_connected_proxies{instance="back"} 0`},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := ask(options(test.state), test.method, test.path)
			if got := body(t, r); r.StatusCode != test.status || !strings.Contains(got, test.contains) {
				t.Errorf("%d, want %d and %q in:\n%s", r.StatusCode, test.status, test.contains, got)
			}
		})
	}
}

func TestAllow(t *testing.T) {
	for path, want := range map[string]string{"/healthz": "GET, HEAD", "/api/v1/reload": "POST"} {
		if got := ask(options(loaded()), "DELETE", path).Header.Get("Allow"); got != want {
			t.Errorf("%s: Allow %q, want %q", path, got, want)
		}
	}
}

func TestHead(t *testing.T) {
	server := httptest.NewServer(NewHandler(options(loaded())))
	defer server.Close()
	for _, path := range []string{"/", "/healthz", "/readyz", "/metrics", "/api/v1/status", "/api/v1/upstreams/orders"} {
		r, err := http.Head(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Body.Close()
		if r.StatusCode != http.StatusOK {
			t.Errorf("HEAD %s: %s", path, r.Status)
		}
	}
}

func TestHostHeader(t *testing.T) {
	public := &net.TCPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 18001}
	for _, test := range []struct {
		listen net.Addr
		host   string
		status int
	}{
		{nil, "127.0.0.1:18001", 200},
		{nil, "localhost:18001", 200},
		{nil, "LOCALHOST", 200},
		{nil, "[::1]:18001", 200},
		{nil, "127.8.9.1", 200},
		{nil, "admin.internal:18001", 200}, // the operator's own word
		{nil, "evil.example:18001", 403},
		{nil, "127.0.0.1.evil.example", 403},
		{nil, "10.0.0.1:18001", 403},
		{nil, "", 403},
		{public, "weir.example", 200},
	} {
		o := options(loaded())
		o.Host = "admin.internal"
		if test.listen != nil {
			o.Listen = test.listen
		}
		r := ask(o, "GET", "/api/v1/status", func(r *http.Request) { r.Host = test.host })
		if r.StatusCode != test.status {
			t.Errorf("Host %q at %v: %d, want %d", test.host, o.Listen, r.StatusCode, test.status)
		}
	}
}

func TestReloadFromAnotherOrigin(t *testing.T) {
	for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
		called := false
		o := options(loaded())
		o.Reload = func(context.Context) (*Attempt, error) { called = true; return nil, ErrStopping }
		r := ask(o, "POST", "/api/v1/reload", func(r *http.Request) { r.Header.Set(name, value) })
		if r.StatusCode != http.StatusForbidden || called {
			t.Errorf("%s: %s: %d, called %v", name, value, r.StatusCode, called)
		}
	}
}

func TestReloadErrors(t *testing.T) {
	for _, test := range []struct {
		err    error
		status int
	}{
		{ErrStopping, 503},
		{context.DeadlineExceeded, 504},
		{errors.New("anything else"), 500},
	} {
		o := options(loaded())
		o.Reload = func(context.Context) (*Attempt, error) { return nil, test.err }
		r := ask(o, "POST", "/api/v1/reload")
		if document := decode[Error](t, r); r.StatusCode != test.status || document.Error == "" {
			t.Errorf("%v: %d %q, want %d", test.err, r.StatusCode, document.Error, test.status)
		}
	}
}

func TestStatus(t *testing.T) {
	o := options(loaded())
	o.Envoys = func() []Envoy { return []Envoy{{Instance: "edge", PID: 7}} }
	s := decode[Status](t, ask(o, "GET", "/api/v1/status"))
	if !s.Ready || s.Generation != "abc123" || !s.LoadedAt.Equal(loadedAt) || s.LastAttempt.Took != Duration(1500*time.Microsecond) {
		t.Errorf("%+v", s)
	}
	want := Counts{VPCs: 1, Instances: 2, Listeners: 2, Upstreams: 2, Nodes: 3, Services: 2, APIs: 3}
	if s.Counts != want {
		t.Errorf("counts %+v, want %+v", s.Counts, want)
	}
	if len(s.Instances) != 2 || s.Instances[1].Name != "edge" || len(s.Instances[1].Proxies) != 1 || len(s.Instances[0].Proxies) != 0 {
		t.Errorf("instances %+v", s.Instances)
	}
	if l := s.Instances[1].Listeners; len(l) != 2 || l[0].Name != "http" || l[0].TLS || !l[1].TLS || l[0].Place.Line != 3 {
		t.Errorf("listeners %+v", l)
	}
	if len(s.Strays) != 1 || s.Strays[0].Node != "n2" || len(s.Envoys) != 1 {
		t.Errorf("strays %+v, envoys %+v", s.Strays, s.Envoys)
	}
}

func TestUpstream(t *testing.T) {
	u := decode[Upstream](t, ask(options(loaded()), "GET", "/api/v1/upstreams/orders"))
	if u.Nodes[0].Percent != 75 || u.Nodes[1].Percent != 25 || u.Nodes[2].Percent != 0 {
		t.Errorf("percents of %+v", u.Nodes)
	}
	if u.Nodes[1].Address != "[::1]:81" || u.Nodes[0].Place.Line != 12 {
		t.Errorf("nodes %+v", u.Nodes)
	}
	if a := u.AssociatedAPIs; len(a) != 2 || a[0].Service != "admin" || a[0].Path != "/*" || a[1].Path != "/orders/*" || a[1].Place.Line != 20 {
		t.Errorf("associated APIs %+v", a)
	}
	list := decode[UpstreamList](t, ask(options(loaded()), "GET", "/api/v1/upstreams"))
	if len(list.Upstreams) != 2 || list.Upstreams[0].Name != "idle" || list.Upstreams[0].TLS.SNI != "idle.internal" {
		t.Errorf("%+v", list)
	}
}

func TestMetrics(t *testing.T) {
	o := options(loaded())
	o.Metrics.Attempted(&Attempt{Outcome: Applied, At: loadedAt})
	o.Metrics.Attempted(&Attempt{Outcome: Invalid, At: loadedAt.Add(time.Hour)})
	o.Metrics.Loaded(3 * time.Millisecond)
	o.Metrics.Refused("edge", "Cluster")
	got := body(t, ask(o, "GET", "/metrics"))
	for _, line := range []string{
		"weir_config_last_reload_successful 0\n",
		"weir_config_last_reload_success_timestamp_seconds 1.767323045e+09\n",
		`weir_config_reloads_total{outcome="applied"} 1`,
		`weir_config_reloads_total{outcome="invalid"} 1`,
		`weir_config_reloads_total{outcome="failed"} 0`,
		"weir_config_load_seconds_count 1\n",
		`weir_xds_connected_proxies{instance="edge"} 3`,
		`weir_xds_current_proxies{instance="edge"} 2`,
		`weir_xds_connected_standbys{instance="edge"} 1`,
		`weir_xds_refusing_proxies{instance="edge"} 1`,
		`weir_xds_refusals_total{instance="edge",type="Cluster"} 1`,
		`weir_build_info{goversion="go`,
		"go_goroutines ",
		"process_start_time_seconds ",
	} {
		if !strings.Contains(got, line) {
			t.Errorf("no %q", line)
		}
	}
}

func TestServerHasTimeouts(t *testing.T) {
	s := NewServer(options(loaded()), slog.New(slog.DiscardHandler))
	if s.ReadHeaderTimeout == 0 || s.ReadTimeout == 0 || s.IdleTimeout == 0 || s.WriteTimeout <= ReloadTimeout {
		t.Errorf("%v %v %v %v", s.ReadHeaderTimeout, s.ReadTimeout, s.IdleTimeout, s.WriteTimeout)
	}
}

// Each file of a block is a series, however many listeners use it.
func TestExpirations(t *testing.T) {
	edge := model.Certificate{CertificateFile: "edge.crt", NotAfter: time.Unix(2000000000, 0)}
	s := loaded()
	s.Configuration = &model.Configuration{
		Instances: map[string]*model.Instance{"edge": {Listeners: map[string]*model.Listener{
			"a": {Certificates: []model.Certificate{edge}}, "b": {Certificates: []model.Certificate{edge}},
		}}},
		Upstreams: map[string]*model.Upstream{
			"orders": {TLS: &model.UpstreamTLS{Client: &model.Certificate{CertificateFile: "hidden.crt", NotAfter: time.Unix(2000000001, 0)}}},
			"plain":  {},
		},
	}
	s.Mask = func(text string) string { return strings.ReplaceAll(text, "hidden", "[sensitive]") }
	text := body(t, ask(options(s), "GET", "/metrics"))
	for _, line := range []string{
		`weir_certificate_expiration_timestamp_seconds{file="edge.crt",kind="instance",name="edge"} 2e+09`,
		`weir_certificate_expiration_timestamp_seconds{file="[sensitive].crt",kind="upstream",name="orders"} 2.000000001e+09`,
	} {
		if strings.Count(text, line+"\n") != 1 {
			t.Errorf("no %s", line)
		}
	}
}
