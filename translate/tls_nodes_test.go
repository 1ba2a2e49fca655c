package translate

import (
	"bytes"
	"context"
	"crypto/tls"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/weirproxy/weir/model"
)

// TestUpstreamTLSRefusals holds what else nodes are refused for: a version of TLS that is too old, a certificate that has
// expired, and, over gRPC as over HTTP, a name that is another's.
func TestUpstreamTLSRefusals(t *testing.T) {
	pair := func(certificate, key []byte) tls.Certificate {
		both, err := tls.X509KeyPair(certificate, key)
		if err != nil {
			t.Fatal(err)
		}
		return both
	}
	good, goodKey := selfSigned(t, "orders.test")
	old, oldKey := selfSignedUntil(t, time.Now().Add(-time.Hour), "orders.test")
	served, expired := pair(good, goodKey), pair(old, oldKey)
	second := startTLSNode(t, nil, &tls.Config{Certificates: []tls.Certificate{served}, MaxVersion: tls.VersionTLS12})
	third := startTLSNode(t, nil, &tls.Config{Certificates: []tls.Certificate{served}, MinVersion: tls.VersionTLS13})
	late := startTLSNode(t, nil, &tls.Config{Certificates: []tls.Certificate{expired}})
	calls := startGRPCNode(t, codes.OK, &tls.Config{Certificates: []tls.Certificate{served}})

	c := edge()
	want := map[string]int{}
	add := func(name string, n *node, version model.TLSVersion, status int) {
		u := addUpstream(c, name, model.HTTPS, n.address)
		u.HostHeader, u.TLS, u.Retries, want[name] = "orders.test", &model.UpstreamTLS{MinVersion: version}, 1, status
	}
	add("second", second, model.TLS12, 200)
	add("second_too_old", second, model.TLS13, 503)
	add("third", third, model.TLS12, 200)
	add("third_at_least", third, model.TLS13, 200)
	add("expired", late, model.TLS12, 503)
	var apis []*model.API
	for name := range want {
		apis = append(apis, forwardAPI(name, "/"+name, name, ""))
	}
	addService(c, "shop", "shop.test", apis...)
	for name, sni := range map[string]string{"calls": "orders.test", "others": "payments.test"} {
		u := addUpstream(c, name, model.GRPCS, calls.address)
		u.TLS, u.Retries = &model.UpstreamTLS{SNI: sni, MinVersion: model.TLS12}, 1
		addService(c, name, name+".test", forwardAPI(name, "*", name, ""))
	}
	g := startEnvoy(t, cutUp(c), bytes.Join([][]byte{good, old}, nil))
	caller := g.dial("http", nil)
	for name, status := range want {
		if a := caller.do("GET", "shop.test", "/"+name); a.Status != status {
			t.Errorf("%s: status %d, want %d", name, a.Status, status)
		}
	}
	if len(late.requests) > 0 {
		t.Error("a node whose certificate has expired was asked")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := g.grpcCaller("calls.test").UnaryCall(ctx, &testpb.SimpleRequest{}); err != nil {
		t.Errorf("a gRPC node that proves its name: %v", err)
	}
	if _, err := g.grpcCaller("others.test").UnaryCall(ctx, &testpb.SimpleRequest{}); err == nil {
		t.Error("a gRPC node with another name is called")
	}
}
