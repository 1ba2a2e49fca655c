package main

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
)

// floor is the smallest program that serves an edit over a delta stream: it knows before what changes, and hands that over
// without a look at anything else. It serves one Envoy that makes no mistakes.
type floor struct {
	discoveryv3.UnimplementedAggregatedDiscoveryServiceServer
	all    map[state]resources
	server *grpc.Server
	listen net.Listener

	mu      sync.Mutex
	state   state
	streams map[*floorStream]bool
	refused error // what Envoy refused first
}

// floorStream is a connected Envoy.
type floorStream struct {
	discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesServer
	changes chan change
	kinds   map[string]*subscription
	nonce   int
}

type subscription struct {
	wildcard bool
	names    map[string]bool
}

func newFloor(all map[state]resources) (*floor, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("floor: %w", err)
	}
	f := &floor{all: all, server: grpc.NewServer(), listen: listener, streams: map[*floorStream]bool{}}
	discoveryv3.RegisterAggregatedDiscoveryServiceServer(f.server, f)
	go func() { _ = f.server.Serve(listener) }() // until close
	return f, nil
}

func (f *floor) address() string { return f.listen.Addr().String() }

func (f *floor) close() { f.server.Stop() }

// prepare works out what differs; handing it over is all that is left.
func (f *floor) prepare(s state) (func() error, error) {
	c := f.all[f.state].changeTo(f.all[s])
	if len(c.updated)+len(c.removed) == 0 {
		return nil, fmt.Errorf("nothing differs between %+v and %+v", f.state, s)
	}
	return func() error {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.state = s
		for stream := range f.streams {
			select {
			case stream.changes <- c:
			default:
				return fmt.Errorf("an edit came before the one before it was sent")
			}
		}
		return f.refused
	}, nil
}

// DeltaAggregatedResources serves one Envoy.
func (f *floor) DeltaAggregatedResources(raw discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) error {
	s := &floorStream{raw, make(chan change, 1), map[string]*subscription{}, 0}
	f.mu.Lock()
	f.streams[s] = true
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		delete(f.streams, s)
		f.mu.Unlock()
	}()
	requests := make(chan *discoveryv3.DeltaDiscoveryRequest)
	go func() {
		defer close(requests)
		for {
			r, err := s.Recv()
			if err != nil {
				return
			}
			select {
			case requests <- r:
			case <-s.Context().Done():
				return
			}
		}
	}()
	for {
		select {
		case r, ok := <-requests:
			if !ok {
				return nil
			}
			if err := f.answer(s, r); err != nil {
				return err
			}
		case c := <-s.changes:
			if err := s.push(c); err != nil {
				return err
			}
		}
	}
}

// answer sends what a request subscribes to.
func (f *floor) answer(s *floorStream, r *discoveryv3.DeltaDiscoveryRequest) error {
	sub, known := s.kinds[r.TypeUrl]
	if !known {
		sub = &subscription{names: map[string]bool{}}
		s.kinds[r.TypeUrl] = sub
	}
	f.mu.Lock()
	if r.ErrorDetail != nil && f.refused == nil {
		f.refused = fmt.Errorf("Envoy refuses what the floor sends: %s", r.ErrorDetail.Message)
	}
	all := f.all[f.state]
	f.mu.Unlock()
	for _, name := range r.ResourceNamesUnsubscribe {
		delete(sub.names, name)
	}
	response := &discoveryv3.DeltaDiscoveryResponse{TypeUrl: r.TypeUrl}
	for _, name := range r.ResourceNamesSubscribe {
		sub.names[name] = true
		sub.wildcard = sub.wildcard || name == "*"
		if found := all[key{r.TypeUrl, name}]; found != nil {
			response.Resources = append(response.Resources, found.wire())
		} else if name != "*" {
			response.RemovedResources = append(response.RemovedResources, name)
		}
	}
	if !known && (len(r.ResourceNamesSubscribe) == 0 || sub.wildcard) {
		sub.wildcard = true
		for k, found := range all {
			if k.kind == r.TypeUrl {
				response.Resources = append(response.Resources, found.wire())
			}
		}
		return s.send(response) // even when it is empty: Envoy waits for it
	}
	if len(response.Resources)+len(response.RemovedResources) == 0 {
		return nil // an acknowledgement
	}
	return s.send(response)
}

// push sends what changed, as far as Envoy has asked for it, one response for each type that differs.
func (s *floorStream) push(c change) error {
	for _, kind := range kindOrder {
		response := &discoveryv3.DeltaDiscoveryResponse{TypeUrl: kind}
		for _, r := range c.updated {
			if r.kind == kind && s.wants(r.key) {
				response.Resources = append(response.Resources, r.wire())
			}
		}
		if len(response.Resources) > 0 {
			if err := s.send(response); err != nil {
				return err
			}
		}
	}
	for _, kind := range slices.Backward(kindOrder) {
		response := &discoveryv3.DeltaDiscoveryResponse{TypeUrl: kind}
		for _, k := range c.removed {
			if k.kind == kind && s.wants(k) {
				response.RemovedResources = append(response.RemovedResources, k.name)
			}
		}
		if len(response.RemovedResources) > 0 {
			if err := s.send(response); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *floorStream) wants(k key) bool {
	sub := s.kinds[k.kind]
	return sub != nil && (sub.wildcard || sub.names[k.name])
}

func (s *floorStream) send(r *discoveryv3.DeltaDiscoveryResponse) error {
	s.nonce++
	r.Nonce = strconv.Itoa(s.nonce)
	return s.Send(r)
}

// wire is the resource as a delta stream carries it.
func (r *resource) wire() *discoveryv3.Resource {
	return &discoveryv3.Resource{Name: r.name, Version: r.version, Resource: r.packed}
}
