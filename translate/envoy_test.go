package translate

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/weirproxy/weir/envoy"
)

// gateway is a running Envoy that serves the resources of one instance from a static bootstrap.
type gateway struct {
	t     *testing.T
	names map[string]string // of listeners by their resources' names
	ports map[string]string // address by listener
	admin string
}

// startEnvoy runs the real Envoy on the resources, every listener on a free port of loopback, until the test ends.
// The secret system_ca holds ca, if given.
func startEnvoy(t *testing.T, resources []Resource, ca []byte) *gateway {
	t.Helper()
	return startWorkers(t, resources, ca, 1)
}

// startWorkers is startEnvoy with a number of workers.
func startWorkers(t *testing.T, resources []Resource, ca []byte, workers int) *gateway {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "bootstrap.json")
	data, err := protojson.Marshal(static(t, resources, ca))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, data, 0o600); err != nil {
		t.Fatal(err)
	}
	adminFile, logFile := filepath.Join(dir, "admin"), filepath.Join(dir, "log")
	cmd := exec.Command(envoyPath(t), "-c", config, "--admin-address-path", adminFile, "--log-path", logFile,
		"--log-level", "warning", "--disable-hot-restart", "--concurrency", fmt.Sprint(workers), "--file-flush-interval-msec", "100")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-done
		words, err := os.ReadFile(logFile)
		if err != nil || bytes.Contains(words, []byte("Deprecated")) {
			t.Errorf("Envoy was sent what is deprecated, or its log is lost: %v", err)
		}
		if t.Failed() {
			t.Logf("Envoy's log:\n%s", words)
		}
	})
	g := &gateway{t: t, names: map[string]string{}, ports: map[string]string{}}
	for _, r := range resources {
		if l, ok := r.Message.(*listenerv3.Listener); ok {
			g.names[l.Name] = cmp.Or(l.StatPrefix, l.Name)
		}
	}
	deadline := time.Now().Add(30 * time.Second)
	for !g.ready(adminFile) {
		select {
		case err := <-done:
			done <- err
			t.Fatalf("Envoy ended: %v", err)
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatal("Envoy is not ready after 30 s")
		}
	}
	return g
}

// ready reports whether Envoy is live, and learns its ports.
func (g *gateway) ready(adminFile string) bool {
	address, err := os.ReadFile(adminFile)
	if err != nil || len(address) == 0 {
		return false
	}
	g.admin = "http://" + string(address)
	if body, status, err := g.adminGet("/ready"); err != nil || status != 200 || !strings.HasPrefix(body, "LIVE") {
		return false
	}
	body, _, err := g.adminGet("/listeners?format=json")
	if err != nil {
		return false
	}
	var listeners struct {
		Statuses []struct {
			Name    string `json:"name"`
			Address struct {
				Socket struct {
					Address string `json:"address"`
					Port    int    `json:"port_value"`
				} `json:"socket_address"`
			} `json:"local_address"`
		} `json:"listener_statuses"`
	}
	if err := json.Unmarshal([]byte(body), &listeners); err != nil {
		g.t.Fatalf("admin /listeners: %v in %s", err, body)
	}
	for _, l := range listeners.Statuses {
		g.ports[g.names[l.Name]] = net.JoinHostPort(l.Address.Socket.Address, fmt.Sprint(l.Address.Socket.Port))
	}
	return true
}

func (g *gateway) adminGet(path string) (string, int, error) {
	response, err := http.Get(g.admin + path)
	if err != nil {
		return "", 0, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), response.StatusCode, err
}

// counter is one of Envoy's, by its whole name.
func (g *gateway) counter(name string) int {
	g.t.Helper()
	text, _, err := g.adminGet("/stats?filter=^" + url.QueryEscape(regexp.QuoteMeta(name)) + "$")
	_, number, found := strings.Cut(strings.TrimSpace(text), ": ")
	n, bad := strconv.Atoi(number)
	if err != nil || !found || bad != nil {
		g.t.Fatalf("counter %s: %q %v", name, text, err)
	}
	return n
}

// answer is what a caller gets.
type answer struct {
	Status int
	Header http.Header
	Body   string
}

// client is one HTTP/1.1 connection to a listener. It writes request lines as they are given, which net/http would tidy.
type client struct {
	t       *testing.T
	gateway *gateway
	conn    net.Conn
	read    *bufio.Reader
}

// dial connects to a listener; with TLS if config is not nil.
func (g *gateway) dial(listener string, config *tls.Config) *client {
	g.t.Helper()
	conn, err := net.Dial("tcp", g.ports[listener])
	if err != nil {
		g.t.Fatal(err)
	}
	if config != nil {
		conn = tls.Client(conn, config)
	}
	g.t.Cleanup(func() { _ = conn.Close() })
	return &client{t: g.t, gateway: g, conn: conn, read: bufio.NewReader(conn)}
}

// do sends one request. Headers are "Name: value" lines.
func (c *client) do(method, host, target string, headers ...string) answer {
	c.t.Helper()
	return c.send(method, host, target, "", headers...)
}

func (c *client) send(method, host, target, body string, headers ...string) answer {
	c.t.Helper()
	_ = c.conn.SetDeadline(time.Now().Add(30 * time.Second))
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, target, host)
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	if body != "" || method == "POST" || method == "PUT" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	if _, err := io.WriteString(c.conn, b.String()); err != nil {
		c.t.Fatalf("%s %s: %v", method, target, err)
	}
	response, err := http.ReadResponse(c.read, &http.Request{Method: method})
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, target, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, target, err)
	}
	return answer{response.StatusCode, response.Header, string(text)}
}

