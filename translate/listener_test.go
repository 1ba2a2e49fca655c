package translate

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/weirproxy/weir/model"
)

// secure adds a TLS listener with one certificate to the instance "edge", and returns it.
func secure(t *testing.T, c *model.Configuration, name string) *model.Listener {
	t.Helper()
	l := &model.Listener{Name: name, Address: c.Instances["edge"].Listeners["http"].Address, Port: 8443, Limits: usualLimits}
	certificate, key := selfSigned(t, "shop.test")
	l.Certificates = []model.Certificate{{
		CertificateFile: name + ".crt", PrivateKeyFile: name + ".key", Chain: certificate, PrivateKey: key, ServerNames: []string{"shop.test"},
	}}
	c.Instances["edge"].Listeners[name] = l
	return l
}

// onEveryListener mounts an API that forwards everything to the node.
func onEveryListener(c *model.Configuration, n *node) {
	addUpstream(c, "orders", model.HTTP, n.address)
	addService(c, "shop", "", forwardAPI("all", "*", "orders", ""))
	c.Services["shop"].Listeners = sortedKeys(c.Instances["edge"].Listeners)
}

func TestListenerMinVersion(t *testing.T) {
	c := edge()
	secure(t, c, "usual")
	strict := secure(t, c, "strict")
	strict.Port, strict.TLS.MinVersion = 8444, model.TLS13
	g := startEnvoy(t, cutUp(c), nil)
	for _, test := range []struct {
		listener string
		version  uint16
		taken    bool
	}{
		{"usual", tls.VersionTLS11, false},
		{"usual", tls.VersionTLS12, true},
		{"usual", tls.VersionTLS13, true},
		{"strict", tls.VersionTLS12, false},
		{"strict", tls.VersionTLS13, true},
	} {
		config := &tls.Config{InsecureSkipVerify: true, MinVersion: test.version, MaxVersion: test.version}
		err := g.dial(test.listener, config).conn.(*tls.Conn).Handshake()
		if (err == nil) != test.taken {
			t.Errorf("%s, %s: %v", test.listener, tls.VersionName(test.version), err)
		}
	}
}

// TestClientCertificates holds that only callers with a certificate of the listener's CA get through, over HTTP/1.1 and
// HTTP/2, and that nodes learn from the gateway alone who they are.
func TestClientCertificates(t *testing.T) {
	c, n := edge(), startNode(t, nil)
	known, knownKey := selfSigned(t, "caller.test")
	foreign, foreignKey := selfSigned(t, "caller.test")
	secure(t, c, "https").TLS.ClientCA = known
	onEveryListener(c, n)
	g := startEnvoy(t, cutUp(c), nil)
	ask := func(protocol string, pair ...[]byte) (*http.Response, error) {
		config := &tls.Config{InsecureSkipVerify: true, NextProtos: []string{protocol}}
		if len(pair) > 0 {
			certificate, err := tls.X509KeyPair(pair[0], pair[1])
			if err != nil {
				t.Fatal(err)
			}
			config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &certificate, nil }
		}
		transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: protocol == "h2"}
		defer transport.CloseIdleConnections()
		request, _ := http.NewRequest("GET", "https://"+g.ports["https"]+"/", nil)
		request.Header.Set("X-Forwarded-Client-Cert", "Subject=\"CN=somebody else\"")
		response, err := (&http.Client{Transport: transport, Timeout: 30 * time.Second}).Do(request)
		if err == nil {
			_ = response.Body.Close()
		}
		return response, err
	}
	for _, protocol := range []string{"http/1.1", "h2"} {
		if r, err := ask(protocol); err == nil {
			t.Errorf("%s without a certificate: %s", protocol, r.Status)
		}
		if r, err := ask(protocol, foreign, foreignKey); err == nil {
			t.Errorf("%s with a foreign certificate: %s", protocol, r.Status)
		}
		r, err := ask(protocol, known, knownKey)
		if err != nil || r.StatusCode != 200 || r.ProtoMajor != map[string]int{"http/1.1": 1, "h2": 2}[protocol] {
			t.Fatalf("%s with a certificate: %v, %v", protocol, r, err)
		}
		xfcc := (<-n.requests).Header.Get("X-Forwarded-Client-Cert")
		if !strings.Contains(xfcc, "DNS=caller.test") || strings.Contains(xfcc, "somebody") {
			t.Errorf("the node is told %q", xfcc)
		}
	}
}

