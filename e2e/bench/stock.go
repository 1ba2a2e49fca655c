package main

import (
	"context"
	"fmt"
	"net"
	"strconv"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
)

// stock is go-control-plane's SnapshotCache under its own server, as most control planes use it.
type stock struct {
	all      map[state]resources
	cache    cache.SnapshotCache
	server   *grpc.Server
	listen   net.Listener
	cancel   context.CancelFunc
	versions int
}

// sameNode has one snapshot for everybody.
type sameNode struct{}

func (sameNode) ID(*corev3.Node) string { return "edge" }

func newStock(all map[state]resources) (*stock, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("stock cache: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &stock{
		all: all, cache: cache.NewSnapshotCache(true, sameNode{}, nil),
		server: grpc.NewServer(), listen: listener, cancel: cancel,
	}
	if err := s.set(s.grouped(state{})); err != nil {
		cancel()
		listener.Close()
		return nil, err
	}
	discoveryv3.RegisterAggregatedDiscoveryServiceServer(s.server, server.NewServer(ctx, s.cache, nil))
	go func() { _ = s.server.Serve(listener) }() // until close
	return s, nil
}

func (s *stock) address() string { return s.listen.Addr().String() }

func (s *stock) close() {
	s.cancel()
	s.server.Stop()
}

// prepare has the resources ready as the cache takes them; making them into a snapshot is a part of handing them over.
func (s *stock) prepare(next state) (func() error, error) {
	grouped := s.grouped(next)
	return func() error { return s.set(grouped) }, nil
}

func (s *stock) grouped(next state) map[string][]types.Resource {
	grouped := map[string][]types.Resource{}
	for k, r := range s.all[next] {
		grouped[k.kind] = append(grouped[k.kind], r.message)
	}
	return grouped
}

func (s *stock) set(grouped map[string][]types.Resource) error {
	s.versions++
	snapshot, err := cache.NewSnapshot(strconv.Itoa(s.versions), grouped)
	if err != nil {
		return fmt.Errorf("stock cache: %w", err)
	}
	return s.cache.SetSnapshot(context.Background(), "edge", snapshot)
}
