package translate

import (
	"bytes"
	"crypto/tls"
	"net"
	"slices"
	"testing"

	"github.com/weirproxy/weir/envoy"
	"github.com/weirproxy/weir/model"
)

// TestSystemCA holds that clusters ask for the secret that the bootstrap defines.
func TestSystemCA(t *testing.T) {
	if SystemCA != envoy.SystemCA {
		t.Errorf("clusters ask for %q, the bootstrap defines %q", SystemCA, envoy.SystemCA)
	}
}

// TestUpstreamTLS holds that an https upstream's nodes prove who they are, in every row of the contract's table.
func TestUpstreamTLS(t *testing.T) {
	type identity struct {
		node *node
		port string
		ca   []byte
	}
	serve := func(host string) identity {
		certificate, key := selfSigned(t, host)
		pair, err := tls.X509KeyPair(certificate, key)
		if err != nil {
			t.Fatal(err)
		}
		n := startTLSNode(t, nil, &tls.Config{Certificates: []tls.Certificate{pair}})
		_, port, err := net.SplitHostPort(n.address)
		if err != nil {
			t.Fatal(err)
		}
		return identity{n, port, certificate}
	}
	localhost, other, address := serve("localhost"), serve("other.test"), serve("127.0.0.1")
	elsewhere := serve("127.0.0.2") // it listens on 127.0.0.1 all the same
	system := bytes.Join([][]byte{localhost.ca, other.ca, address.ca, elsewhere.ca}, nil)

	c := edge()
	add := func(name, hostHeader string, options *model.UpstreamTLS, nodes ...string) {
		u := addUpstream(c, name, model.HTTPS, nodes...)
		u.HostHeader, u.TLS, u.Retries = hostHeader, options, 1
	}
	const byIP, byName = "127.0.0.1:", "localhost:"
	add("own_name", "", nil, byName+localhost.port)
	add("wrong_own_name", "", nil, byName+other.port)
	add("host", "Other.test:1", nil, byIP+other.port)
	add("wrong_host", "other.test", nil, byIP+localhost.port)
	add("sni", "shown.test", &model.UpstreamTLS{SNI: "other.test"}, byIP+other.port)
	add("wrong_sni", "other.test", &model.UpstreamTLS{SNI: "shown.test"}, byIP+other.port)
	add("address", "", nil, byIP+address.port)
	add("wrong_address", "", nil, byIP+other.port)
	add("addresses", "", nil, byIP+address.port, "127.0.0.2:"+address.port)
	add("another_address", "", nil, byIP+elsewhere.port, "127.0.0.2:"+elsewhere.port)
	add("host_address", "127.0.0.1:1", nil, byIP+address.port)
	add("mixture", "", nil, byName+localhost.port, byIP+address.port)
	add("wrong_mixture", "", nil, byName+address.port, byIP+localhost.port)
	add("ca", "other.test", &model.UpstreamTLS{CA: other.ca}, byIP+other.port)
	add("wrong_ca", "other.test", &model.UpstreamTLS{CA: localhost.ca}, byIP+other.port)
	add("insecure", "", &model.UpstreamTLS{InsecureSkipVerify: true}, byIP+other.port)
	add("insecure_mixture", "", &model.UpstreamTLS{InsecureSkipVerify: true}, byIP+other.port, byName+other.port)
	apis := []*model.API{forwardAPI("url", "/url", "", ""), forwardAPI("wrong_url", "/wrong_url", "", "")}
	apis[0].Backend.URL = &model.URL{Protocol: model.HTTPS, Host: "localhost", Port: c.Upstreams["own_name"].Nodes[0].Port, Explicit: true}
	apis[1].Backend.URL = &model.URL{Protocol: model.HTTPS, Host: "localhost", Port: c.Upstreams["host"].Nodes[0].Port, Explicit: true}
	for name := range c.Upstreams {
		apis = append(apis, forwardAPI(name, "/"+name, name, ""))
	}
	addService(c, "shop", "", apis...)
	caller := startEnvoy(t, cutUp(c), system).dial("http", nil)

	for _, test := range []struct {
		path string
		node *node // nil: refused
		sni  string
	}{
		{"/own_name", localhost.node, "localhost"},
		{"/wrong_own_name", nil, ""},
		{"/host", other.node, "other.test"},
		{"/wrong_host", nil, ""},
		{"/sni", other.node, "other.test"},
		{"/wrong_sni", nil, ""},
		{"/address", address.node, ""},
		{"/wrong_address", nil, ""},
		{"/addresses", address.node, ""},
		{"/another_address", nil, ""},
		{"/host_address", address.node, ""},
		{"/mixture", localhost.node, "localhost"},
		{"/mixture", address.node, ""},
		{"/wrong_mixture", nil, ""},
		{"/ca", other.node, "other.test"},
		{"/wrong_ca", nil, ""},
		{"/insecure", other.node, ""},
		{"/insecure_mixture", other.node, ""},
		{"/insecure_mixture", other.node, "localhost"},
		{"/url", localhost.node, "localhost"},
		{"/wrong_url", nil, ""},
	} {
		var seen []string
		for range 8 { // until each node had its turn
			a := caller.do("GET", "caller.test", test.path)
			if test.node == nil {
				if a.Status != 503 {
					t.Errorf("%s: status %d from a node that did not prove who it is", test.path, a.Status)
				}
				continue
			}
			if a.Status != 200 {
				t.Errorf("%s: status %d %s", test.path, a.Status, a.Body)
			}
			for len(test.node.requests) > 0 {
				seen = append(seen, (<-test.node.requests).TLS.ServerName)
			}
		}
		if test.node != nil && !slices.Contains(seen, test.sni) {
			t.Errorf("%s: the node was never asked with SNI %q, but with %q", test.path, test.sni, seen)
		}
	}
	for _, identity := range []identity{localhost, other, address, elsewhere} {
		for len(identity.node.requests) > 0 {
			<-identity.node.requests
		}
	}
}

