package translate

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"github.com/weirproxy/weir/model"
)

// withHTTP3 has a TLS listener speak HTTP/3.
func withHTTP3(l *model.Listener) *model.Listener {
	l.HTTP3 = &model.HTTP3{AdvertisedPort: 443}
	return l
}

// askHTTP3 sends a request over a connection of its own, until the test ends.
func (g *gateway) askHTTP3(l *model.Listener, config *tls.Config, r *http.Request) (*http.Response, string, error) {
	g.t.Helper()
	transport := &http3.Transport{TLSClientConfig: config, QUICConfig: &quic.Config{HandshakeIdleTimeout: 30 * time.Second}}
	g.t.Cleanup(func() { _ = transport.Close() })
	transport.Dial = func(ctx context.Context, _ string, t *tls.Config, c *quic.Config) (*quic.Conn, error) {
		t.ServerName = config.ServerName
		return quic.DialAddrEarly(ctx, g.ports[quicName(l)], t, c)
	}
	response, err := (&http.Client{Transport: transport, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(r)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response, string(body), err
}

// TestHTTP3 holds that over HTTP/3 a listener does what it does over TCP: routes, also in parts, limits, rules of callers, names
// in the log, and whom the nodes are told of.
func TestHTTP3(t *testing.T) {
	file := filepath.Join(t.TempDir(), "access.log")
	c, n := edge(), startNode(t, nil)
	c.Instances["edge"].AccessLog = &model.AccessLog{Format: model.JSONLog, Path: file}
	l := withHTTP3(secure(t, c, "https"))
	addUpstream(c, "orders", model.HTTP, n.address)
	forward, closed := forwardAPI("get", "/orders/{id}", "orders", "/v1/{id}"), mockAPI("shop", "closed", "/closed")
	closed.IPRules = &model.IPRules{Deny: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	limited := mockAPI("shop", "limited", "/limited")
	limited.RateLimit = &model.RateLimit{Requests: 1, Per: time.Hour, Burst: 1}
	addService(c, "shop", "shop.test", forward, closed, limited)
	c.Services["shop"].Listeners = []string{"https"}
	g := startEnvoy(t, cutUp(c), nil)
	config := &tls.Config{InsecureSkipVerify: true, ServerName: "shop.test"}
	paths := []string{"/orders/7?x=1", "/a/../orders//8", "/closed", "/limited", "/limited", "/nowhere"}
	for i, status := range []int{200, 200, 403, 200, 429, 404} {
		r, _ := http.NewRequest("POST", "https://shop.test"+paths[i], strings.NewReader(strings.Repeat("x", 200<<10)))
		r.Header.Set(scopeHeader, "elsewhere")
		r.Header.Set("X-Forwarded-For", "192.0.2.1")
		response, body, err := g.askHTTP3(l, config, r)
		if err != nil || response.StatusCode != status || response.ProtoMajor != 3 || response.Header.Get("Alt-Svc") != "" {
			t.Fatalf("%s: %v, %q, %v, want %d", paths[i], response, body, err, status)
		}
	}
	for _, want := range []string{"/v1/7?x=1", "/v1/8"} {
		r := <-n.requests
		if r.RequestURI != want || r.Host != "shop.test" || r.Header.Get("X-Forwarded-Proto") != "https" ||
			!strings.HasPrefix(r.Header.Get("X-Forwarded-For"), "192.0.2.1,") || r.Header.Get("X-Envoy-External-Address") != "127.0.0.1" || r.Header.Get(scopeHeader) != "" {
			t.Errorf("the node got %s of %s, %v, want %s", r.RequestURI, r.Host, r.Header, want)
		}
	}
	apis := map[string]int{}
	for _, line := range lines(t, file, len(paths)) {
		var got struct{ Protocol, Listener, SNI, API string }
		if err := json.Unmarshal([]byte(line), &got); err != nil || got.Protocol != "HTTP/3" || got.Listener != "https" || got.SNI != "shop.test" {
			t.Errorf("%v: %s", err, line)
		}
		apis[got.API]++
	}
	if diff := cmp.Diff(map[string]int{"get": 2, "closed": 1, "limited": 2, "": 1}, apis); diff != "" {
		t.Errorf("the log's APIs (- wanted, + found):\n%s", diff)
	}
}

// TestHTTP3IsAdvertised holds that every answer over TCP tells of HTTP/3, unless its node says something else.
func TestHTTP3IsAdvertised(t *testing.T) {
	c := edge()
	n := startNode(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/own" {
			w.Header().Set("Alt-Svc", "clear")
		}
	})
	withHTTP3(secure(t, c, "https"))
	onEveryListener(c, n)
	c.Services["shop"].APIs["mock"] = mockAPI("shop", "mock", "/mock")
	c.Services["shop"].APIs["none"] = mockAPI("shop", "none", "POST /none")
	c.Services["other"] = &model.Service{Name: "other", Instance: "edge", Listeners: []string{"https"}, Domains: []string{"other.test"}}
	g := startEnvoy(t, cutUp(c), nil)
	caller := g.dial("https", &tls.Config{InsecureSkipVerify: true})
	const told = `h3=":443"; ma=86400`
	for _, test := range []struct{ host, path, want string }{
		{"shop.test", "/", told}, {"shop.test", "/mock", told}, {"other.test", "/nobody", told}, {"shop.test", "/own", "clear"},
	} {
		if got := caller.do("GET", test.host, test.path).Header.Values("Alt-Svc"); len(got) != 1 || got[0] != test.want {
			t.Errorf("%s%s: %q, want %q", test.host, test.path, got, test.want)
		}
	}
	if got := g.dial("http", nil).do("GET", "shop.test", "/").Header.Get("Alt-Svc"); got != "" {
		t.Errorf("a listener without HTTP/3 says %q", got)
	}
}

// TestHTTP3Certificates holds that SNI chooses as it does over TCP, and that callers have to show a certificate where they
// have to over TCP.
func TestHTTP3Certificates(t *testing.T) {
	c := edge()
	https := withHTTP3(secure(t, c, "https"))
	certificate, key := selfSigned(t, "second.test", "*.wild.test")
	https.Certificates = append(https.Certificates, model.Certificate{
		CertificateFile: "second.crt", Chain: certificate, PrivateKey: key, ServerNames: []string{"*.wild.test", "second.test"}})
	partners := withHTTP3(secure(t, c, "partners"))
	partners.Port = 8444
	known, knownKey := selfSigned(t, "caller.test")
	foreign, foreignKey := selfSigned(t, "caller.test")
	partners.TLS.ClientCA = known
	n := startNode(t, nil)
	onEveryListener(c, n)
	g := startEnvoy(t, cutUp(c), nil)
	ask := func(l *model.Listener, config *tls.Config) (*http.Response, error) {
		config.InsecureSkipVerify = true
		r, _ := http.NewRequest("GET", "https://any.test/", nil)
		r.Header.Set("X-Forwarded-Client-Cert", "Subject=\"CN=somebody else\"")
		response, _, err := g.askHTTP3(l, config, r)
		return response, err
	}
	for sni, want := range map[string]string{"": "shop.test", "unknown.test": "shop.test", "second.test": "second.test", "SECOND.test": "second.test", "a.Wild.Test": "second.test"} {
		response, err := ask(https, &tls.Config{ServerName: sni})
		if err != nil {
			t.Errorf("SNI %q: %v", sni, err)
			continue
		}
		if got := response.TLS.PeerCertificates[0].DNSNames[0]; got != want {
			t.Errorf("SNI %q is shown %s, want %s", sni, got, want)
		}
		<-n.requests
	}
	var refused *quic.TransportError
	if r, err := ask(partners, &tls.Config{}); !errors.As(err, &refused) {
		t.Errorf("without a certificate: %v, %v", r, err)
	}
	for i, pair := range [][2][]byte{{known, knownKey}, {foreign, foreignKey}} {
		shown, err := tls.X509KeyPair(pair[0], pair[1])
		if err != nil {
			t.Fatal(err)
		}
		response, err := ask(partners, &tls.Config{GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &shown, nil }})
		if i == 1 {
			if !errors.As(err, &refused) {
				t.Errorf("with a foreign certificate: %v, %v", response, err)
			}
			continue
		}
		if err != nil || response.StatusCode != 200 {
			t.Fatalf("with a certificate: %v, %v", response, err)
		}
		if xfcc := (<-n.requests).Header.Get("X-Forwarded-Client-Cert"); !strings.Contains(xfcc, "DNS=caller.test") || strings.Contains(xfcc, "somebody") {
			t.Errorf("the node is told %q", xfcc)
		}
	}
}

