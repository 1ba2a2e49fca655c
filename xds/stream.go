package xds

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// stream is one client's. The goroutine that runs it owns what it knows; one receives requests, and one sends while there
// is something to send, so that a client that does not read is not waited for.
type stream struct {
	server  *Server
	ctx     context.Context
	cancel  context.CancelCauseFunc
	wire    wire
	only    kind // of a stream that is not aggregated
	ads     bool
	started time.Time
	address net.Addr

	wake      chan struct{}         // has a value when there may be something new
	questions chan func()           // to be answered by the goroutine that owns the stream
	view      atomic.Pointer[Proxy] // nil before the first request
	retry     atomic.Bool           // what was refused is to be offered again

	node     identity
	instance *instance // nil before the first request
	returned bool      // the client has something from another stream
	base     *Set      // the client is brought to it
	begun    bool      // and something of that was sent
	good     *Set      // the last that the client took wholly, as far as it asked; nil for none
	live     string    // hash of the last set that the client took wholly
	watches  [kinds]*watch
	waiting  map[string]*warming  // by cluster: listeners and routes wait for them
	unrouted map[string]*unrouted // by RouteConfiguration: what leads to new scopes waits for them
	again    map[string]struct{}  // endpoints of changed clusters, until endpoints are asked for
	refused  map[Key]string       // versions that the client refused, of what is published
	recalled [kinds]*Refused      // from before it came back
	search   search
	serial   int // of the last offer

	full    func() // called when the client has all that there is: another one may come
	outbox  []*response
	sending time.Time // since when, zero for not
}

// wire is a gRPC stream: one message at a time in each direction.
type wire interface {
	receive() (*request, error)
	send(*response) error
}

// request is what both protocols have in common, and what they have not.
type request struct {
	node           *corev3.Node
	typeURL, nonce string
	refused        bool
	message        string
	delta          *discoveryv3.DeltaDiscoveryRequest
	state          *discoveryv3.DiscoveryRequest
}

// stuckAfter bounds how long a client may take to read what it is sent.
const stuckAfter = time.Minute

// errStuck ends the stream of a client that does not read.
var errStuck = status.Error(codes.DeadlineExceeded, "the client does not read what it is sent")

// run is the stream until it ends.
func (s *stream) run() error {
	leave, err := s.server.admission.enter(s.ctx)
	if err != nil {
		return err
	}
	s.full = leave
	defer leave()
	requests, failed := make(chan *request), make(chan error, 1)
	go s.receive(requests, failed)
	if s.server.standby {
		if err := s.hear(requests, failed); err != nil {
			return unlessDone(err)
		}
	}
	sent := make(chan error, 1)
	alarm := time.NewTimer(time.Hour)
	defer alarm.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return s.ctx.Err()
		case err := <-failed:
			return unlessDone(err)
		case r := <-requests:
			if err := s.handle(r); err != nil {
				return err
			}
		case err := <-sent:
			if err != nil {
				return err
			}
			s.sending = time.Time{}
		case f := <-s.questions:
			f()
		case <-s.wake:
		case <-alarm.C:
		}
		if !s.sending.IsZero() && time.Since(s.sending) > s.server.stuck {
			return errStuck
		}
		began := time.Now()
		s.step()
		s.show()
		if len(s.outbox) > 0 {
			go s.deliver(s.outbox, sent)
			s.outbox, s.sending = nil, time.Now()
		}
		alarm.Reset(s.untilAlarm(began))
	}
}