// TestDownstreamTLS holds that SNI chooses among a listener's certificates, whatever their order, that the first one is
// shown to callers who name no other, and that HTTP/2 is offered.
func TestDownstreamTLS(t *testing.T) {
	c := edge()
	https := &model.Listener{Name: "https", Address: c.Instances["edge"].Listeners["http"].Address, Port: 8443, Limits: usualLimits}
	c.Instances["edge"].Listeners["https"] = https
	for _, names := range [][]string{{"first.test"}, {"*.wild.test", "second.test"}, {"exact.wild.test"}} {
		certificate, key := selfSigned(t, names...)
		https.Certificates = append(https.Certificates, model.Certificate{
			CertificateFile: "tls/" + names[0] + ".crt", PrivateKeyFile: "tls/" + names[0] + ".key",
			Chain: certificate, PrivateKey: key, ServerNames: names,
		})
	}
	addMocks(t, c, "shop", "", []string{"*"})
	c.Services["shop"].Listeners = []string{"http", "https"}
	g := startEnvoy(t, cutUp(c), nil)
	for sni, want := range map[string]string{
		"":                "first.test",
		"first.test":      "first.test",
		"unknown.test":    "first.test",
		"second.test":     "*.wild.test",
		"a.wild.test":     "*.wild.test",
		"exact.wild.test": "exact.wild.test",
		"Second.TEST":     "*.wild.test",
		"A.Wild.Test":     "*.wild.test",
		"EXACT.wild.test": "exact.wild.test",
	} {
		config := &tls.Config{ServerName: sni, InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}}
		caller := g.dial("https", config)
		if a := caller.do("GET", "any.test", "/"); chosen(a) != "shop/a0" {
			t.Errorf("SNI %q: %+v", sni, a)
		}
		if got := caller.conn.(*tls.Conn).ConnectionState().PeerCertificates[0].DNSNames[0]; got != want {
			t.Errorf("SNI %q: certificate of %s, want that of %s", sni, got, want)
		}
	}
	h2 := g.dial("https", &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}}).conn.(*tls.Conn)
	if err := h2.Handshake(); err != nil || h2.ConnectionState().NegotiatedProtocol != "h2" {
		t.Errorf("negotiated %q, %v, want h2", h2.ConnectionState().NegotiatedProtocol, err)
	}
}
