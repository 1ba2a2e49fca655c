package xds

import (
	"errors"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// standbyMetadata is the field of a node's metadata by which a follower says that it is one: no Envoy, whose word counts
// about what is published, but who has it for Envoys that cannot reach this server.
const standbyMetadata = "weir.standby"

// nonceSet stands in the nonces of a follower's responses before the hash of the set that it is brought to.
const nonceSet = "/"

// Standbys describes the followers that are connected, as Proxies does the Envoys.
func (s *Server) Standbys() []Proxy {
	var out []Proxy
	for _, x := range s.streams() {
		if view := x.view.Load(); view != nil && x.node.standby {
			out = append(out, *view)
		}
	}
	sortProxies(out)
	return out
}

// errKeep is told to clients of a standby that have something to serve with already.
var errKeep = status.Error(codes.Unavailable, "this is a standby, for Envoys that have no configuration yet; keep yours until weir is back")

// Bounds on what a standby hears of a client before it sends anything. One that comes back asks for all types in one breath, and
// clusters come before listeners.
const (
	breath   = 200 * time.Millisecond
	maxHeard = 64
)

// hear takes in what a client of a standby asks for at first, before anything is sent. It ends with errKeep for one that has
// listeners. One that has less was left by another server while it began, and serves nothing: it is served, once it is sure that
// it was not only slow to tell.
func (s *stream) hear(requests <-chan *request, failed <-chan error) error {
	var heard []*request
	enough := time.NewTimer(breath)
	defer enough.Stop()
	for waiting := true; waiting && len(heard) < maxHeard; {
		select {
		case <-s.ctx.Done():
			return s.ctx.Err()
		case err := <-failed:
			return err
		case <-enough.C:
			waiting = false
		case r := <-requests:
			if s.keeps(r) {
				return errKeep
			}
			if s.brings(r) {
				enough.Reset(s.server.patience)
			}
			heard = append(heard, r)
		}
	}
	for _, r := range heard {
		if err := s.handle(r); err != nil {
			return err
		}
	}
	s.nudge()
	return nil
}

// keeps tells whether a request shows that the client serves with what another server sent it.
func (s *stream) keeps(r *request) bool {
	return s.brings(r) && (!s.ads || r.typeURL == typeURLs[listeners])
}

// errNoWeir is told to a standby that follows another one, or itself: it would take what may be old for what is published now.
var errNoWeir = status.Error(codes.FailedPrecondition, "this is a standby, not weir")

// brings tells whether a request is the first for its type and says that the client has something from another stream.
func (s *stream) brings(r *request) bool {
	if k, ok := kindOf(r.typeURL); ok && s.watches[k] != nil {
		return false
	}
	return len(r.delta.GetInitialResourceVersions()) > 0 || r.state.GetVersionInfo() != ""
}

// errReleased is told to clients that are sent elsewhere.
var errReleased = errors.New("released")

// releaseAfter bounds how long a client that does not come to an end with what it is sent is kept from going elsewhere.
const releaseAfter = 30 * time.Second

// Release ends the streams of clients, which are to go to another server: of those that have all that is published here, so
// that none is left in the middle of a transition, and of those that have been here for a while.
func (s *Server) Release() {
	for _, x := range s.streams() {
		view := x.view.Load()
		if view != nil && (view.Snapshot == view.Wanted || time.Since(view.ConnectedAt) > releaseAfter) {
			x.cancel(errReleased)
		}
	}
}

// goElsewhere is what a released client hears.
var goElsewhere = status.Error(codes.Unavailable, "weir is back: ask there")