// TestHTTP3Limits holds that the limits of a listener bound its requests over HTTP/3.
func TestHTTP3Limits(t *testing.T) {
	c, n := edge(), startNode(t, nil)
	l := withHTTP3(secure(t, c, "https"))
	l.Limits.RequestTimeout, l.Limits.IdleTimeout = 300*time.Millisecond, 200*time.Millisecond
	onEveryListener(c, n)
	g := startEnvoy(t, cutUp(c), nil)
	config := &tls.Config{InsecureSkipVerify: true}
	idle, err := quic.DialAddr(t.Context(), g.ports[quicName(l)], &tls.Config{InsecureSkipVerify: true, NextProtos: []string{http3.NextProtoH3}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer idle.CloseWithError(0, "")
	eventually(t, "an idle connection is given up", func() bool { return g.counter("http.https.downstream_cx_idle_timeout") == 1 })
	for size, taken := range map[int]bool{20 << 10: true, 40 << 10: false} {
		r, _ := http.NewRequest("GET", "https://shop.test/", nil)
		r.Header.Set("X-A", strings.Repeat("a", size))
		r.Header.Set("X-B", strings.Repeat("b", size))
		if response, _, err := g.askHTTP3(l, config, r); (err == nil && response.StatusCode == 200) != taken {
			t.Errorf("twice %d bytes of headers, where 60 KiB are allowed: %v, %v", size, response, err)
		}
	}
	body, write := io.Pipe()
	defer write.Close()
	go func() { _, _ = io.WriteString(write, "half") }()
	r, _ := http.NewRequest("POST", "https://shop.test/", body)
	if response, _, err := g.askHTTP3(l, config, r); err != nil || response.StatusCode != 408 {
		t.Errorf("a request that does not end: %v, %v", response, err)
	}
}
