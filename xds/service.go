package xds

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"time"

	clusterservicev3 "github.com/envoyproxy/go-control-plane/envoy/service/cluster/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	endpointservicev3 "github.com/envoyproxy/go-control-plane/envoy/service/endpoint/v3"
	listenerservicev3 "github.com/envoyproxy/go-control-plane/envoy/service/listener/v3"
	routeservicev3 "github.com/envoyproxy/go-control-plane/envoy/service/route/v3"
	secretservicev3 "github.com/envoyproxy/go-control-plane/envoy/service/secret/v3"
	statusv3 "github.com/envoyproxy/go-control-plane/envoy/service/status/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// Bounds of the gRPC server.
const (
	maxStreams  = 1024      // on one connection; Envoy needs one, or a few with the separate services
	maxRequest  = 32 << 20  // bytes; a client that comes back lists all that it has, 5 MB at 10,000 upstreams
	maxResponse = 256 << 20 // bytes
)

// Serve answers clients of l, TCP or Unix, until ctx ends; then it closes their streams and returns nil. It closes l.
// It may be called again for another listener.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	g := grpc.NewServer(
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.MaxRecvMsgSize(maxRequest),
		grpc.MaxSendMsgSize(maxResponse),
		// A connection that never says a word holds up the end of Serve for this long.
		grpc.ConnectionTimeout(3*time.Second),
		// A peer that vanished without a word is found within 15 s; clients may ask as often as every 5 s.
		// Connections end after about an hour (gRPC spreads it by a tenth), so that proxies spread over the replicas that there are;
		// they come back with what they have and are sent nothing.
		grpc.KeepaliveParams(keepalive.ServerParameters{
			Time: 10 * time.Second, Timeout: 5 * time.Second, MaxConnectionAge: time.Hour, MaxConnectionAgeGrace: time.Minute,
		}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}),
		// A thousand proxies that have nothing to say should cost little: 32 kB in each direction are gRPC's defaults.
		grpc.ReadBufferSize(4<<10), grpc.SharedWriteBuffer(true),
		grpc.StreamInterceptor(s.recovered),
		grpc.ForceServerCodecV2(newCodec()),
	)
	x := &service{server: s, ctx: ctx}
	discoveryv3.RegisterAggregatedDiscoveryServiceServer(g, aggregated{service: x})
	clusterservicev3.RegisterClusterDiscoveryServiceServer(g, clusterService{service: x})
	endpointservicev3.RegisterEndpointDiscoveryServiceServer(g, endpointService{service: x})
	secretservicev3.RegisterSecretDiscoveryServiceServer(g, secretService{service: x})
	listenerservicev3.RegisterListenerDiscoveryServiceServer(g, listenerService{service: x})
	routeservicev3.RegisterScopedRoutesDiscoveryServiceServer(g, scopeService{service: x})
	routeservicev3.RegisterRouteDiscoveryServiceServer(g, routeService{service: x})

	statusv3.RegisterClientStatusDiscoveryServiceServer(g, statusService{server: s})

	served := make(chan error, 1)
	go func() { served <- g.Serve(l) }()
	select {
	case err := <-served:
		g.Stop()
		return fmt.Errorf("serve xDS on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	s.stop(g)
	<-served
	return nil
}

// stop ends the server. ctx has ended, and with it each stream that is not stuck in a send to a client that
// does not read; those are cut off at the deadline.
func (s *Server) stop(g *grpc.Server) {
	done := make(chan struct{})
	go func() { g.GracefulStop(); close(done) }()
	deadline := time.NewTimer(s.farewell)
	defer deadline.Stop()
	select {
	case <-done:
	case <-deadline.C:
		g.Stop()
		<-done
	}
}

// recovered turns a panic into the end of one stream.
func (s *Server) recovered(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) (err error) {
	defer func() {
		if r := recover(); r != nil {
			s.log.Error("panic in a stream", "method", info.FullMethod, "err", fmt.Sprint(r), "stack", string(debug.Stack()))
			err = status.Error(codes.Internal, "internal error")
		}
	}()
	return next(srv, stream)
}

// service makes streams out of gRPC's.
type service struct {
	server *Server
	ctx    context.Context // of Serve
}

// deltaWire and stateWire are gRPC streams of the two protocols.
type (
	deltaWire struct {
		grpc.BidiStreamingServer[discoveryv3.DeltaDiscoveryRequest, discoveryv3.DeltaDiscoveryResponse]
	}
	stateWire struct {
		grpc.BidiStreamingServer[discoveryv3.DiscoveryRequest, discoveryv3.DiscoveryResponse]
	}
)

func (x deltaWire) send(r *response) error { return x.SendMsg(r) }
func (x stateWire) send(r *response) error { return x.SendMsg(r) }

func (x deltaWire) receive() (*request, error) {
	r, err := x.Recv()
	return &request{
		node: r.GetNode(), typeURL: r.GetTypeUrl(), nonce: r.GetResponseNonce(),
		refused: r.GetErrorDetail() != nil, message: r.GetErrorDetail().GetMessage(), delta: r,
	}, err
}

func (x stateWire) receive() (*request, error) {
	r, err := x.Recv()
	return &request{
		node: r.GetNode(), typeURL: r.GetTypeUrl(), nonce: r.GetResponseNonce(),
		refused: r.GetErrorDetail() != nil, message: r.GetErrorDetail().GetMessage(), state: r,
	}, err
}

// delta runs a delta stream of one kind, or an aggregated one.
func (x *service) delta(g discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesServer, ads bool, only kind) error {
	return x.run(&stream{wire: deltaWire{g}, ads: ads, only: only}, g.Context())
}

// sotw runs a state-of-the-world stream of one kind, or an aggregated one.
func (x *service) sotw(g discoveryv3.AggregatedDiscoveryService_StreamAggregatedResourcesServer, ads bool, only kind) error {
	return x.run(&stream{wire: stateWire{g}, ads: ads, only: only}, g.Context())
}

func (x *service) run(s *stream, ctx context.Context) error {
	s.server, s.started = x.server, time.Now()
	s.wake, s.questions = make(chan struct{}, 1), make(chan func())
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	if p, ok := peer.FromContext(ctx); ok {
		s.address = p.Addr
	}
	defer x.server.leave(s)
	defer s.cancel(nil)
	defer context.AfterFunc(x.ctx, func() { s.cancel(errStopping) })()
	return s.verdict(s.run())
}

// verdict is what the client is told at the end of its stream.
func (s *stream) verdict(err error) error {
	switch cause := context.Cause(s.ctx); {
	case errors.Is(cause, errRemoved):
		return noInstance(s.node.cluster, s.server.instanceNames())
	case errors.Is(cause, errStopping):
		return errStopping
	case errors.Is(cause, errReleased):
		return goElsewhere
	}
	return err
}

// The gRPC services: which stream is of which kind. Fetch, the polling method, is left out.
type (
	aggregated struct {
		discoveryv3.UnimplementedAggregatedDiscoveryServiceServer
		*service
	}
	clusterService struct {
		clusterservicev3.UnimplementedClusterDiscoveryServiceServer
		*service
	}
	endpointService struct {
		endpointservicev3.UnimplementedEndpointDiscoveryServiceServer
		*service
	}
	secretService struct {
		secretservicev3.UnimplementedSecretDiscoveryServiceServer
		*service
	}
	listenerService struct {
		listenerservicev3.UnimplementedListenerDiscoveryServiceServer
		*service
	}
	scopeService struct {
		routeservicev3.UnimplementedScopedRoutesDiscoveryServiceServer
		*service
	}
	routeService struct {
		routeservicev3.UnimplementedRouteDiscoveryServiceServer
		*service
	}
)

func (x aggregated) DeltaAggregatedResources(s discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) error {
	return x.delta(s, true, 0)
}

func (x aggregated) StreamAggregatedResources(s discoveryv3.AggregatedDiscoveryService_StreamAggregatedResourcesServer) error {
	return x.sotw(s, true, 0)
}

func (x clusterService) DeltaClusters(s clusterservicev3.ClusterDiscoveryService_DeltaClustersServer) error {
	return x.delta(s, false, clusters)
}

func (x clusterService) StreamClusters(s clusterservicev3.ClusterDiscoveryService_StreamClustersServer) error {
	return x.sotw(s, false, clusters)
}

func (x endpointService) DeltaEndpoints(s endpointservicev3.EndpointDiscoveryService_DeltaEndpointsServer) error {
	return x.delta(s, false, endpoints)
}

func (x endpointService) StreamEndpoints(s endpointservicev3.EndpointDiscoveryService_StreamEndpointsServer) error {
	return x.sotw(s, false, endpoints)
}

func (x secretService) DeltaSecrets(s secretservicev3.SecretDiscoveryService_DeltaSecretsServer) error {
	return x.delta(s, false, secrets)
}

func (x secretService) StreamSecrets(s secretservicev3.SecretDiscoveryService_StreamSecretsServer) error {
	return x.sotw(s, false, secrets)
}

func (x listenerService) DeltaListeners(s listenerservicev3.ListenerDiscoveryService_DeltaListenersServer) error {
	return x.delta(s, false, listeners)
}

func (x listenerService) StreamListeners(s listenerservicev3.ListenerDiscoveryService_StreamListenersServer) error {
	return x.sotw(s, false, listeners)
}

func (x scopeService) DeltaScopedRoutes(s routeservicev3.ScopedRoutesDiscoveryService_DeltaScopedRoutesServer) error {
	return x.delta(s, false, scopes)
}

func (x scopeService) StreamScopedRoutes(s routeservicev3.ScopedRoutesDiscoveryService_StreamScopedRoutesServer) error {
	return x.sotw(s, false, scopes)
}

func (x routeService) DeltaRoutes(s routeservicev3.RouteDiscoveryService_DeltaRoutesServer) error {
	return x.delta(s, false, routes)
}

func (x routeService) StreamRoutes(s routeservicev3.RouteDiscoveryService_StreamRoutesServer) error {
	return x.sotw(s, false, routes)
}
