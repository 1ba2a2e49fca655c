package xds

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"hash/maphash"
	"io"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// Key is what a resource is known by.
type Key struct{ Type, Name string } // type URL, name

// Resource is one message as it goes over the wire, marshalled and hashed once. It never changes, and is shared by all
// sets and streams that hold it.
type Resource struct {
	kind    kind
	name    string
	version string
	origin  any
	waits   string // without which it does not serve: an EDS cluster's ClusterLoadAssignment, a scope's RouteConfiguration
	warmth  warmth // of a cluster
	rank    uint64 // its place in a tree; a function of the name
	sum     sum    // of type, name and version

	// The field "resources" of a DeltaDiscoveryResponse. Its end, from state on, is the same field of a DiscoveryResponse,
	// and the end of that, from value on, is the message.
	wire         []byte
	state, value int
}

// NewResource marshals a Cluster, ClusterLoadAssignment, Secret, Listener, ScopedRouteConfiguration or RouteConfiguration, which
// must have a name and may be changed afterwards. The origin says where it came from; it is no part of the version, and is
// handed back with refusals.
func NewResource(m proto.Message, origin any) (*Resource, error) {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("marshal a %T: %w", m, err)
	}
	return newResource(m, b, origin)
}

// ParseResource is NewResource for a message that was marshalled before. Its bytes stay as they are, and with them the version,
// also where the messages are those of another release and would be marshalled otherwise here.
func ParseResource(packed *anypb.Any, origin any) (*Resource, error) {
	m, err := packed.UnmarshalNew()
	if err != nil {
		return nil, fmt.Errorf("unmarshal a %s: %w", packed.GetTypeUrl(), err)
	}
	return newResource(m, packed.GetValue(), origin)
}

// newResource is a resource of a message and of the same in bytes.
func newResource(m proto.Message, b []byte, origin any) (*Resource, error) {
	k, name, waits, err := identify(m)
	if err != nil {
		return nil, err
	}
	d := newDigest()
	d.add(name)
	d.add(string(b))
	r := &Resource{kind: k, name: name, version: d.sum(), origin: origin, waits: waits, rank: maphash.String(ranks, name)}
	r.sum = sumOf(typeURLs[k], name, r.version)
	if c, ok := m.(*clusterv3.Cluster); ok {
		r.warmth = warmthOf(c)
	}
	r.encode(b)
	return r, nil
}

// ranks makes the ranks of names. They shape trees, and nothing that leaves the process.
var ranks = maphash.MakeSeed()

// identify finds a message's kind and name and, of an EDS cluster, the name of its ClusterLoadAssignment; of a scope, that of
// its RouteConfiguration.
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
	case *routev3.ScopedRouteConfiguration:
		k, name, waits = scopes, m.GetName(), m.GetRouteConfigurationName()
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

// Numbers of the fields of envoy.service.discovery.v3.Resource and google.protobuf.Any that are written here.
const (
	resourceVersion, resourceResource, resourceName = 1, 2, 3
	anyTypeURL, anyValue                            = 1, 2
)

// encode writes the resource down as responses carry it. The order of fields is ours to choose.
func (r *Resource) encode(message []byte) {
	packed := appendString(nil, anyTypeURL, typeURLs[r.kind])
	packed = protowire.AppendTag(packed, anyValue, protowire.BytesType)
	packed = protowire.AppendVarint(packed, uint64(len(message)))

	head := appendString(nil, resourceName, r.name)
	head = appendString(head, resourceVersion, r.version)
	field := protowire.AppendTag(nil, resourceResource, protowire.BytesType)
	field = protowire.AppendVarint(field, uint64(len(packed)+len(message)))

	r.wire = make([]byte, 0, 2*protowire.SizeVarint(1<<28)+len(head)+len(field)+len(packed)+len(message))
	r.wire = protowire.AppendTag(r.wire, responseResources, protowire.BytesType)
	r.wire = protowire.AppendVarint(r.wire, uint64(len(head)+len(field)+len(packed)+len(message)))
	r.wire = append(r.wire, head...)
	r.state = len(r.wire)
	r.wire = append(r.wire, field...)
	r.wire = append(r.wire, packed...)
	r.value = len(r.wire)
	r.wire = append(r.wire, message...)
}

func appendString(b []byte, field protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
}

// Key is the resource's type and name.
func (r *Resource) Key() Key { return Key{typeURLs[r.kind], r.name} }

// Type is the resource's type URL.
func (r *Resource) Type() string { return typeURLs[r.kind] }

// Name is unique among the resources of a type.
func (r *Resource) Name() string { return r.name }

// Version is a hash of name and content: 16 hexadecimal digits, the same wherever the content is.
func (r *Resource) Version() string { return r.version }

// Origin is what NewResource was told of where the resource came from.
func (r *Resource) Origin() any { return r.origin }

// Any is the resource in a message of its own. Its bytes are shared and must not be changed.
func (r *Resource) Any() *anypb.Any {
	return &anypb.Any{TypeUrl: typeURLs[r.kind], Value: r.wire[r.value:len(r.wire):len(r.wire)]}
}

// is tells whether the content of two resources, which may be nil, is the same.
func (r *Resource) is(other *Resource) bool {
	return r == other || r != nil && other != nil && r.version == other.version && r.kind == other.kind && r.name == other.name
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

// sum names a multitude of resources. Sums are added, in any order, and taken off again.
type sum [2]uint64

func sumOf(words ...string) sum {
	d := newDigest()
	for _, w := range words {
		d.add(w)
	}
	b := d.h.Sum(nil)
	return sum{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}
}

func (s sum) plus(other sum) sum { return sum{s[0] + other[0], s[1] + other[1]} }

func (s sum) String() string { return fmt.Sprintf("%016x%016x", s[0], s[1]) }
