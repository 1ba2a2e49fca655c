// Package translate turns a configuration into the resources of the xDS protocol that one instance's Envoys need.
//
// It promises: a pure function, without clock, logger or file system. Equal configurations give byte-identical resources
// (marshalled deterministically) in the same order. A resource holds only what the instance's APIs use, so an edit
// elsewhere changes nothing here; its name never depends on a position in a file, and neither do its bytes: where it came
// from stands beside it, in Resource.Place. Envoy accepts whatever a valid model.Configuration becomes.
package translate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	resourcev3 "github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/weirproxy/weir/model"
)

// Resource is one xDS resource.
type Resource struct {
	Type    string // type URL
	Name    string // unique within the type
	Message proto.Message
	Place   model.Place // the block that it came from
}

// Instance returns the resources of the named instance, sorted by type and name. An unknown instance has none.
func Instance(c *model.Configuration, name string) []Resource {
	instance := c.Instances[name]
	if instance == nil {
		return nil
	}
	used := useOf(c, instance)
	var out []Resource
	for _, l := range sortedValues(instance.Listeners) {
		out = append(out,
			Resource{resourcev3.ListenerType, l.Name, listener(instance.Name, l), l.Place},
			Resource{resourcev3.RouteType, routesName(l), routeConfiguration(l, used), l.Place})
		for _, certificate := range distinctCertificates(l) {
			secretName := secretName(instance.Name, l.Name, certificate)
			out = append(out, Resource{resourcev3.SecretType, secretName, certificateSecret(secretName, certificate), certificate.Place})
		}
		if l.TLS.ClientCA != nil {
			name := clientCAName(instance.Name, l.Name)
			out = append(out, Resource{resourcev3.SecretType, name, clientCASecret(name, l.TLS.ClientCA), l.Place})
		}
	}
	for _, t := range used.targets {
		out = append(out, Resource{resourcev3.ClusterType, t.cluster, cluster(t), t.upstream.Place})
		if onlyAddresses(t.upstream) {
			out = append(out, Resource{resourcev3.EndpointType, assignmentName(t), loadAssignment(t), t.upstream.Place})
		}
	}
	slices.SortFunc(out, func(a, b Resource) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// pack puts a message into an Any. The marshalling is deterministic: maps inside an Any are not sorted later.
func pack(m proto.Message) *anypb.Any {
	packed := &anypb.Any{}
	if err := anypb.MarshalFrom(packed, m, proto.MarshalOptions{Deterministic: true}); err != nil {
		// Only a required field of proto2 or text that is not UTF-8 can do this; a valid model holds neither.
		panic(fmt.Sprintf("translate: marshal %s: %v", m.ProtoReflect().Descriptor().FullName(), err))
	}
	return packed
}

// sortedValues are a map's values by key, so that no order of a map reaches a resource.
func sortedValues[V any](m map[string]V) []V {
	values := make([]V, 0, len(m))
	for _, key := range sortedKeys(m) {
		values = append(values, m[key])
	}
	return values
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
