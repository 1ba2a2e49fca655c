package e2e

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tlsText is a TLS listener with two certificates.
const tlsText = `
vpc "main" {}
instance "edge" {
  vpc = vpc.main
  listener "https" {
    address = "127.0.0.1"
    port    = <port>
    tls {
      certificate_file = "tls/shop.crt"
      private_key_file = "tls/shop.key"
    }
    tls {
      certificate_file = "tls/other.crt"
      private_key_file = "tls/other.key"
    }
  }
}
service "shop" {
  instance = instance.edge
  api "all" {
    backend {
      mock { body = "over TLS" }
    }
  }
}
`

// moreTLS is a further certificate of a listener.
const moreTLS = `    tls {
      certificate_file = "tls/<name>.crt"
      private_key_file = "tls/<name>.key"
    }
`

// SNI chooses the certificate, the first one serves who sends none, and a renewed file is live for
// new connections, while those that are open go on.
func TestListenerCertificates(t *testing.T) {
	t.Parallel()
	trusted := newAuthority(t, "trusted")
	content := files{}
	content["tls/shop.crt"], content["tls/shop.key"] = trusted.issue(t, "shop.example.com")
	content["tls/other.crt"], content["tls/other.key"] = trusted.issue(t, "*.other.example.com")
	port := freePort(t)
	content["gateway.hcl"] = fill(tlsText, "port", port)
	g := runWeir(t, newDirectory(t, content))
	shows := func(serverName, want string) func() error {
		return func() error {
			certificate, err := handshake(port, serverName, trusted.pool())
			if err != nil {
				return err
			}
			return hold(certificate.Subject.CommonName == want, "%q is shown %q, want %q", serverName, certificate.Subject.CommonName, want)
		}
	}
	eventually(t, startBound, "the listener is open", shows("shop.example.com", "shop.example.com"))
	for name, want := range map[string]string{"a.other.example.com": "*.other.example.com", "": "shop.example.com"} {
		if err := shows(name, want)(); err != nil {
			t.Error(err)
		}
	}
	client := newClient(clientTLS("shop.example.com", trusted))
	defer client.CloseIdleConnections()
	if got, err := (request{port: port, path: "/"}).send(client, "https"); err != nil || got.body != "over TLS" {
		t.Errorf("a request over TLS is answered %v, %v", got, err)
	}

	// A connection from before a renewal stays. Other host names, or a further certificate, are other filter chains, and then a
	// connection is closed after its next answer: no request is lost either way.
	var kept *tls.Conn
	asks := func(stays bool) {
		t.Helper()
		must(t, kept.SetDeadline(time.Now().Add(startBound)))
		_, err := io.WriteString(kept, "GET / HTTP/1.1\r\nHost: shop.example.com\r\n\r\n")
		must(t, err)
		response, err := http.ReadResponse(bufio.NewReader(kept), nil)
		must(t, err)
		body, err := io.ReadAll(response.Body)
		if err != nil || string(body) != "over TLS" || stays && response.Close {
			t.Errorf("over the kept connection: %q, close %v, %v", body, response.Close, err)
		}
	}
	connect := func() {
		t.Helper()
		fresh, err := tls.Dial("tcp", loopback(port), clientTLS("shop.example.com", trusted))
		must(t, err)
		kept = fresh
		asks(true)
	}
	connect()
	defer func() { kept.Close() }()

	// The key first, as most renewals do: the state between does not belong together and must not reach Envoy.
	before, err := handshake(port, "shop.example.com", trusted.pool())
	must(t, err)
	chain, key := trusted.issue(t, "shop.example.com")
	g.save(t, "tls/shop.key", key)
	g.awaitOutcome(t, "invalid", "tls/shop.key")
	must(t, shows("shop.example.com", "shop.example.com")())
	g.save(t, "tls/shop.crt", chain)
	eventually(t, editBound, "the renewed certificate is shown", func() error {
		now, err := handshake(port, "shop.example.com", trusted.pool())
		if err != nil {
			return err
		}
		return hold(now.SerialNumber.Cmp(before.SerialNumber) != 0, "the certificate is that of before")
	})
	asks(true)

	chain, key = trusted.issue(t, "shop.example.com", "renewed.example.com")
	g.save(t, "tls/shop.key", key)
	g.save(t, "tls/shop.crt", chain)
	eventually(t, editBound, "the certificate with another name is shown", shows("renewed.example.com", "shop.example.com"))
	asks(false)
	kept.Close()
	connect()

	content["tls/more.crt"], content["tls/more.key"] = trusted.issue(t, "more.example.com")
	g.save(t, "tls/more.crt", content["tls/more.crt"])
	g.save(t, "tls/more.key", content["tls/more.key"])
	g.save(t, "gateway.hcl", strings.Replace(content["gateway.hcl"], "    tls {\n", fill(moreTLS, "name", "more")+"    tls {\n", 1))
	eventually(t, editBound, "the further certificate is shown", shows("MORE.example.com", "more.example.com"))
	asks(false)
}

