package e2e

import (
	"crypto/tls"
	"net/http"
	"testing"
)

// clientCAText is a listener whose callers show a certificate, over TCP and UDP.
const clientCAText = `
vpc "main" {}
instance "edge" {
  vpc = vpc.main
  listener "https" {
    address        = "127.0.0.1"
    port           = <port>
    client_ca_file = "clients.pem"
    tls {
      certificate_file = "tls/shop.crt"
      private_key_file = "tls/shop.key"
    }
    http3 {}
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

// The CA of callers is replaced by another one, over a file that holds both, while callers of either ask: on connections that
// stay and on new ones nobody loses a request while the CA is in the file. Afterwards the old one opens no connection any
// more, not even with a session from before; those that are open go on.
func TestClientCAIsRenewed(t *testing.T) {
	t.Parallel()
	servers, before, after := newAuthority(t, "servers"), newAuthority(t, "before"), newAuthority(t, "after")
	port, n := freePort(t), newNode(t, "n0")
	content := files{"gateway.hcl": fill(clientCAText, "port", port, "node", n.address), "clients.pem": before.pem}
	content["tls/shop.crt"], content["tls/shop.key"] = servers.issue(t, "shop.example.com")
	g := runWeir(t, newDirectory(t, content))
	r := request{port: port, path: "/"}
	config := func(ca *authority) *tls.Config {
		c := clientTLS("shop.example.com", servers)
		c.Certificates = []tls.Certificate{ca.client(t, "caller")}
		return c
	}
	// fresh asks on a new connection.
	fresh := func(client *http.Client) error {
		defer client.CloseIdleConnections()
		return over(client, r, "n0")()
	}
	tcp := func(ca *authority) error { return fresh(newClient(config(ca))) }
	udp := func(ca *authority) error { return fresh(newHTTP3Client(config(ca), 0)) }
	eventually(t, startBound, "a caller of the CA is answered", func() error { return tcp(before) })
	resumed := config(before)
	resumed.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	must(t, fresh(newClient(resumed)))
	again, err := tls.Dial("tcp", loopback(port), resumed)
	must(t, err)
	must(t, hold(again.ConnectionState().DidResume, "no session is ever taken up again"))
	must(t, again.Close())

	kept := startLoadOver(t, r, newClient(config(before)), "https")
	open := newClient(config(before))
	open.Transport.(*http.Transport).DisableKeepAlives = true
	opening := startLoadOver(t, r, open, "https")
	g.save(t, "clients.pem", before.pem+after.pem)
	eventually(t, editBound, "a caller of the new CA is answered", func() error { return tcp(after) })
	for name, ask := range map[string]func(*authority) error{"TCP": tcp, "UDP": udp} {
		for _, ca := range []*authority{before, after} {
			if err := ask(ca); err != nil {
				t.Errorf("while both are in the file, over %s: %v", name, err)
			}
		}
	}
	opening.stop(t)

	g.save(t, "clients.pem", after.pem)
	eventually(t, editBound, "a caller of the old CA is refused", func() error { return hold(tcp(before) != nil, "it is answered") })
	if fresh(newClient(resumed)) == nil {
		t.Error("a session from before is taken up again")
	}
	if udp(before) == nil {
		t.Error("a caller of the old CA is answered over UDP")
	}
	must(t, tcp(after))
	must(t, udp(after))
	kept.stop(t)
}
