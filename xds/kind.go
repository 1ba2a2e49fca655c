package xds

import (
	"slices"

	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
)

// kind is a resource type as an index into typeURLs.
type kind int

// The kinds, in the order in which their additions and changes are sent.
const (
	clusters kind = iota
	endpoints
	secrets
	listeners
	scopes
	routes
	kinds int = iota
)

var typeURLs = [kinds]string{
	clusters:  resource.ClusterType,
	endpoints: resource.EndpointType,
	secrets:   resource.SecretType,
	listeners: resource.ListenerType,
	scopes:    resource.ScopedRouteType,
	routes:    resource.RouteType,
}

// kindOf finds the kind of a type URL.
func kindOf(typeURL string) (kind, bool) {
	i := slices.Index(typeURLs[:], typeURL)
	return kind(i), i >= 0
}

// byName tells whether resources of the kind are asked for by name only. Of the others no name means all of them:
// https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#how-the-client-specifies-what-resources-to-return
func (k kind) byName() bool { return k == endpoints || k == secrets || k == routes }