func TestListenerLimits(t *testing.T) {
	c, n := edge(), startNode(t, nil)
	listeners := c.Instances["edge"].Listeners
	listeners["limited"] = &model.Listener{Name: "limited", Address: listeners["http"].Address, Port: 8081, Limits: model.ListenerLimits{
		MaxRequestHeadersKB: 96, IdleTimeout: 200 * time.Millisecond, RequestTimeout: 300 * time.Millisecond,
	}}
	onEveryListener(c, n)
	g := startEnvoy(t, cutUp(c), nil)
	// The single header is below what one may be at all, and the two together are between the limits.
	big := []string{"X-A: " + strings.Repeat("a", 40<<10), "X-B: " + strings.Repeat("b", 40<<10)}
	if a := g.dial("http", nil).do("GET", "shop.test", "/", big...); a.Status != 431 {
		t.Errorf("80 KiB of headers where 60 are allowed: %d", a.Status)
	}
	caller := g.dial("limited", nil)
	if a := caller.do("GET", "shop.test", "/", big...); a.Status != 200 {
		t.Errorf("80 KiB of headers where 96 are allowed: %d", a.Status)
	}
	_ = caller.conn.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := caller.read.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("an idle connection ends with %v", err)
	}
	slow := g.dial("limited", nil)
	_ = slow.conn.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(slow.conn, "POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 10\r\n\r\nhalf"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(slow.read, nil)
	if err != nil || response.StatusCode != 408 {
		t.Errorf("a request that does not end: %v, %v", response, err)
	}
}

// TestTrustedProxies holds whose word about the caller counts.
func TestTrustedProxies(t *testing.T) {
	c, n := edge(), startNode(t, nil)
	listeners := c.Instances["edge"].Listeners
	listeners["behind"] = &model.Listener{Name: "behind", Address: listeners["http"].Address, Port: 8081, Limits: usualLimits, XFFNumTrustedHops: 1}
	listeners["balanced"] = &model.Listener{Name: "balanced", Address: listeners["http"].Address, Port: 8082, Limits: usualLimits, ProxyProtocol: true}
	onEveryListener(c, n)
	g := startEnvoy(t, cutUp(c), nil)
	claims := []string{"X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https"}
	for listener, want := range map[string]string{"http": "http", "behind": "https"} {
		g.dial(listener, nil).do("GET", "shop.test", "/", claims...)
		seen := (<-n.requests).Header
		if got := seen.Get("X-Forwarded-Proto"); got != want {
			t.Errorf("%s: X-Forwarded-Proto %q, want %q", listener, got, want)
		}
	}
	for _, header := range [][]byte{
		[]byte("PROXY TCP4 203.0.113.9 203.0.113.1 5000 80\r\n"),
		bytes.Join([][]byte{[]byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c"), {203, 0, 113, 9, 203, 0, 113, 1, 19, 136, 0, 80}}, nil),
	} {
		balanced := g.dial("balanced", nil)
		if _, err := balanced.conn.Write(header); err != nil {
			t.Fatal(err)
		}
		balanced.do("GET", "shop.test", "/")
		if got := (<-n.requests).Header.Get("X-Forwarded-For"); got != "203.0.113.9" {
			t.Errorf("behind a balancer: X-Forwarded-For %q", got)
		}
	}
	bare := g.dial("balanced", nil)
	_ = bare.conn.SetDeadline(time.Now().Add(30 * time.Second))
	_, _ = io.WriteString(bare.conn, "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n")
	if _, err := bare.read.ReadByte(); err == nil {
		t.Error("a connection without a PROXY header is answered")
	}
}

// TestOneCertificateHasOneChain holds that several certificates make a chain each, and one certificate a plain one.
func TestOneCertificateHasOneChain(t *testing.T) {
	c := edge()
	l := secure(t, c, "https")
	if got := listener(c.Instances["edge"], l); len(got.FilterChains) != 1 || got.DefaultFilterChain != nil {
		t.Errorf("%d chains, another one %v", len(got.FilterChains), got.DefaultFilterChain)
	}
	l.Certificates = append(l.Certificates, model.Certificate{CertificateFile: "b.crt", ServerNames: []string{"*.b.test", "w*.b.test"}})
	got := listener(c.Instances["edge"], l)
	if len(got.FilterChains) != 2 || got.DefaultFilterChain == nil {
		t.Fatalf("%d chains", len(got.FilterChains))
	}
	if names := got.FilterChains[1].FilterChainMatch.ServerNames; len(names) != 1 || names[0] != "*.b.test" {
		t.Errorf("chosen by %q", names)
	}
}
