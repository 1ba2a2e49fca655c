package xds

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/protobuf/types/known/structpb"
)

// Following says which instance of which other server is followed.
type Following struct {
	Target   string // where the other server is, as gRPC has it: "host:port" or "unix:///path"
	Instance string
	Node     string     // by which the other server shows this follower among its standbys
	Have     *Set       // what is here already and need not be sent; nil: nothing
	Took     func(*Set) // called in Follow's goroutine with each set that is whole, also with one that is here already
}

// Follow keeps up with what another Server publishes for an instance. A transition reaches a follower in stages as it does
// any client, and counts once it is whole: Took is never called with a state between two sets. Follow ends with its one
// stream, and says why; whoever wants more calls again.
func Follow(ctx context.Context, f Following) error {
	conn, err := grpc.NewClient(f.Target,
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithNoProxy(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxResponse), grpc.MaxCallSendMsgSize(maxRequest)),
		// A server that vanished without a word is found within 15 s.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 5 * time.Second}),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: 2 * time.Second}),
	)
	if err != nil {
		return fmt.Errorf("follow %s: %w", f.Target, err)
	}
	defer conn.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	wire, err := discoveryv3.NewAggregatedDiscoveryServiceClient(conn).DeltaAggregatedResources(ctx)
	if err != nil {
		return fmt.Errorf("follow %s: %w", f.Target, err)
	}
	x := &follower{Following: f, set: empty}
	if f.Have != nil {
		x.set = f.Have.without(listeners)
	}
	if err := x.run(wire); err != nil {
		return fmt.Errorf("follow %s: %w", f.Target, err)
	}
	return nil
}

// follower is the client's side of one stream.
type follower struct {
	Following
	set *Set // as far as it has come
}

// run asks for all of everything, and takes what comes. What is here of listeners is not told: these are few, and so there
// is an answer that names the set even where nothing else differs.
func (f *follower) run(wire discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesClient) error {
	for k := range kind(kinds) {
		r := &discoveryv3.DeltaDiscoveryRequest{
			TypeUrl: typeURLs[k], ResourceNamesSubscribe: []string{wildcard}, InitialResourceVersions: f.set.versionsOf(k),
		}
		if k == 0 {
			r.Node = f.introduction()
		}
		if wire.Send(r) != nil {
			break // the reason comes with the receive
		}
	}
	for {
		r, err := wire.Recv()
		if err != nil {
			return err
		}
		if err := f.take(r); err != nil {
			return err
		}
		_ = wire.Send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: r.TypeUrl, ResponseNonce: r.Nonce}) // likewise
	}
}

// introduction is the node by which the server knows a standby.
func (f *follower) introduction() *corev3.Node {
	return &corev3.Node{
		Id: f.Node, Cluster: f.Instance, UserAgentName: "weir standby",
		Metadata: &structpb.Struct{Fields: map[string]*structpb.Value{standbyMetadata: structpb.NewBoolValue(true)}},
	}
}

// errNoSet is a server's that knows no standbys.
var errNoSet = errors.New("the server does not say what it is sending: it is another version of weir, or no weir")

// take puts a response into the set, and hands that out when it is the one that the server said it was sending.
func (f *follower) take(r *discoveryv3.DeltaDiscoveryResponse) error {
	_, goal, ok := strings.Cut(r.GetNonce(), nonceSet)
	if !ok {
		return errNoSet
	}
	changed := make([]*Resource, len(r.GetResources()))
	for i, sent := range r.GetResources() {
		var err error
		if changed[i], err = ParseResource(sent.GetResource(), nil); err != nil {
			return err
		}
		if changed[i].version != sent.GetVersion() {
			return fmt.Errorf("%s %q has another version here: the server is another version of weir", r.GetTypeUrl(), sent.GetName())
		}
	}
	removed := make([]Key, len(r.GetRemovedResources()))
	for i, name := range r.GetRemovedResources() {
		removed[i] = Key{r.GetTypeUrl(), name}
	}
	set, err := f.set.With(changed, removed)
	if err != nil {
		return err
	}
	f.set = set
	if set.hash == goal {
		f.Took(set)
	}
	return nil
}

// versionsOf are the versions of all resources of a kind, by name.
func (s *Set) versionsOf(k kind) map[string]string {
	if s.trees[k].len() == 0 {
		return nil
	}
	all := make(map[string]string, s.trees[k].len())
	s.trees[k].walk(func(r *Resource) bool { all[r.name] = r.version; return true })
	return all
}

// without is the set without the resources of a kind.
func (s *Set) without(k kind) *Set {
	next := &Set{trees: s.trees}
	next.trees[k] = nil
	return next.sealed(s)
}
