package xds

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// kind is a resource type as an index into typeURLs.
type kind int

// The kinds, in the order in which their additions and changes are sent.
const (
	clusters kind = iota
	endpoints
	secrets
	listeners
	routes
	kinds int = iota
)

var typeURLs = [kinds]string{
	clusters:  resource.ClusterType,
	endpoints: resource.EndpointType,
	secrets:   resource.SecretType,
	listeners: resource.ListenerType,
	routes:    resource.RouteType,
}

// kindOf finds the kind of a type URL.
func kindOf(typeURL string) (kind, bool) {
	i := slices.Index(typeURLs[:], typeURL)
	return kind(i), i >= 0
}

// entry is one resource as it goes over the wire.
type entry struct {
	name    string
	version string
	any     *anypb.Any
	delta   *discoveryv3.Resource // the same, as delta responses carry it
	waits   string                // of an EDS cluster: the ClusterLoadAssignment without which it does not serve
}

// entries are an instance's resources of one kind.
type entries struct {
	version string
	sorted  []*entry
	byName  map[string]*entry
}

// has tells whether there is a resource of that name.
func (e *entries) has(name string) bool {
	_, ok := e.byName[name]
	return ok
}

// want is the version that a client should have of a resource; absent for one that does not exist.
func (e *entries) want(name string) string {
	if r, ok := e.byName[name]; ok {
		return r.version
	}
	return absent
}

// Snapshot is one instance's resources, marshalled and hashed. It never changes.
type Snapshot struct {
	kinds [kinds]entries
	hash  string
}

// NewSnapshot makes a set out of messages: Cluster, ClusterLoadAssignment, Secret, Listener and RouteConfiguration.
// Names must be there and be unique within their type. The messages may be changed afterwards.
func NewSnapshot(messages []proto.Message) (*Snapshot, error) {
	s := &Snapshot{}
	for k := range s.kinds {
		s.kinds[k].byName = map[string]*entry{}
	}
	for i, m := range messages {
		k, name, waits, err := identify(m)
		if err != nil {
			return nil, fmt.Errorf("resource %d: %w", i, err)
		}
		if s.kinds[k].has(name) {
			return nil, fmt.Errorf("two resources of type %s are named %q", typeURLs[k], name)
		}
		e, err := newEntry(k, name, m)
		if err != nil {
			return nil, err
		}
		e.waits = waits
		s.kinds[k].byName[name] = e
	}
	s.seal()
	return s, nil
}

// seal sorts the resources and computes the versions of types and set.
func (s *Snapshot) seal() {
	whole := newDigest()
	for k := range s.kinds {
		es := &s.kinds[k]
		es.sorted = slices.SortedFunc(maps.Values(es.byName), func(a, b *entry) int { return cmp.Compare(a.name, b.name) })
		d := newDigest()
		d.add(typeURLs[k])
		for _, e := range es.sorted {
			d.add(e.name)
			d.add(e.version)
		}
		es.version = d.sum()
		whole.add(es.version)
	}
	s.hash = whole.sum()
}

// identify finds a message's kind and name and, of an EDS cluster, the name of its ClusterLoadAssignment.
func identify(m proto.Message) (k kind, name, waits string, err error) {
	switch m := m.(type) {
	case *clusterv3.Cluster:
		k, name = clusters, m.GetName()
		if m.GetType() == clusterv3.Cluster_EDS {
			waits = cmp.Or(m.GetEdsClusterConfig().GetServiceName(), name)
		}
	case *endpointv3.ClusterLoadAssignment:
		k, name = endpoints, m.GetClusterName()
	case *tlsv3.Secret:
		k, name = secrets, m.GetName()
	case *listenerv3.Listener:
		k, name = listeners, m.GetName()
	case *routev3.RouteConfiguration:
		k, name = routes, m.GetName()
	default:
		return 0, "", "", fmt.Errorf("a %T cannot be published", m)
	}
	if name == "" {
		return 0, "", "", errors.New("a " + typeURLs[k] + " without a name")
	}
	return k, name, waits, nil
}

// newEntry marshals a message. Its version is a hash of name and bytes, so it is the same wherever the content is.
func newEntry(k kind, name string, m proto.Message) (*entry, error) {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("marshal %s %q: %w", typeURLs[k], name, err)
	}
	d := newDigest()
	d.add(name)
	d.add(string(b))
	e := &entry{name: name, version: d.sum(), any: &anypb.Any{TypeUrl: typeURLs[k], Value: b}}
	e.delta = &discoveryv3.Resource{Name: name, Version: e.version, Resource: e.any}
	return e, nil
}

// Hash names the content of the set: 16 hexadecimal digits, equal for equal content.
func (s *Snapshot) Hash() string { return s.hash }

// Version names the content of one type of the set, as proxies acknowledge it; "" for a type that is not served.
func (s *Snapshot) Version(typeURL string) string {
	if k, ok := kindOf(typeURL); ok {
		return s.kinds[k].version
	}
	return ""
}

// Generation names the content of all instances together: 12 hexadecimal digits.
func Generation(sets map[string]*Snapshot) string {
	d := newDigest()
	for _, name := range slices.Sorted(maps.Keys(sets)) {
		d.add(name)
		d.add(sets[name].Hash())
	}
	return d.sum()[:12]
}

// digest hashes a list of strings; each goes in with its length, so that no two lists read the same.
type digest struct{ h hash.Hash }

func newDigest() digest { return digest{sha256.New()} }

func (d digest) add(s string) {
	var length [8]byte
	binary.BigEndian.PutUint64(length[:], uint64(len(s)))
	d.h.Write(length[:])
	io.WriteString(d.h, s) // a hash does not fail
}

func (d digest) sum() string { return hex.EncodeToString(d.h.Sum(nil)[:8]) }
