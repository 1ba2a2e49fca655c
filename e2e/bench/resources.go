package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/anypb"
)

// key names a resource.
type key struct{ kind, name string }

// resource is one of those that weir makes of a configuration.
type resource struct {
	key
	message proto.Message
	packed  *anypb.Any
	version string // the hash of what it was read from
}

// resources are all of them, those of one state.
type resources map[key]*resource

// change is what differs between two states.
type change struct {
	updated []*resource // in the order in which Envoy is to hear of them
	removed []key       // in theirs
}

// kindOrder is the order in which Envoy is told: what is referred to comes first.
var kindOrder = []string{
	typeURL + "envoy.extensions.transport_sockets.tls.v3.Secret",
	typeURL + "envoy.config.cluster.v3.Cluster",
	typeURL + "envoy.config.endpoint.v3.ClusterLoadAssignment",
	typeURL + "envoy.config.listener.v3.Listener",
	typeURL + "envoy.config.route.v3.ScopedRouteConfiguration",
	typeURL + "envoy.config.route.v3.RouteConfiguration",
	typeURL + "envoy.config.route.v3.VirtualHost",
}

const typeURL = "type.googleapis.com/"

// changeTo is what has to be told to somebody who has r and is to have other.
func (r resources) changeTo(other resources) change {
	var c change
	for k, new := range other {
		if old := r[k]; old == nil || old.version != new.version {
			c.updated = append(c.updated, new)
		}
	}
	for k := range r {
		if other[k] == nil {
			c.removed = append(c.removed, k)
		}
	}
	slices.SortFunc(c.updated, func(a, b *resource) int { return compareKeys(a.key, b.key) })
	slices.SortFunc(c.removed, func(a, b key) int { return compareKeys(b, a) })
	return c
}

func compareKeys(a, b key) int {
	return cmp.Or(cmp.Compare(slices.Index(kindOrder, a.kind), slices.Index(kindOrder, b.kind)), cmp.Compare(a.name, b.name))
}

// render has weir print the resources of every state that edits lead to. What is as in the first state is shared with it.
func (b *bench) render(ctx context.Context, l layout) (map[state]resources, error) {
	states := []state{{}}
	for _, e := range edits {
		states = append(states, e.to)
	}
	texts := make([][]byte, len(states))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2) // each takes some hundred megabytes
	for i, s := range states {
		group.Go(func() (err error) {
			dir := b.file(fmt.Sprintf("render/%d-%d", l.upstreams, i))
			if err := l.write(dir, s); err != nil {
				return err
			}
			texts[i], err = output(ctx, b.weir, "render", dir)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	all := map[state]resources{}
	for i, s := range states {
		var err error
		if all[s], err = parseRendering(texts[i], all[state{}]); err != nil {
			return nil, err
		}
		texts[i] = nil
	}
	return all, nil
}

// parseRendering reads what `weir render` prints. A resource that stands in known as it is, is taken from there.
func parseRendering(text []byte, known resources) (resources, error) {
	var document struct {
		Resources []struct {
			Name, Type string
			Resource   json.RawMessage
		}
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, fmt.Errorf("read what weir renders: %w", err)
	}
	all := make(resources, len(document.Resources))
	for _, r := range document.Resources {
		k := key{r.Type, r.Name}
		sum := sha256.Sum256(r.Resource)
		version := hex.EncodeToString(sum[:8])
		if old := known[k]; old != nil && old.version == version {
			all[k] = old
			continue
		}
		if !slices.Contains(kindOrder, k.kind) {
			return nil, fmt.Errorf("%s: the bench does not know when to send a %s: add it to kindOrder", k.name, k.kind)
		}
		read, err := decode(k, r.Resource)
		if err != nil {
			return nil, err
		}
		read.version = version
		all[k] = read
	}
	return all, nil
}

// decode makes a message of its JSON form.
func decode(k key, text []byte) (*resource, error) {
	kind, err := protoregistry.GlobalTypes.FindMessageByURL(k.kind)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k.name, err)
	}
	message := kind.New().Interface()
	if err := protojson.Unmarshal(text, message); err != nil {
		return nil, fmt.Errorf("%s: %w (an extension that is not known needs an import in types.go)", k.name, err)
	}
	packed, err := anypb.New(message)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k.name, err)
	}
	return &resource{key: k, message: message, packed: packed}, nil
}
