package e2e

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// http3Text is a listener that speaks HTTP/3 too.
const http3Text = `
vpc "main" {}
instance "edge" {
  vpc = vpc.main
  listener "<name>" {
    address = "127.0.0.1"
    port    = <port>
    tls {
      certificate_file = "tls/shop.crt"
      private_key_file = "tls/shop.key"
    }
    <http3>
<more>
  }
}
upstream "orders" {
  vpc = vpc.main
  protocol = "http"
  node "<node>" {}
}
service "shop" {
  instance = instance.edge
  api "all" {
    backend { upstream = upstream.orders }
  }
}
`

// newHTTP3Client is a caller over UDP that gives a connection up on which nothing comes for idle.
func newHTTP3Client(config *tls.Config, idle time.Duration) *http.Client {
	return &http.Client{
		Timeout:       startBound,
		Transport:     &http3.Transport{TLSClientConfig: config, QUICConfig: &quic.Config{MaxIdleTimeout: idle}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// startHTTP3 runs a gateway that speaks HTTP/3 and waits until it answers. The function makes its text, with a listener of a
// name and with more in it; "http3" in that has it speak HTTP/3.
func startHTTP3(t *testing.T, n *node, trusted *authority) (*gateway, int, func(name, more string) string) {
	t.Helper()
	port := freePort(t)
	text := func(name, more string) string {
		more, on := strings.CutPrefix(more, "http3")
		return fill(http3Text, "port", port, "node", n.address, "name", name, "more", more, "http3", map[bool]string{true: "http3 {}"}[on])
	}
	content := files{"gateway.hcl": text("https", "http3")}
	content["tls/shop.crt"], content["tls/shop.key"] = trusted.issue(t, "shop.example.com")
	content["tls/other.crt"], content["tls/other.key"] = trusted.issue(t, "other.example.com")
	g := runWeir(t, newDirectory(t, content))
	client := newHTTP3Client(clientTLS("shop.example.com", trusted), 0)
	t.Cleanup(client.CloseIdleConnections)
	eventually(t, startBound, "HTTP/3 is answered", over(client, request{port: port, path: "/"}, n.name))
	return g, port, text
}

// over is nil when a request is answered with 200 and the body.
func over(client *http.Client, r request, body string) func() error {
	return func() error {
		got, err := r.send(client, "https")
		if err != nil {
			return err
		}
		return hold(got == answer{http.StatusOK, body}, "answered %v, want %q", got, body)
	}
}

// Routes, certificates and listeners are edited, and nobody who asks over HTTP/3 meanwhile gets anything but 200.
func TestHTTP3EditsLoseNoRequest(t *testing.T) {
	t.Parallel()
	trusted, n := newAuthority(t, "trusted"), newNode(t, "n0")
	g, port, text := startHTTP3(t, n, trusted)
	kept := newHTTP3Client(clientTLS("shop.example.com", trusted), 0)
	l := startLoadOver(t, request{port: port, path: "/"}, kept, "https")
	asked := func(more int64) {
		t.Helper()
		before := l.sent.Load()
		eventually(t, startBound, "the load goes on", func() error { return hold(l.sent.Load() >= before+more, "%d requests", l.sent.Load()-before) })
	}
	fresh := func(serverName string) *http.Client {
		client := newHTTP3Client(clientTLS(serverName, trusted), 0)
		t.Cleanup(client.CloseIdleConnections)
		return client
	}
	asked(enough)
	for i := range 10 {
		body := fmt.Sprint("edit ", i)
		g.save(t, "live.hcl", mock("live", "/live", body))
		eventually(t, editBound, "the route is edited", over(kept, request{port: port, path: "/live"}, body))
	}
	for range 3 {
		chain, key := trusted.issue(t, "shop.example.com")
		g.save(t, "tls/shop.key", key)
		g.save(t, "tls/shop.crt", chain)
		want, err := tls.X509KeyPair([]byte(chain), []byte(key))
		must(t, err)
		eventually(t, editBound, "the renewed certificate is shown", func() error {
			shown, err := shownOverQUIC(port, clientTLS("shop.example.com", trusted))
			return hold(err == nil && string(shown) == string(want.Certificate[0]), "%v, or the certificate of before", err)
		})
		asked(enough)
	}
	const other = "    tls {\n      certificate_file = \"tls/other.crt\"\n      private_key_file = \"tls/other.key\"\n    }\n"
	for _, edited := range []string{
		text("https", "http3\n    idle_timeout = \"5m\""), text("https", "http3\n"+other), text("web", "http3"),
	} {
		g.become(t, edited)
		if strings.Contains(edited, "other") {
			eventually(t, editBound, "the further certificate is shown", over(fresh("other.example.com"), request{port: port, path: "/"}, "n0"))
		}
		asked(5 * enough)
	}
	l.stop(t)
	g.save(t, "gateway.hcl", text("web", ""))
	eventually(t, startBound, "new connections of UDP are not answered", func() error {
		_, err := shownOverQUIC(port, clientTLS("shop.example.com", trusted))
		return hold(err != nil, "the port is open")
	})
	tcp := newClient(clientTLS("shop.example.com", trusted))
	defer tcp.CloseIdleConnections()
	must(t, over(tcp, request{port: port, path: "/"}, "n0")())
}

// shownOverQUIC is the certificate of a new connection.
func shownOverQUIC(port int, config *tls.Config) ([]byte, error) {
	config.NextProtos = []string{http3.NextProtoH3}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	connection, err := quic.DialAddr(ctx, loopback(port), config, nil)
	if err != nil {
		return nil, err
	}
	defer connection.CloseWithError(0, "")
	return connection.ConnectionState().TLS.PeerCertificates[0].Raw, nil
}

// An answer that takes longer than its caller keeps quiet connections arrives, also when the listener is edited meanwhile; and
// one that is under way when HTTP/3 is switched off, or weir is stopped.
func TestHTTP3SlowAnswer(t *testing.T) {
	t.Parallel()
	trusted, n := newAuthority(t, "trusted"), newNode(t, "n0")
	g, port, text := startHTTP3(t, n, trusted)
	ask := func(takes time.Duration) <-chan error {
		begun, done := make(chan struct{}), make(chan error, 1)
		n.behave(func(w http.ResponseWriter, _ *http.Request) {
			close(begun)
			<-time.After(takes) // the slowness is the subject
			_, _ = io.WriteString(w, "slow")
		})
		go func() {
			client := newHTTP3Client(clientTLS("shop.example.com", trusted), 12*time.Second)
			defer client.CloseIdleConnections()
			done <- over(client, request{port: port, path: "/"}, "slow")()
		}()
		<-begun
		return done
	}
	done := ask(14 * time.Second)
	g.become(t, text("web", "http3\n    max_request_headers_kb = 96"))
	must(t, <-done)
	done = ask(2 * time.Second)
	g.become(t, text("web", ""))
	must(t, <-done)
	g.become(t, text("web", "http3"))
	done = ask(2 * time.Second)
	g.stop(t)
	must(t, <-done)
}

// become saves another configuration and waits until it serves.
func (g *gateway) become(t *testing.T, text string) {
	t.Helper()
	before, err := g.status()
	must(t, err)
	g.edit(t, "gateway.hcl", text, "the edit is applied", func() error {
		s, err := g.status()
		if err != nil {
			return err
		}
		return hold(s.LastAttempt.Outcome == "applied" && s.Generation != before.Generation, "the last attempt is %+v", s.LastAttempt)
	})
}

// A UDP port that is taken is told at the block that asks for it; what served before serves on.
func TestHTTP3PortIsTaken(t *testing.T) {
	t.Parallel()
	trusted, n := newAuthority(t, "trusted"), newNode(t, "n0")
	g, port, text := startHTTP3(t, n, trusted)
	tcp := newClient(clientTLS("shop.example.com", trusted))
	defer tcp.CloseIdleConnections()
	other := freePort(t)
	taken, err := net.ListenPacket("udp", loopback(other))
	must(t, err)
	defer taken.Close()
	g.save(t, "gateway.hcl", strings.ReplaceAll(text("https", "http3"), fmt.Sprint(port), fmt.Sprint(other)))
	g.awaitOutcome(t, "refused", loopback(other)+"/udp", "gateway.hcl:12")
	must(t, over(tcp, request{port: port, path: "/"}, "n0")())
}

// A listener whose address becomes a wider one goes on over TCP; over HTTP/3, Linux gives new callers at the old address to the
// listener of before, until that has drained.
func TestHTTP3WiderAddress(t *testing.T) {
	t.Parallel()
	trusted, n, port := newAuthority(t, "trusted"), newNode(t, "n0"), freePort(t)
	text := func(address string) string {
		narrow := fill(http3Text, "port", port, "node", n.address, "name", "https", "more", "", "http3", "http3 {}")
		return strings.Replace(narrow, `"127.0.0.1"`, fmt.Sprintf("%q", address), 1)
	}
	content := files{"gateway.hcl": text("127.0.0.1")}
	content["tls/shop.crt"], content["tls/shop.key"] = trusted.issue(t, "shop.example.com")
	g := serveWeir(t, newDirectory(t, content))
	g.awaitListening(t)
	startEnvoy(t, "edge", "wider", g.xds) // drains for 5 s
	answered := func() error {
		client := newHTTP3Client(clientTLS("shop.example.com", trusted), 0)
		defer client.CloseIdleConnections()
		client.Timeout = 2 * time.Second
		return over(client, request{port: port, path: "/"}, n.name)()
	}
	eventually(t, startBound, "HTTP/3 is answered", answered)
	g.become(t, text("0.0.0.0"))
	tcp := newClient(clientTLS("shop.example.com", trusted))
	defer tcp.CloseIdleConnections()
	// A connection that waits in the queue of the socket that closes may be reset.
	eventually(t, startBound, "HTTP/2 is answered at the wider address", over(tcp, request{port: port, path: "/"}, n.name))
	eventually(t, startBound, "HTTP/3 is answered at the wider address", answered)
}
