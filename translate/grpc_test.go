package translate

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/weirproxy/weir/model"
)

// grpcNode is a gRPC server behind the gateway. One that does not fail answers health checks, too.
type grpcNode struct {
	testpb.UnimplementedTestServiceServer
	address string
	fail    codes.Code
}

func startGRPCNode(t *testing.T, fail codes.Code, config *tls.Config) *grpcNode {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	transport := insecure.NewCredentials()
	if config != nil {
		transport = credentials.NewTLS(config)
	}
	n := &grpcNode{address: l.Addr().String(), fail: fail}
	server := grpc.NewServer(grpc.Creds(transport))
	if fail == codes.OK {
		healthpb.RegisterHealthServer(server, health.NewServer())
	}
	testpb.RegisterTestServiceServer(server, n)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
	return n
}

func (n *grpcNode) UnaryCall(ctx context.Context, in *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	if n.fail != codes.OK {
		return nil, status.Error(n.fail, "as asked")
	}
	if want := in.GetResponseStatus(); want != nil {
		_ = grpc.SetTrailer(ctx, metadata.Pairs("x-detail", "in a trailer"))
		return nil, status.Error(codes.Code(want.Code), want.Message)
	}
	return &testpb.SimpleResponse{Payload: in.Payload}, nil
}

// FullDuplexCall answers each message before it takes the next, and ends with a trailer.
func (n *grpcNode) FullDuplexCall(stream grpc.BidiStreamingServer[testpb.StreamingOutputCallRequest, testpb.StreamingOutputCallResponse]) error {
	stream.SetTrailer(metadata.Pairs("x-detail", "in a trailer"))
	for {
		in, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(&testpb.StreamingOutputCallResponse{Payload: in.Payload}); err != nil {
			return err
		}
	}
}

// grpcCaller is a client of a listener, with the authority by which it finds its service.
func (g *gateway) grpcCaller(authority string) testpb.TestServiceClient {
	g.t.Helper()
	connection, err := grpc.NewClient(g.ports["http"], grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithAuthority(authority))
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { _ = connection.Close() })
	return testpb.NewTestServiceClient(connection)
}

func payload(text string) *testpb.Payload { return &testpb.Payload{Body: []byte(text)} }

// Calls of all shapes pass with their statuses and trailers, in clear and over TLS; and which failures are tried again is
// what the upstream says.
func TestGRPC(t *testing.T) {
	certificate, key := selfSigned(t, "localhost")
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	plain, secure := startGRPCNode(t, codes.OK, nil), startGRPCNode(t, codes.OK, &tls.Config{Certificates: []tls.Certificate{pair}})
	unavailable := startGRPCNode(t, codes.Unavailable, nil)
	c := edge()
	add := func(name string, u *model.Upstream) {
		api := forwardAPI(name, "*", u.Name, "")
		api.Backend.Timeout = 0 // streams may be long
		addService(c, name, name+".test", api)
	}
	add("plain", addUpstream(c, "plain", model.GRPC, plain.address))
	_, port, _ := net.SplitHostPort(secure.address)
	add("secure", addUpstream(c, "secure", model.GRPCS, "localhost:"+port))
	add("half", addUpstream(c, "half", model.GRPC, unavailable.address, plain.address))
	again := addUpstream(c, "again", model.GRPC, unavailable.address, plain.address)
	again.Retry.On = []string{"connect-failure", "unavailable"}
	add("again", again)
	g := startEnvoy(t, cutUp(c), certificate)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()

	for _, name := range []string{"plain", "secure"} {
		caller := g.grpcCaller(name + ".test")
		answer, err := caller.UnaryCall(ctx, &testpb.SimpleRequest{Payload: payload("hello")})
		if err != nil || string(answer.GetPayload().GetBody()) != "hello" {
			t.Errorf("%s: a call is answered %v, %v", name, answer, err)
		}
		var trailer metadata.MD
		_, err = caller.UnaryCall(ctx, &testpb.SimpleRequest{ResponseStatus: &testpb.EchoStatus{Code: int32(codes.NotFound), Message: "no such thing"}}, grpc.Trailer(&trailer))
		if s := status.Convert(err); s.Code() != codes.NotFound || s.Message() != "no such thing" || len(trailer["x-detail"]) != 1 {
			t.Errorf("%s: a refusal is answered %v, trailers %v", name, err, trailer)
		}
		converse(t, ctx, caller)
	}

	half, other := g.grpcCaller("half.test"), g.grpcCaller("again.test")
	failed := 0
	for range 20 {
		if _, err := half.UnaryCall(ctx, &testpb.SimpleRequest{}); status.Code(err) == codes.Unavailable {
			failed++
		}
		if _, err := other.UnaryCall(ctx, &testpb.SimpleRequest{}); err != nil {
			t.Errorf("unavailable is tried again on another node, and yet: %v", err)
		}
	}
	if failed != 10 {
		t.Errorf("every second of 20 calls reaches a node that answers UNAVAILABLE, and is not sent again: %d failed", failed)
	}
}

// converse sends a message after each answer, so that neither side ends before the other.
func converse(t *testing.T, ctx context.Context, caller testpb.TestServiceClient) {
	t.Helper()
	stream, err := caller.FullDuplexCall(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"one", "two", "three"} {
		if err := stream.Send(&testpb.StreamingOutputCallRequest{Payload: payload(word)}); err != nil {
			t.Fatal(err)
		}
		if answer, err := stream.Recv(); err != nil || string(answer.GetPayload().GetBody()) != word {
			t.Fatalf("%q is answered %v, %v", word, answer, err)
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != io.EOF || len(stream.Trailer()["x-detail"]) != 1 {
		t.Errorf("the stream ends with %v, trailers %v", err, stream.Trailer())
	}
}