// exampleOn writes an example with the files that it needs, and other values in place of some that stand in it, its
// ports above all. It returns the directory.
func exampleOn(t *testing.T, name string, made files, replace map[string]string) string {
	t.Helper()
	dir := newDirectory(t, made)
	must(t, os.CopyFS(dir, os.DirFS(filepath.Join(moduleRoot(), "examples", name))))
	path := filepath.Join(dir, "weir.hcl")
	text, err := os.ReadFile(path)
	must(t, err)
	for old, other := range replace {
		if !strings.Contains(string(text), old) {
			t.Fatalf("the example %s has no %q", name, old)
		}
		text = []byte(strings.ReplaceAll(string(text), old, other))
	}
	writeFile(t, path, string(text))
	return dir
}

// runExample runs what exampleOn wrote.
func runExample(t *testing.T, name string, made files, replace map[string]string) *gateway {
	t.Helper()
	return runWeir(t, exampleOn(t, name, made, replace))
}

// The example of listeners does what it says: partners show a certificate, callers behind a balancer are known by the
// address that it tells.
func TestExampleListeners(t *testing.T) {
	t.Parallel()
	n := newNode(t, "n0")
	partners, balanced, cdn := freePort(t), freePort(t), freePort(t)
	made, ca := exampleFiles(t)
	g := runExample(t, "listeners", made, map[string]string{
		"9443": fmt.Sprint(partners), "8080": fmt.Sprint(balanced), "8081": fmt.Sprint(cdn), "127.0.0.1:9001": n.address,
	})
	g.awaitListening(t)
	ask := func(certificates ...tls.Certificate) error {
		config := clientTLS("api.example.com", ca)
		config.Certificates = certificates
		client := newClient(config)
		defer client.CloseIdleConnections()
		got, err := request{port: partners, host: "api.example.com", path: "/"}.send(client, "https")
		if err != nil {
			return err
		}
		return hold(got.status == http.StatusOK && got.body == "n0", "answered %v", got)
	}
	eventually(t, startBound, "a partner with a certificate is answered", func() error { return ask(ca.client(t, "partner")) })
	config := clientTLS("api.example.com", ca)
	config.Certificates = []tls.Certificate{ca.client(t, "partner")}
	client := newHTTP3Client(config, 0)
	defer client.CloseIdleConnections()
	must(t, over(client, request{port: partners, host: "api.example.com", path: "/"}, "n0")())
	if ask() == nil {
		t.Error("a partner without a certificate is answered")
	}
	if ask(newAuthority(t, "foreign").client(t, "partner")) == nil {
		t.Error("a partner with a foreign certificate is answered")
	}
	connection, err := tls.Dial("tcp", loopback(balanced), clientTLS("api.example.com", ca))
	if err == nil {
		connection.Close()
		t.Error("the plain listener speaks TLS")
	}
	n.behave(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Header.Get("X-Forwarded-For")) })
	if got, err := proxied(balanced, "203.0.113.9"); err != nil || got != (answer{http.StatusOK, "203.0.113.9"}) {
		t.Errorf("behind a balancer: %v, %v", got, err)
	}
	if got, err := proxied(balanced, "192.0.2.66"); err != nil || got.status != http.StatusForbidden {
		t.Errorf("behind a balancer, a caller that is denied: %v, %v", got, err)
	}
	for callers, status := range map[string]int{"203.0.113.9": 200, "198.51.100.7": 403, "198.51.100.7, 203.0.113.9": 200} {
		must(t, request{port: cdn, path: "/", header: http.Header{"x-forwarded-for": {callers}}}.wants(status, ""))
	}
}

// proxied sends a request as a TCP load balancer passes it on, with a PROXY protocol header.
func proxied(port int, caller string) (answer, error) {
	connection, err := net.Dial("tcp", loopback(port))
	if err != nil {
		return answer{}, err
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(startBound)); err != nil {
		return answer{}, err
	}
	if _, err := fmt.Fprintf(connection, "PROXY TCP4 %s 127.0.0.1 5000 80\r\nGET / HTTP/1.1\r\nHost: api.example.com\r\n\r\n", caller); err != nil {
		return answer{}, err
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, string(body)}, err
}
