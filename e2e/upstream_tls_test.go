package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
)

// issueClient makes a certificate for a caller: chain and key, as PEM.
func (a *authority) issueClient(t *testing.T, name string) (chain, key string) {
	t.Helper()
	certificate := a.client(t, name)
	encoded, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	must(t, err)
	return encode("CERTIFICATE", certificate.Certificate[0]), encode("PRIVATE KEY", encoded)
}

// strictNode is a node that asks for a client certificate, answers with its name, and counts handshakes.
func strictNode(t *testing.T, servers, clients *authority) (*node, *atomic.Int32) {
	t.Helper()
	handshakes := new(atomic.Int32)
	n := startNode(t, "strict", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{servers.pair(t, "127.0.0.1")},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: clients.pool(), MinVersion: tls.VersionTLS13,
		VerifyConnection: func(tls.ConnectionState) error { handshakes.Add(1); return nil },
	})
	n.behave(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.TLS.PeerCertificates[0].Subject.CommonName)
	})
	return n, handshakes
}

// A node that asks for a certificate is shown one; renewed files are taken without a restart, without a lost request and
// without a connection that is cut.
func TestClientCertificate(t *testing.T) {
	t.Parallel()
	servers, clients := newAuthority(t, "servers"), newAuthority(t, "clients")
	n, handshakes := strictNode(t, servers, clients)
	certificate, key := clients.issueClient(t, "first")
	const shows = "  tls {\n    ca_file = \"tls/ca.pem\"\n    client_certificate_file = \"tls/client.crt\"\n    client_key_file = \"tls/client.key\"\n  }\n"
	const shy = "  tls {\n    ca_file = \"tls/ca.pem\"\n  }\n"
	g, port := startUpstreams(t, []string{tlsUpstream(n.address, shows), tlsUpstream(n.address, shy)},
		files{"tls/ca.pem": servers.pem, "tls/client.crt": certificate, "tls/client.key": key})
	r := request{port: port, path: "/0"}
	must(t, r.wants(http.StatusOK, "first"))
	must(t, request{port: port, path: "/1"}.wants(http.StatusServiceUnavailable, ""))

	l := startLoad(t, r)
	renewed, renewedKey := clients.issueClient(t, "second")
	before := handshakes.Load()
	g.save(t, "tls/client.key", renewedKey) // the key first: what does not belong together is not taken
	g.awaitOutcome(t, "invalid", "tls/client.key")
	g.save(t, "tls/client.crt", renewed)
	g.awaitOutcome(t, "applied")
	fresh := newAuthority(t, "fresh")
	g.save(t, "tls/ca.pem", servers.pem+fresh.pem)
	g.awaitOutcome(t, "applied")
	// A caller of its own may be another worker's, which makes a connection with what it has now.
	eventually(t, editBound, "new connections show the renewed certificate", func() error {
		n.server.CloseClientConnections()
		return r.wants(http.StatusOK, "second")
	})
	t.Logf("%d handshakes before, %d after the renewals", before, handshakes.Load())
	result := l.stop(t)
	if result.byBody["first"] == 0 || result.byBody["second"] == 0 {
		t.Errorf("the load saw %v", result.byBody)
	}
}

// A connection outlives the renewal of the files that it was made with.
func TestRenewalCutsNoConnection(t *testing.T) {
	t.Parallel()
	servers, clients := newAuthority(t, "servers"), newAuthority(t, "clients")
	n, handshakes := strictNode(t, servers, clients)
	certificate, key := clients.issueClient(t, "first")
	g, port := startUpstreams(t, []string{tlsUpstream(n.address, "  idle_timeout = \"1h\"\n  tls {\n    ca_file = \"tls/ca.pem\"\n    client_certificate_file = \"tls/client.pem\"\n    client_key_file = \"tls/client.pem\"\n  }\n")},
		files{"tls/ca.pem": servers.pem, "tls/client.pem": certificate + key})
	caller := newClient(nil) // one connection, and so one worker
	defer caller.CloseIdleConnections()
	ask := func(want string) {
		t.Helper()
		got, err := request{port: port, path: "/0"}.send(caller, "http")
		must(t, err)
		must(t, hold(got == answer{http.StatusOK, want}, "answered %v, want %s", got, want))
	}
	ask("first")
	before := handshakes.Load()
	renew := func(name, text string) {
		t.Helper()
		old, err := g.status()
		must(t, err)
		g.save(t, name, text)
		eventually(t, editBound, name+" is taken", func() error {
			s, err := g.status()
			if err != nil {
				return err
			}
			return hold(s.Generation != old.Generation && s.LastAttempt.Outcome == "applied", "the status is %+v", s)
		})
	}
	for i := range 3 {
		certificate, key := clients.issueClient(t, fmt.Sprint("renewed ", i))
		renew("tls/client.pem", certificate+key)
		renew("tls/ca.pem", servers.pem+newAuthority(t, "other").pem)
		ask("first")
	}
	if after := handshakes.Load(); after != before {
		t.Errorf("%d handshakes before and %d after six renewals", before, after)
	}
	n.server.CloseClientConnections()
	eventually(t, editBound, "a new connection shows the last certificate", func() error {
		return request{port: port, path: "/0"}.wants(http.StatusOK, "renewed 2")
	})
}
