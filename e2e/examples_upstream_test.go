package e2e

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"slices"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	grpcstatus "google.golang.org/grpc/status"
)

// exampleWith runs an example whose listener has port 8080, with nodes of the test's own by the address that the example
// has, and returns the port that takes its place.
func exampleWith(t *testing.T, name string, nodes map[string]*node) (*gateway, int) {
	t.Helper()
	port := freePort(t)
	replace := map[string]string{"port = 8080": fmt.Sprint("port = ", port)}
	for address, n := range nodes {
		replace[`"`+address+`"`] = `"` + n.address + `"`
	}
	return runExample(t, name, madeForExamples(t), replace), port
}

// The example of retries keeps what its comments say.
func TestExampleRetries(t *testing.T) {
	t.Parallel()
	nodes := map[string]*node{}
	for i, address := range []string{"10.0.1.10:8080", "10.0.1.11:8080", "10.0.2.10:8080", "10.0.2.11:8080", "10.0.3.10:8080"} {
		nodes[address] = newNode(t, "n"+string(rune('0'+i)))
	}
	_, port := exampleWith(t, "retries", nodes)
	awaitAnswer(t, startBound, port, "/uploads/1", "n4")
	for _, n := range nodes {
		n.behave(unavailable)
	}
	for _, c := range []struct {
		path     string
		attempts int
		nodes    []string
	}{
		{"/payments/1", 1, []string{"10.0.1.10:8080", "10.0.1.11:8080"}}, // a node has read it
		{"/search?q", 4, []string{"10.0.2.10:8080", "10.0.2.11:8080"}},
		{"/uploads/1", 1, []string{"10.0.3.10:8080"}},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			before, after := 0, 0
			for _, address := range c.nodes {
				before += nodes[address].count()
			}
			must(t, request{method: method, port: port, path: c.path}.wants(http.StatusServiceUnavailable, ""))
			for _, address := range c.nodes {
				after += nodes[address].count()
			}
			if after-before != c.attempts {
				t.Errorf("%s %s: %d attempts, want %d", method, c.path, after-before, c.attempts)
			}
		}
	}
	nodes["10.0.1.10:8080"].stop()
	nodes["10.0.1.11:8080"].behave(nil)
	for range 10 {
		must(t, request{method: http.MethodPost, port: port, path: "/payments/1"}.wants(http.StatusOK, "n1"))
	}
}

// The example of limits lets through what it says, and answers the rest at once.
func TestExampleLimits(t *testing.T) {
	t.Parallel()
	const limit, callers = 20, 50
	n := newNode(t, "n0")
	_, port := exampleWith(t, "limits", map[string]*node{"10.0.1.10:8080": n})
	awaitAnswer(t, startBound, port, "/", "n0")
	gate := make(chan struct{})
	n.behave(func(http.ResponseWriter, *http.Request) { <-gate })
	before := n.count()
	results := make(chan int, callers)
	for range callers {
		go func() {
			got, _ := request{method: http.MethodPost, port: port, path: "/"}.try()
			results <- got.status
		}()
	}
	statuses := map[int]int{}
	for range callers - limit - 10 { // those beyond the limit and the line are answered although nobody else is
		statuses[<-results]++
	}
	if statuses[http.StatusServiceUnavailable] != callers-limit-10 {
		t.Errorf("beyond the limit: %v", statuses)
	}
	if got := n.count() - before; got > limit {
		t.Errorf("%d requests are under way at the node, the limit is %d", got, limit)
	}
	close(gate)
	for range limit + 10 {
		statuses[<-results]++
	}
	if statuses[http.StatusOK] == 0 || statuses[http.StatusOK] > limit+10 {
		t.Errorf("answers: %v", statuses)
	}
}

// The example of health checks: a node that says that it is ill, and one that answers so, get no request.
func TestExampleHealthChecks(t *testing.T) {
	t.Parallel()
	nodes := map[string]*node{
		"10.0.1.10:8080": newNode(t, "n0"), "10.0.1.11:8080": newNode(t, "n1"),
		"10.0.2.10:8080": newNode(t, "n2"), "10.0.2.11:8080": newNode(t, "n3"),
	}
	ill := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/health" {
			unavailable(w, r)
			return
		}
		fmt.Fprint(w, "ill")
	}
	_, port := exampleWith(t, "health-checks", nodes)
	orders, search := request{port: port, path: "/orders/1"}, request{port: port, path: "/search"}
	eventually(t, startBound, "both nodes answer", answeredByAll(orders, "n0", "n1"))
	if check := (seen{"GET", "orders.internal", "/health"}); !slices.Contains(nodes["10.0.1.10:8080"].arrived(), check) {
		t.Errorf("the node was not asked %v", check)
	}
	nodes["10.0.1.10:8080"].behave(ill)
	eventually(t, startBound, "the node that is ill gets no request", answeredByAll(orders, "n1"))
	nodes["10.0.1.10:8080"].behave(nil)
	eventually(t, startBound, "it is well again", answeredByAll(orders, "n0", "n1"))
	nodes["10.0.2.10:8080"].behave(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	eventually(t, startBound, "the node that fails gets no request", answeredByAll(search, "n3"))
}

