// Package translate turns a configuration into the resources of the xDS protocol that one instance's Envoys need.
//
// It promises: a pure function, without clock, logger or file system. Equal configurations give byte-identical resources
// (marshalled deterministically) in the same order. A resource holds only what the instance's APIs use, so an edit
// elsewhere changes nothing here; its name never depends on a position in a file, and neither do its bytes: where it came
// from stands beside it, in Resource.Place. Envoy accepts whatever a valid model.Configuration becomes. A Translator does the same
// for one configuration after the other, at the cost of what differs.
package translate

import (
	"fmt"
	"maps"
	"slices"

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

// Key names a resource.
type Key struct {
	Type string // type URL
	Name string
}

// Delta is what of an instance's resources is not as it was. Both lists are sorted by type and name.
type Delta struct {
	Changed []Resource // new or changed; some may be as they were
	Removed []Key
}

// Instance returns the resources of the named instance, sorted by type and name. An unknown instance has none.
func Instance(c *model.Configuration, name string) []Resource {
	return instanceOf(c, name, partSize)
}

// instanceOf is Instance with a size of parts.
func instanceOf(c *model.Configuration, name string, size int) []Resource {
	instance := c.Instances[name]
	if instance == nil {
		return nil
	}
	return newLedger(c, instance, size).delta().Changed
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