// static is a bootstrap that holds the resources themselves where a real one would fetch them.
func static(t *testing.T, resources []Resource, ca []byte) *bootstrapv3.Bootstrap {
	t.Helper()
	b := &bootstrapv3.Bootstrap{
		Admin:           &bootstrapv3.Admin{Address: hostAddress("127.0.0.1", 0)},
		StaticResources: &bootstrapv3.Bootstrap_StaticResources{},
	}
	assignments := map[string]*endpointv3.ClusterLoadAssignment{}
	routes := map[string]*routev3.RouteConfiguration{}
	var scopes []*routev3.ScopedRouteConfiguration
	for _, r := range resources {
		switch m := proto.Clone(r.Message).(type) {
		case *clusterv3.Cluster:
			b.StaticResources.Clusters = append(b.StaticResources.Clusters, m)
		case *listenerv3.Listener:
			protocol := m.Address.GetSocketAddress().Protocol
			m.Address = hostAddress("127.0.0.1", 0)
			m.Address.GetSocketAddress().Protocol = protocol
			b.StaticResources.Listeners = append(b.StaticResources.Listeners, m)
		case *tlsv3.Secret:
			b.StaticResources.Secrets = append(b.StaticResources.Secrets, m)
		case *endpointv3.ClusterLoadAssignment:
			assignments[m.ClusterName] = m
		case *routev3.RouteConfiguration:
			routes[m.Name] = m
		case *routev3.ScopedRouteConfiguration:
			scopes = append(scopes, m)
		}
	}
	for _, s := range scopes {
		s.RouteConfiguration, s.RouteConfigurationName = routes[s.RouteConfigurationName], ""
	}
	if ca != nil {
		b.StaticResources.Secrets = append(b.StaticResources.Secrets, &tlsv3.Secret{Name: SystemCA,
			Type: &tlsv3.Secret_ValidationContext{ValidationContext: &tlsv3.CertificateValidationContext{TrustedCa: inline(ca)}}})
	}
	for _, c := range b.StaticResources.Clusters {
		if c.GetType() == clusterv3.Cluster_EDS {
			c.ClusterDiscoveryType = &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STATIC}
			c.LoadAssignment = assignments[cmp.Or(c.EdsClusterConfig.ServiceName, c.Name)]
			c.EdsClusterConfig = nil
		}
	}
	withoutADS(b.ProtoReflect(), scopes)
	return b
}

// withoutADS replaces references to ADS, through every Any.
func withoutADS(m protoreflect.Message, scopes []*routev3.ScopedRouteConfiguration) {
	switch m := m.Interface().(type) {
	case *anypb.Any:
		if inner, err := m.UnmarshalNew(); err == nil {
			withoutADS(inner.ProtoReflect(), scopes)
			m.Value = pack(inner).Value
		}
		return
	case *hcmv3.HttpConnectionManager:
		m.GetScopedRoutes().ConfigSpecifier = &hcmv3.ScopedRoutes_ScopedRouteConfigurationsList{
			ScopedRouteConfigurationsList: &hcmv3.ScopedRouteConfigurationsList{ScopedRouteConfigurations: scopes},
		}
		m.GetScopedRoutes().RdsConfigSource = nil
		return
	case *tlsv3.SdsSecretConfig:
		m.SdsConfig = nil
		return
	}
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.IsMap() || field.Message() == nil:
		case field.IsList():
			for i := range value.List().Len() {
				withoutADS(value.List().Get(i).Message(), scopes)
			}
		default:
			withoutADS(value.Message(), scopes)
		}
		return true
	})
}

// accepted asks the real Envoy whether it takes the resources.
func accepted(t *testing.T, resources []Resource) {
	t.Helper()
	var messages []proto.Message
	for _, r := range resources {
		messages = append(messages, r.Message)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := envoy.Validate(ctx, envoyPath(t), messages); err != nil {
		t.Error(err)
	}
}

// envoyPath is the real Envoy.
func envoyPath(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("WEIR_ENVOY_PATH"); path != "" {
		return path
	}
	if tools, err := filepath.Glob("../.tools/envoy-*/envoy"); err == nil && len(tools) > 0 {
		return tools[len(tools)-1]
	}
	path, err := exec.LookPath("envoy")
	if err != nil {
		t.Fatal(`no Envoy: run "make tools" or set WEIR_ENVOY_PATH`)
	}
	return path
}

// node is a server behind the gateway that remembers what it was asked.
type node struct {
	address  string // host:port
	requests chan *http.Request
}

// startNode serves until the test ends. Each request that it saw can be taken from requests.
func startNode(t *testing.T, handler http.HandlerFunc) *node {
	t.Helper()
	return startTLSNode(t, handler, nil)
}

// startTLSNode is startNode over TLS, if there is a configuration for it.
func startTLSNode(t *testing.T, handler http.HandlerFunc, config *tls.Config) *node {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &node{address: l.Addr().String(), requests: make(chan *http.Request, 1000)}
	if config != nil {
		l = tls.NewListener(l, config)
	}
	server := &http.Server{
		ErrorLog: log.New(io.Discard, "", 0), // handshakes that callers break off are what some tests are about
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			n.requests <- r
			if handler != nil {
				handler(w, r)
			}
		}),
	}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return n
}
