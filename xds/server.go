package xds

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// patience bounds how long listeners and routes wait for new clusters to serve, and how long a client that came back
// may take to ask for them. Envoy, with the DNS settings that are ours, gives a name up after about two seconds.
const patience = 3 * time.Second

// farewell bounds how long a stop waits for clients that do not read.
const farewell = 5 * time.Second

// maxNode bounds the node that a client introduces itself with; Envoy's own is about 60 kB.
const maxNode = 1 << 20

// Options are what a Server needs.
type Options struct {
	Log     *slog.Logger
	Refused func(Refusal) // called for each refusal, in the stream's goroutine and outside locks; nil: the log says it

	// Standby has only clients served that have no listeners yet. One that serves with what another server sent it may have
	// something newer than what is published here, and shall keep it.
	Standby bool
}

// Server publishes sets of resources to the clients that connect.
type Server struct {
	log      *slog.Logger
	onRefuse func(Refusal)
	standby  bool
	patience time.Duration
	farewell time.Duration
	stuck    time.Duration

	mu        sync.Mutex // never held across a send, a log line or a callback, nor while a stream's is taken
	published bool
	instances map[string]*instance
	strangers strangers
	memories  memories

	admission admission
}

// instance is the set that is published for one, and who listens.
type instance struct {
	current atomic.Pointer[Set]
	streams map[*stream]struct{} // guarded by Server.mu
}

// Reasons for which streams are ended from this side.
var (
	errStopping = status.Error(codes.Unavailable, "weir is stopping")
	errRemoved  = errors.New("instance removed")
)

// NewServer makes a server that refuses everyone until the first Publish.
func NewServer(o Options) *Server {
	s := &Server{
		log: o.Log, onRefuse: o.Refused, standby: o.Standby, patience: patience, farewell: farewell, stuck: stuckAfter,
		instances: map[string]*instance{}, strangers: strangers{}, memories: memories{},
		admission: admission{free: maxAdmitted},
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s
}

// Publish makes sets, by the name of their instance and never nil, what is served. Clients of an instance whose set
// has not changed notice nothing. Streams of instances that are not in sets are closed; their Envoys keep what they have.
func (s *Server) Publish(sets map[string]*Set) {
	var moved, orphans []*stream
	s.mu.Lock()
	s.published = true
	for name, in := range s.instances {
		if _, stays := sets[name]; !stays {
			orphans = slices.AppendSeq(orphans, maps.Keys(in.streams))
			delete(s.instances, name)
			maps.DeleteFunc(s.memories, func(by rememberedBy, _ *memory) bool { return by.instance == name })
		}
	}
	for name, set := range sets {
		in := s.instances[name]
		if in == nil {
			in = &instance{streams: map[*stream]struct{}{}}
			s.instances[name] = in
		}
		if old := in.current.Swap(set); old != nil && old.hash != set.hash {
			moved = slices.AppendSeq(moved, maps.Keys(in.streams))
		}
	}
	s.mu.Unlock()
	for _, x := range orphans {
		x.cancel(errRemoved)
	}
	for _, x := range moved {
		x.nudge()
	}
}

// Retry offers again, to every client, what it refused and what has not changed since: the reason may be gone.
func (s *Server) Retry() {
	var all []*stream
	s.mu.Lock()
	clear(s.memories)
	for _, in := range s.instances {
		all = slices.AppendSeq(all, maps.Keys(in.streams))
	}
	s.mu.Unlock()
	for _, x := range all {
		x.retry.Store(true)
		x.nudge()
	}
}

// admit finds the instance that a stream's first request names and joins the stream to it.
func (s *Server) admit(x *stream, n *corev3.Node) error {
	switch {
	case n == nil:
		return status.Error(codes.InvalidArgument, "the first request of a stream must carry the node")
	case proto.Size(n) > maxNode:
		return status.Errorf(codes.InvalidArgument, "the node is larger than %d bytes", maxNode)
	}
	id := identityOf(n)
	if s.standby && id.standby {
		return errNoWeir
	}
	s.mu.Lock()
	in, fresh, published := s.instances[id.cluster], false, s.published
	known := slices.Sorted(maps.Keys(s.instances))
	if in != nil {
		in.streams[x] = struct{}{}
		delete(s.strangers, id)
		x.node, x.instance, x.base = id, in, in.current.Load()
		if m := s.memories[x.rememberedBy()]; m != nil {
			x.recall(m)
		}
	} else if published {
		fresh = s.strangers.note(id, addressOf(x.address), time.Now())
	}
	s.mu.Unlock()

	switch {
	case !published:
		return status.Error(codes.Unavailable, "weir has no configuration to serve yet")
	case in == nil:
		err := noInstance(id.cluster, known)
		if fresh {
			s.log.Warn("proxy refused", "node", id.id, "instance", id.cluster, "address", addressOf(x.address), "err", err)
		}
		return err
	}
	x.base = x.target(x.base)
	s.log.Info("proxy connected", "node", id.id, "instance", id.cluster, "address", addressOf(x.address), "agent", id.agent)
	return nil
}

// noInstance tells a client what it asked for and what there is.
func noInstance(name string, known []string) error {
	const most = 20
	var have string
	switch {
	case len(known) == 0:
		have = "there is none"
	case len(known) > most:
		have = fmt.Sprintf("there are %s and %d more", strings.Join(known[:most], ", "), len(known)-most)
	default:
		have = "there are " + strings.Join(known, ", ")
	}
	return status.Errorf(codes.NotFound, "node.cluster %q names no instance; %s", name, have)
}

// instanceNames lists what there is.
func (s *Server) instanceNames() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.instances))
}

// leave forgets a stream.
func (s *Server) leave(x *stream) {
	in, id := x.instance, x.node
	if in == nil {
		return
	}
	s.mu.Lock()
	delete(in.streams, x)
	s.mu.Unlock()
	s.log.Info("proxy disconnected", "node", id.id, "instance", id.cluster, "address", addressOf(x.address),
		"took", time.Since(x.started).Round(time.Millisecond).String(), "err", context.Cause(x.ctx))
}

// report tells of a refusal whoever wants to hear of it, else the log: nobody should read it twice.
func (s *Server) report(r Refusal) {
	if s.onRefuse != nil {
		s.onRefuse(r)
		return
	}
	s.log.Warn("proxy refused an update", "node", r.Node, "instance", r.Instance, "type", r.Type,
		"version", r.Version, "err", r.Message)
}
