package xds

import (
	"cmp"
	"context"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"

	adminv3 "github.com/envoyproxy/go-control-plane/envoy/admin/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	statusv3 "github.com/envoyproxy/go-control-plane/envoy/service/status/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Bounds of one answer about clients.
const (
	maxContents = 10      // of so many streams the resources' contents are told, too
	maxEntries  = 200_000 // resources, of all streams together
)

// statusService tells what each client has: envoy.service.status.v3, in which private keys never appear.
type statusService struct {
	statusv3.UnimplementedClientStatusDiscoveryServiceServer
	server *Server
}

// FetchClientStatus answers once.
func (x statusService) FetchClientStatus(ctx context.Context, r *statusv3.ClientStatusRequest) (*statusv3.ClientStatusResponse, error) {
	match, err := matching(r.GetNodeMatchers())
	if err != nil {
		return nil, err
	}
	streams := slices.DeleteFunc(x.server.streams(), func(s *stream) bool {
		p := s.view.Load()
		return p == nil || !match(p.Node)
	})
	contents := !r.GetExcludeResourceContents() && len(streams) <= maxContents
	out, entries := &statusv3.ClientStatusResponse{}, 0
	for _, s := range streams {
		var c *statusv3.ClientConfig
		if !s.ask(func() { c = s.clientConfig(contents) }) {
			continue // it has ended
		}
		if contents {
			withoutKeys(c)
		}
		if entries += len(c.GenericXdsConfigs); entries > maxEntries {
			return nil, status.Errorf(codes.ResourceExhausted, "more than %d resources: ask for fewer proxies, with node_matchers", maxEntries)
		}
		out.Config = append(out.Config, c)
	}
	return out, ctx.Err()
}

// StreamClientStatus answers each request.
func (x statusService) StreamClientStatus(g statusv3.ClientStatusDiscoveryService_StreamClientStatusServer) error {
	for {
		r, err := g.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		answer, err := x.FetchClientStatus(g.Context(), r)
		if err != nil {
			return err
		}
		if err := g.Send(answer); err != nil {
			return err
		}
	}
}

// matching makes a test of node ids: one of the matchers has to fit, where there are any.
func matching(all []*matcherv3.NodeMatcher) (func(id string) bool, error) {
	var tests []func(string) bool
	for _, m := range all {
		if len(m.GetNodeMetadatas()) > 0 {
			return nil, status.Error(codes.InvalidArgument, "nodes are matched by node_id only")
		}
		test, err := matchingString(m.GetNodeId())
		if err != nil {
			return nil, err
		}
		tests = append(tests, test)
	}
	return func(id string) bool {
		return len(tests) == 0 || slices.ContainsFunc(tests, func(test func(string) bool) bool { return test(id) })
	}, nil
}

func matchingString(m *matcherv3.StringMatcher) (func(string) bool, error) {
	fold := func(s string) string {
		if m.GetIgnoreCase() {
			return strings.ToLower(s)
		}
		return s
	}
	with := func(test func(s, pattern string) bool, pattern string) (func(string) bool, error) {
		return func(s string) bool { return test(fold(s), fold(pattern)) }, nil
	}
	switch p := m.GetMatchPattern().(type) {
	case nil:
		return func(string) bool { return true }, nil
	case *matcherv3.StringMatcher_Exact:
		return with(func(s, pattern string) bool { return s == pattern }, p.Exact)
	case *matcherv3.StringMatcher_Prefix:
		return with(strings.HasPrefix, p.Prefix)
	case *matcherv3.StringMatcher_Suffix:
		return with(strings.HasSuffix, p.Suffix)
	case *matcherv3.StringMatcher_Contains:
		return with(strings.Contains, p.Contains)
	case *matcherv3.StringMatcher_SafeRegex:
		re, err := regexp.Compile("^(?:" + p.SafeRegex.GetRegex() + ")$")
		if err != nil {
			return nil, status.Errorf(codes.InvalidArgument, "the regular expression of a node matcher: %v", err)
		}
		return re.MatchString, nil
	}
	return nil, status.Error(codes.InvalidArgument, "a node matcher of a kind that is not known here")
}

// streams are all that there are, in the order in which they came.
func (s *Server) streams() []*stream {
	var all []*stream
	s.mu.Lock()
	for _, in := range s.instances {
		for x := range in.streams {
			all = append(all, x)
		}
	}
	s.mu.Unlock()
	slices.SortFunc(all, func(a, b *stream) int { return a.started.Compare(b.started) })
	return all
}

// clientConfig is what the client has, resource by resource.
func (s *stream) clientConfig(contents bool) *statusv3.ClientConfig {
	c := &statusv3.ClientConfig{Node: &corev3.Node{Id: s.node.id, Cluster: s.node.cluster, UserAgentName: s.node.agent}}
	newest := s.instance.current.Load()
	for _, w := range s.watches {
		if w == nil {
			continue
		}
		for _, name := range s.concern(w, newest) {
			c.GenericXdsConfigs = append(c.GenericXdsConfigs, s.config(w, name, newest, contents))
		}
	}
	return c
}

// concern lists, sorted, what the client has or should have of one kind.
func (s *stream) concern(w *watch, newest *Set) []string {
	t := s.base.trees[w.kind]
	var all []string
	t.walk(func(r *Resource) bool {
		if w.wants(t, r.name) {
			all = append(all, r.name)
		}
		return true
	})
	for name := range w.asked {
		all = append(all, name)
	}
	for name := range w.odd {
		all = append(all, name)
	}
	for key, version := range s.refused {
		if key.Type == typeURLs[w.kind] && newest.holds(key, version) {
			all = append(all, key.Name)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// config is how far the client is with one resource.
func (s *stream) config(w *watch, name string, newest *Set, contents bool) *statusv3.ClientConfig_GenericXdsConfig {
	key := Key{typeURLs[w.kind], name}
	had, wanted := w.has(s.base.trees[w.kind], name), newest.Get(key)
	x := &statusv3.ClientConfig_GenericXdsConfig{TypeUrl: key.Type, Name: name}
	switch {
	case wanted != nil && s.refuses(wanted):
		x.ConfigStatus, x.ClientStatus = statusv3.ConfigStatus_ERROR, adminv3.ClientResourceStatus_NACKED
		x.ErrorState = &adminv3.UpdateFailureState{VersionInfo: wanted.version}
		if w.refusal != nil {
			x.ErrorState.Details, x.ErrorState.LastUpdateAttempt = w.refusal.Message, timestamppb.New(w.refusal.At)
		}
	case w.underWay(name):
		x.ConfigStatus, x.ClientStatus = statusv3.ConfigStatus_STALE, adminv3.ClientResourceStatus_REQUESTED
	case wanted == nil && had.version == none:
		x.ConfigStatus, x.ClientStatus = statusv3.ConfigStatus_SYNCED, adminv3.ClientResourceStatus_DOES_NOT_EXIST
	case wanted == nil || had.version != wanted.version:
		x.ConfigStatus = statusv3.ConfigStatus_NOT_SENT
		x.ClientStatus = adminv3.ClientResourceStatus_REQUESTED
	default:
		x.ConfigStatus, x.ClientStatus = statusv3.ConfigStatus_SYNCED, adminv3.ClientResourceStatus_ACKED
	}
	if had.version != none && had.version != told {
		x.VersionInfo = had.version
		if r := cmp.Or(had.Resource, wanted); contents && r != nil && r.version == had.version && r.kind != secrets {
			x.XdsConfig = r.Any()
		}
	}
	return x
}
