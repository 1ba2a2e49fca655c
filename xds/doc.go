// Package xds keeps Envoys at the resources that are published for them.
//
// It promises:
//
//   - One set of resources per instance. An Envoy belongs to the instance that its node.cluster names; one that
//     names no instance is refused and shown, never given an empty configuration.
//   - Versions are hashes of content. A client that presents what it has, to this server or to another one with
//     the same sets, is sent only what differs.
//   - One response per change and type, and none where nothing changed. What a proxy refused is not sent to it again before
//     one of the resources that were refused together changes.
//   - On one aggregated stream an edit is made before the old state is broken: clusters, endpoints, secrets,
//     listeners, routes, and what is gone only after the routes that used it were replaced.
//   - No client holds up another one, nor Publish.
//
// It knows Envoy's resource types and nothing of what they are made from.
package xds
