package xds

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
)

// envoyPath finds the real Envoy: these tests are never skipped.
func envoyPath(t *testing.T) string {
	t.Helper()
	if p := os.Getenv("WEIR_ENVOY_PATH"); p != "" {
		return p
	}
	found, err := filepath.Glob("../.tools/envoy-*/envoy")
	if err == nil && len(found) > 0 {
		p, err := filepath.Abs(found[len(found)-1])
		if err == nil {
			return p
		}
	}
	p, err := exec.LookPath("envoy")
	if err != nil {
		t.Fatal(`no Envoy: run "make tools" or set WEIR_ENVOY_PATH`)
	}
	return p
}

// realEnvoy is a running Envoy whose listener "http" takes traffic at url.
type realEnvoy struct {
	admin string
	url   string
	get   *http.Client
}

// startEnvoy runs an Envoy that belongs to instance edge and asks f, delta or state of the world.
func startEnvoy(t *testing.T, f *fixture, api corev3.ApiConfigSource_ApiType) *realEnvoy {
	t.Helper()
	dir := t.TempDir()
	b, err := protojson.Marshal(bootstrap(t, f, api))
	if err != nil {
		t.Fatal(err)
	}
	config, adminFile := filepath.Join(dir, "bootstrap.json"), filepath.Join(dir, "admin")
	if err := os.WriteFile(config, b, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(envoyPath(t), "-c", config, "--admin-address-path", adminFile, "--concurrency", "1",
		"--disable-hot-restart", "--log-level", "warning")
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Errorf("kill Envoy: %v", err)
		}
		cmd.Wait() // killed: its status says nothing
		if t.Failed() {
			t.Logf("Envoy's log:\n%s", log.String())
		}
	})
	e := &realEnvoy{get: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	eventually(t, "Envoy's admin address", func() bool {
		b, err := os.ReadFile(adminFile)
		e.admin = string(b)
		return err == nil && len(b) > 0
	})
	eventually(t, "Envoy's listener", func() bool { e.url = e.listener(); return e.url != "" })
	return e
}

func bootstrap(t *testing.T, f *fixture, api corev3.ApiConfigSource_ApiType) *bootstrapv3.Bootstrap {
	t.Helper()
	_, port, err := net.SplitHostPort(f.target)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	h2, err := anypb.New(&httpv3.HttpProtocolOptions{
		UpstreamProtocolOptions: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_{
			ExplicitHttpConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig{
				ProtocolConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_Http2ProtocolOptions{},
			},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	xds := &clusterv3.Cluster{
		Name: "xds", ConnectTimeout: durationpb.New(time.Second),
		ClusterDiscoveryType:          &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STATIC},
		LoadAssignment:                assignment("xds", "127.0.0.1", n),
		TypedExtensionProtocolOptions: map[string]*anypb.Any{"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": h2},
	}
	return &bootstrapv3.Bootstrap{
		Node:  &corev3.Node{Id: "envoy-1", Cluster: "edge"},
		Admin: &bootstrapv3.Admin{Address: address("127.0.0.1", 0)},
		DynamicResources: &bootstrapv3.Bootstrap_DynamicResources{
			LdsConfig: ads(), CdsConfig: ads(),
			AdsConfig: &corev3.ApiConfigSource{
				ApiType: api, TransportApiVersion: corev3.ApiVersion_V3, SetNodeOnFirstMessageOnly: true,
				GrpcServices: []*corev3.GrpcService{{TargetSpecifier: &corev3.GrpcService_EnvoyGrpc_{
					EnvoyGrpc: &corev3.GrpcService_EnvoyGrpc{ClusterName: "xds", RetryPolicy: &corev3.RetryPolicy{
						RetryBackOff: &corev3.BackoffStrategy{
							BaseInterval: durationpb.New(100 * time.Millisecond), MaxInterval: durationpb.New(time.Second),
						},
					}},
				}}},
			},
		},
		StaticResources: &bootstrapv3.Bootstrap_StaticResources{Clusters: []*clusterv3.Cluster{xds}},
	}
}

// listener asks Envoy for the address that it gave to listener "http", whose port is 0.
func (e *realEnvoy) listener() string {
	body, err := e.fetch("http://" + e.admin + "/listeners?format=json")
	if err != nil {
		return ""
	}
	var list struct {
		Statuses []struct {
			Name         string `json:"name"`
			LocalAddress struct {
				SocketAddress struct {
					PortValue int `json:"port_value"`
				} `json:"socket_address"`
			} `json:"local_address"`
		} `json:"listener_statuses"`
	}
	if json.Unmarshal([]byte(body), &list) != nil {
		return ""
	}
	for _, l := range list.Statuses {
		if l.Name == "http" {
			return fmt.Sprintf("http://127.0.0.1:%d", l.LocalAddress.SocketAddress.PortValue)
		}
	}
	return ""
}

// fetch answers with the body of a 200.
func (e *realEnvoy) fetch(url string) (string, error) {
	r, err := e.get.Get(url)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return "", err
	}
	if r.StatusCode != http.StatusOK {
		return "", errors.New(r.Status + ": " + string(b))
	}
	return string(b), nil
}

// answers waits until a request through Envoy is answered by the backend of that name.
func (e *realEnvoy) answers(t *testing.T, want string) {
	t.Helper()

	eventually(t, want+" answers", func() bool {
		got, err := e.fetch(e.url)

		return err == nil && got == want
	})
}

// backend answers each request with its name.
func backend(t *testing.T, name string) (port int) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, name) }))
	t.Cleanup(s.Close)
	return s.Listener.Addr().(*net.TCPAddr).Port
}

// forwarding is listener "http" on a port of Envoy's choice, with the named routes over ADS.
func forwarding(t *testing.T, routeName string) *listenerv3.Listener {
	t.Helper()
	router, err := anypb.New(&routerv3.Router{})
	if err != nil {
		t.Fatal(err)
	}
	hcm, err := anypb.New(&hcmv3.HttpConnectionManager{
		StatPrefix: "http",
		RouteSpecifier: &hcmv3.HttpConnectionManager_Rds{
			Rds: &hcmv3.Rds{RouteConfigName: routeName, ConfigSource: ads()},
		},
		HttpFilters: []*hcmv3.HttpFilter{{
			Name: "envoy.filters.http.router", ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: router},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &listenerv3.Listener{
		Name: "http", Address: address("127.0.0.1", 0),
		FilterChains: []*listenerv3.FilterChain{{Filters: []*listenerv3.Filter{{
			Name:       "envoy.filters.network.http_connection_manager",
			ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: hcm},
		}}}},
	}
}

// gateway is the set of an instance with two upstreams, one of which gets all traffic.
func gateway(t *testing.T, to string, groups ...[]proto.Message) []proto.Message {
	t.Helper()
	return append(all(groups...), forwarding(t, "http"), routing("http", to))
}
