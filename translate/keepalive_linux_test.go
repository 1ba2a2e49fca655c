package translate

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/keepalive"

	"github.com/weirproxy/weir/model"
)

// vanishing is a listener whose connections can fall silent, as those of a machine that lost its power do.
type vanishing struct {
	net.Listener
	mu    sync.Mutex
	conns []*net.TCPConn
}

func listenVanishing(t *testing.T) *vanishing {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return &vanishing{Listener: l}
}

func (v *vanishing) Accept() (net.Conn, error) {
	conn, err := v.Listener.Accept()
	if err == nil {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.conns = append(v.conns, conn.(*net.TCPConn))
	}
	return conn, err
}

// vanish has the system drop every packet for the connections that are open: nothing arrives, and nothing is
// acknowledged. Connections that come later are well.
func (v *vanishing) vanish(t *testing.T) {
	t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, conn := range v.conns {
		raw, err := conn.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		drop := []syscall.SockFilter{{Code: syscall.BPF_RET | syscall.BPF_K}} // of each packet keep nothing
		if doing := raw.Control(func(fd uintptr) { err = syscall.AttachLsf(int(fd), drop) }); doing != nil || err != nil {
			t.Fatal(doing, err)
		}
	}
	v.conns = nil
}

// A node that vanishes while it owes an answer is noticed by the probes of TCP, and only by them.
func TestTCPKeepalive(t *testing.T) {
	l := listenVanishing(t)
	arrived := make(chan bool, 2)
	server := &http.Server{
		ErrorLog: log.New(io.Discard, "", 0),
		Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			arrived <- true
			<-r.Context().Done()
		}),
	}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	c := edge()
	for _, name := range []string{"probed", "silent"} {
		u := addUpstream(c, name, model.HTTP, l.Addr().String())
		u.Retries, u.Retry.On = 0, []string{}
	}
	c.Upstreams["probed"].Connections.Keepalive = &model.TCPKeepalive{Time: time.Second, Interval: time.Second, Probes: 2}
	g := eachUpstream(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	answers := map[string]chan int{"probed": make(chan int, 1), "silent": make(chan int, 1)}
	for name, answer := range answers {
		go func() {
			status := 0
			request, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+g.ports["http"]+"/"+name, http.NoBody)
			if response, err := http.DefaultClient.Do(request); err == nil {
				response.Body.Close()
				status = response.StatusCode
			}
			answer <- status
		}()
		<-arrived
	}
	l.vanish(t)
	start := time.Now()
	if status := <-answers["probed"]; status != 503 {
		t.Errorf("the request to a node that vanished is answered with %d after %v, want 503 before its timeout of 15 s", status, time.Since(start))
	}
	t.Logf("noticed after %v", time.Since(start))
	select {
	case status := <-answers["silent"]:
		t.Errorf("without tcp_keepalive: status %d after %v", status, time.Since(start))
	default:
	}
}

// Streams end when the node they are on vanishes and its upstream asks for signs of life, and calls after that are answered; a node
// that is well keeps its streams through many pings.
func TestHTTP2Keepalive(t *testing.T) {
	well, gone := listenVanishing(t), listenVanishing(t)
	c := edge()
	for _, l := range []*vanishing{well, gone} {
		server := grpc.NewServer(grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Millisecond, PermitWithoutStream: true}))
		testpb.RegisterTestServiceServer(server, &grpcNode{})
		go func() { _ = server.Serve(l) }()
		t.Cleanup(server.Stop)
	}
	add := func(name string, l *vanishing, pings *model.HTTP2Keepalive) {
		u := addUpstream(c, name, model.GRPC, l.Addr().String())
		u.Connections.Pings = pings
		api := forwardAPI(name, "*", u.Name, "")
		api.Backend.Timeout = 0
		addService(c, name, name+".test", api)
	}
	pings := &model.HTTP2Keepalive{Interval: 200 * time.Millisecond, Timeout: 3 * time.Second}
	add("well", well, pings)
	add("gone", gone, pings)
	add("silent", gone, nil)
	g := startEnvoy(t, cutUp(c), nil)
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	streams := map[string]testpb.TestService_FullDuplexCallClient{}
	for name := range c.Upstreams {
		stream, err := g.grpcCaller(name + ".test").FullDuplexCall(ctx)
		if err != nil {
			t.Fatal(err)
		}
		streams[name] = stream
		talks(t, name, stream)
	}
	gone.vanish(t)
	start := time.Now()
	ends := make(chan error, 1)
	go func() { // reads only: nothing is sent that TCP would have to be sure of
		_, err := streams["silent"].Recv()
		ends <- err
	}()
	_, err := streams["gone"].Recv()
	if err == nil || ctx.Err() != nil {
		t.Errorf("the stream to a node that vanished: %v", err)
	}
	t.Logf("noticed after %v", time.Since(start))
	select {
	case err := <-ends:
		t.Errorf("without http2_keepalive the stream ends, too: %v", err)
	default:
	}
	if _, err := g.grpcCaller("gone.test").UnaryCall(ctx, &testpb.SimpleRequest{}); err != nil {
		t.Errorf("once the connection is given up, a call is answered %v", err)
	}
	talks(t, "well", streams["well"])
}

// talks sends a message over a stream and waits for its answer.
func talks(t *testing.T, name string, stream testpb.TestService_FullDuplexCallClient) {
	t.Helper()
	if err := stream.Send(&testpb.StreamingOutputCallRequest{Payload: payload("word")}); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if answer, err := stream.Recv(); err != nil || string(answer.GetPayload().GetBody()) != "word" {
		t.Fatalf("%s: a message is answered %v, %v", name, answer, err)
	}
}
