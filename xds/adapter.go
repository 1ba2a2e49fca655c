package xds

import (
	"context"
	"maps"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	serverv3 "github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// What go-control-plane's stream handlers see of a session: its cache.ConfigWatcher and its callbacks. All of it
// runs in the stream's goroutine.

func (s *session) callbacks() serverv3.Callbacks {
	return serverv3.CallbackFuncs{
		StreamRequestFunc:       s.onRequest,
		StreamResponseFunc:      s.onResponse,
		StreamDeltaRequestFunc:  s.onDeltaRequest,
		StreamDeltaResponseFunc: s.onDeltaResponse,
	}
}

func (s *session) onDeltaRequest(_ int64, r *discoveryv3.DeltaDiscoveryRequest) error {
	return s.request(request{
		node: r.GetNode(), typeURL: r.GetTypeUrl(), nonce: r.GetResponseNonce(),
		refused: r.GetErrorDetail() != nil, message: r.GetErrorDetail().GetMessage(),
	})
}

func (s *session) onRequest(_ int64, r *discoveryv3.DiscoveryRequest) error {
	return s.request(request{
		node: r.GetNode(), typeURL: r.GetTypeUrl(), nonce: r.GetResponseNonce(),
		refused: r.GetErrorDetail() != nil, message: r.GetErrorDetail().GetMessage(),
	})
}

func (s *session) onDeltaResponse(_ int64, _ *discoveryv3.DeltaDiscoveryRequest, r *discoveryv3.DeltaDiscoveryResponse) {
	s.dispatched(r.GetTypeUrl(), r.GetNonce())
}

func (s *session) onResponse(_ context.Context, _ int64, _ *discoveryv3.DiscoveryRequest, r *discoveryv3.DiscoveryResponse) {
	s.dispatched(r.GetTypeUrl(), r.GetNonce())
}

// request is what both protocols have in common.
type request struct {
	node           *corev3.Node
	typeURL, nonce string
	refused        bool
	message        string
}

// request admits the client with the first request, checks the type and takes acknowledgements.
func (s *session) request(r request) error {
	if s.instance == nil {
		if err := s.server.admit(s, r.node); err != nil {
			return err
		}
	}
	k, ok := kindOf(r.typeURL)
	switch {
	case r.typeURL == "" && !s.ads:
		k = s.only
	case r.typeURL == "":
		return status.Error(codes.InvalidArgument, "a request on an aggregated stream must carry a type URL")
	case !ok:
		return status.Errorf(codes.InvalidArgument, "type %q is not served", clip(r.typeURL, maxIdentity))
	case !s.ads && k != s.only:
		return status.Errorf(codes.InvalidArgument, "type %q on the service of %s", r.typeURL, typeURLs[s.only])
	}
	if refusal := s.answer(k, r.nonce, r.refused, r.message); refusal != nil {
		s.server.report(*refusal)
	}
	return nil
}

// CreateDeltaWatch follows a request of a delta stream.
func (s *session) CreateDeltaWatch(r *cache.DeltaRequest, sub cache.Subscription, c chan cache.DeltaResponse) (func(), error) {
	if err := tooMany(len(sub.SubscribedResources()) + len(r.GetInitialResourceVersions())); err != nil {
		return nil, err
	}
	k, _ := kindOf(r.GetTypeUrl())
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.watches[k]
	first := w == nil
	if first {
		w = &watch{kind: k, known: map[string]string{}}
		maps.Copy(w.known, r.GetInitialResourceVersions())
		w.owed = sub.IsWildcard() && len(w.known) == 0
		s.watches[k] = w
	}
	w.wildcard, w.names = sub.IsWildcard(), sub.SubscribedResources()
	if !first {
		w.resubscribe(r.GetResourceNamesSubscribe(), r.GetResourceNamesUnsubscribe())
	}
	w.put = func(o *offer) bool {
		select {
		case c <- &cache.DeltaPassthroughResponse{
			DeltaRequest: r, NextVersionMap: map[string]string{}, DeltaDiscoveryResponse: o.deltaResponse(k),
		}:
			return true
		default:
			return false
		}
	}
	s.step()
	return func() { s.suspend(w) }, nil
}

// CreateWatch follows a request of a state-of-the-world stream.
func (s *session) CreateWatch(r *cache.Request, sub cache.Subscription, c chan cache.Response) (func(), error) {
	if err := tooMany(len(sub.SubscribedResources())); err != nil {
		return nil, err
	}
	k, _ := kindOf(r.GetTypeUrl())
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.watches[k]
	if w == nil {
		w = &watch{kind: k, sotw: true, known: map[string]string{}, owed: true}
		s.watches[k] = w
		if es := &s.instance.current.Load().kinds[k]; sub.IsWildcard() && r.GetVersionInfo() == es.version {
			w.claim(es)
		}
	}
	if w.queued != nil { // go-control-plane drops what is queued when a request comes
		w.forget(w.queued)
		w.queued, w.owed = nil, true
	}
	w.wildcard, w.names = sub.IsWildcard(), sub.SubscribedResources()
	w.dropUnnamed()
	w.put = func(o *offer) bool {
		select {
		case c <- &cache.PassthroughResponse{
			Request: r, ReturnedResources: map[string]string{}, DiscoveryResponse: o.response(k),
		}:
			return true
		default:
			return false
		}
	}
	s.step()
	return func() { s.suspend(w) }, nil
}

// suspend keeps everything away from a watch whose request is about to change, or whose stream has ended.
func (s *session) suspend(w *watch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.put = nil
}

// maxNames bounds what a stream may ask for by name, per type.
const maxNames = 100_000

func tooMany(n int) error {
	if n > maxNames {
		return status.Errorf(codes.ResourceExhausted, "%d names of one type on one stream: at most %d are served", n, maxNames)
	}
	return nil
}