// unlessDone is why no more requests come, nil where the client says no more.
func unlessDone(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// maxRequests bounds what a client may ask in a second; Envoy asks a few times for each edit.
const maxRequests = 5000

// receive hands requests over until the stream ends. It is left to itself: only the end of the stream ends a receive.
func (s *stream) receive(requests chan<- *request, failed chan<- error) {
	second, n := time.Now(), 0
	for {
		r, err := s.wire.receive()
		if err != nil {
			failed <- err
			return
		}
		if n++; time.Since(second) > time.Second {
			second, n = time.Now(), 0
		} else if n > maxRequests {
			time.Sleep(time.Second - time.Since(second))
		}
		select {
		case requests <- r:
		case <-s.ctx.Done():
			return
		}
	}
}

// deliver sends. It, too, is ended by the end of the stream.
func (s *stream) deliver(out []*response, sent chan<- error) {
	for _, r := range out {
		if err := s.wire.send(r); err != nil {
			sent <- err
			return
		}
	}
	sent <- nil
}

// untilAlarm is how long nothing happens by itself. What has passed since a step looked at it last is due now.
func (s *stream) untilAlarm(looked time.Time) time.Duration {
	next := time.Now().Add(time.Hour)
	sooner := func(t time.Time) {
		if t.After(looked) && t.Before(next) {
			next = t
		}
	}
	if !s.sending.IsZero() {
		sooner(s.sending.Add(s.server.stuck + time.Millisecond))
	}
	for _, c := range s.waiting {
		sooner(c.until)
	}
	for _, u := range s.unrouted {
		sooner(u.until)
	}
	sooner(s.started.Add(s.server.patience))
	return time.Until(next)
}

// nudge has the stream look again at what may be sent. It does not wait.
func (s *stream) nudge() {
	select {
	case s.wake <- struct{}{}:
	default: // it will
	}
}

// ask has the goroutine that owns the stream do something, and waits for it; not once the stream has ended.
func (s *stream) ask(f func()) bool {
	done := make(chan struct{})
	select {
	case s.questions <- func() { f(); close(done) }:
	case <-s.ctx.Done():
		return false
	}
	select {
	case <-done:
		return true
	case <-s.ctx.Done():
		return false
	}
}

// handle admits the client with the first request, checks the type, takes acknowledgements and follows what is asked for.
func (s *stream) handle(r *request) error {
	if s.server.standby && s.keeps(r) {
		return errKeep
	}
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
	fresh := s.watches[k] == nil || r.nonce == "" || s.watches[k].nonce == r.nonce
	if r.nonce != "" {
		s.answer(k, r.nonce, r.refused, clip(strings.TrimSpace(r.message), maxMessage))
	}
	if r.delta != nil {
		return s.followDelta(k, r.delta)
	}
	if !fresh {
		return nil // an answer to an earlier response; what it asks for is said again with the answer to the last one
	}
	return s.followState(k, r.state)
}

func (s *stream) followDelta(k kind, r *discoveryv3.DeltaDiscoveryRequest) error {
	asked, t := r.GetResourceNamesSubscribe(), s.base.trees[k]
	if err := tooMany(len(asked)+len(r.GetInitialResourceVersions()), maxNames); err != nil {
		return err
	}
	if w := s.watches[k]; w != nil {
		w.resubscribe(t, asked, r.GetResourceNamesUnsubscribe())
	} else {
		s.returned = s.returned || len(r.GetInitialResourceVersions()) > 0
		s.begin(newDelta(k, t, asked, r.GetInitialResourceVersions()))
	}
	return s.watches[k].bounded(t)
}

func (s *stream) followState(k kind, r *discoveryv3.DiscoveryRequest) error {
	names, t := r.GetResourceNames(), s.base.trees[k]
	if err := tooMany(len(names), maxNames); err != nil {
		return err
	}
	if w := s.watches[k]; w != nil {
		w.rename(t, names)
	} else {
		s.returned = s.returned || r.GetVersionInfo() != ""
		s.begin(newState(k, s.base, names, r.GetVersionInfo()))
	}
	return s.watches[k].bounded(t)
}

// begin takes a watch in.
func (s *stream) begin(w *watch) {
	s.watches[w.kind] = w
	w.refusal = s.recalled[w.kind]
	if l := s.watches[listeners]; w.kind == scopes && l != nil && slices.ContainsFunc(l.flight, (*offer).brings) {
		s.repeatScopes()
	}
	if w.kind != endpoints {
		return
	}
	for name := range s.again {
		if r := s.repeat(name); r != nil {
			w.again(s.base.trees[endpoints], r)
		}
	}
	s.again = nil
	s.resume(w)
}