// The example of HTTPS nodes: each is asked by the name that its certificate has.
func TestExampleHTTPSUpstream(t *testing.T) {
	t.Parallel()
	made, ca := exampleFiles(t)
	orders, payments := newTLSNode(t, "orders", ca.pair(t, "orders.internal")), newTLSNode(t, "payments", ca.pair(t, "payments.internal"))
	port := freePort(t)
	runExample(t, "https-upstream", made, map[string]string{
		"port = 8080": fmt.Sprint("port = ", port), "10.8.1.10:8443": orders.address, "10.8.1.11:8443": loopback(freePort(t)), "10.8.2.10:8443": payments.address,
	})
	awaitAnswer(t, startBound, port, "/orders/1", "orders")
	awaitAnswer(t, startBound, port, "/payments/1", "payments")
	if host := orders.last(t).Host; host != "orders.internal:8443" {
		t.Errorf("the node sees the Host %q", host)
	}
	if host := payments.last(t).Host; host != "shop.example.com" {
		t.Errorf("a node without host_header sees the Host %q", host)
	}
}

// The example of gRPC: calls, streams, and a node that is gone.
func TestExampleGRPC(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	replace := map[string]string{"port = 8080": fmt.Sprint("port = ", port)}
	servers := make([]*grpc.Server, 2)
	for i := range servers {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		servers[i] = grpc.NewServer()
		states := health.NewServer()
		states.SetServingStatus("orders", healthpb.HealthCheckResponse_SERVING)
		healthpb.RegisterHealthServer(servers[i], states)
		go func() { _ = servers[i].Serve(listener) }()
		t.Cleanup(servers[i].Stop)
		replace[fmt.Sprintf(`"10.0.1.1%d:9000"`, i)] = `"` + listener.Addr().String() + `"`
	}
	runExample(t, "grpc", madeForExamples(t), replace)
	connection, err := grpc.NewClient(loopback(port), grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithAuthority("orders.example.com"))
	must(t, err)
	defer connection.Close()
	caller := healthpb.NewHealthClient(connection)
	ctx, cancel := context.WithTimeout(t.Context(), startBound)
	defer cancel()
	call := func() error {
		_, err := caller.Check(ctx, &healthpb.HealthCheckRequest{})
		return err
	}
	eventually(t, startBound, "a call is answered", call)
	stream, err := caller.Watch(ctx, &healthpb.HealthCheckRequest{})
	must(t, err)
	if answer, err := stream.Recv(); err != nil || answer.Status != healthpb.HealthCheckResponse_SERVING {
		t.Errorf("a stream is answered %v, %v", answer, err)
	}
	_, err = caller.Check(ctx, &healthpb.HealthCheckRequest{Service: "unknown"})
	if grpcstatus.Code(err) != codes.NotFound {
		t.Errorf("a refusal is answered %v", err)
	}
	servers[0].Stop()
	for range 20 {
		if err := call(); err != nil {
			t.Errorf("with one of two nodes gone: %v", err)
		}
	}
}

// The example of load balancing: a customer, and a browser, always reach the same node.
func TestExampleLoadBalancing(t *testing.T) {
	t.Parallel()
	nodes := map[string]*node{}
	for i := range 8 {
		nodes[fmt.Sprintf("10.0.%d.1%d:8080", 1+i/2, i%2)] = newNode(t, fmt.Sprint("n", i))
	}
	_, port := exampleWith(t, "load-balancing", nodes)
	eventually(t, startBound, "both nodes answer", answeredByAll(request{port: port, path: "/reports"}, "n0", "n1"))
	chosen := map[string]int{}
	for customer := range 20 {
		r := request{port: port, path: "/carts/1", header: http.Header{"x-customer": {fmt.Sprint(customer)}}}
		first := ask(t, r)
		chosen[first.body]++
		for range 5 {
			must(t, r.wants(http.StatusOK, first.body))
		}
	}
	if chosen["n2"]+chosen["n3"] != 20 || chosen["n2"] == 0 || chosen["n3"] == 0 {
		t.Errorf("20 customers are shared as %v", chosen)
	}
	upload := request{port: port, path: "/uploads/1"}
	same := ask(t, upload)
	for range 10 {
		must(t, upload.wants(http.StatusOK, same.body))
	}
	jar, err := cookiejar.New(nil)
	must(t, err)
	browser := newClient(nil)
	browser.Jar = jar
	defer browser.CloseIdleConnections()
	first := ""
	for i := range 20 {
		got, err := request{port: port, path: "/sessions"}.send(browser, "http")
		must(t, err)
		if i == 0 {
			first = got.body
		}
		if got.status != http.StatusOK || got.body != first {
			t.Errorf("a browser reaches %s, and then %v", first, got)
		}
	}
}

// The example of a client certificate: the node sees who calls.
func TestExampleClientCertificate(t *testing.T) {
	t.Parallel()
	made, ca := exampleFiles(t)
	n := startNode(t, "ledger", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{ca.pair(t, "ledger.internal")},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: ca.pool(), MinVersion: tls.VersionTLS13,
	})
	n.behave(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.TLS.PeerCertificates[0].Subject.CommonName)
	})
	port := freePort(t)
	runExample(t, "client-certificate", made, map[string]string{"port = 8080": fmt.Sprint("port = ", port), "10.0.1.10:8443": n.address})
	awaitAnswer(t, startBound, port, "/", "gateway")
}
