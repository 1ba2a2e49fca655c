package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// The example of tracing has spans sent to its collector while its requests are answered.
func TestExampleTracing(t *testing.T) {
	t.Parallel()
	// What the spans say is tested in package translate; here it is enough that they arrive over HTTP/2.
	exported := make(chan string, 100)
	collector := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		exported <- r.URL.Path + string(body)
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("Trailer", "Grpc-Status")
		_, _ = w.Write(make([]byte, 5)) // an empty message
		w.Header().Set("Grpc-Status", "0")
	}))
	collector.Config.Protocols = new(http.Protocols)
	collector.Config.Protocols.SetUnencryptedHTTP2(true)
	collector.Start()
	defer collector.Close()
	port, n := freePort(t), newNode(t, "n0")
	runExample(t, "tracing", files{}, map[string]string{
		"8080": fmt.Sprint(port), "127.0.0.1:9001": n.address, "127.0.0.1:4317": collector.Listener.Addr().String(), "= 0.1 #": "= 1 #",
	})
	awaitAnswer(t, startBound, port, "/orders/7?token=s3cret", "n0")
	select {
	case got := <-exported:
		must(t, containsAll(got, "/opentelemetry.proto.collector.trace.v1.TraceService/Export", "GET shop/orders", "upstream/orders", "weir.node", n.address))
		if strings.Contains(got, "s3cret") {
			t.Errorf("a secret among the spans: %q", got)
		}
	case <-time.After(startBound):
		t.Fatal("no spans have come")
	}
}
