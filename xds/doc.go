// Package xds keeps Envoys at the resources that are published for them.
//
// It promises:
//
//   - One set of resources per instance. An Envoy belongs to the instance that its node.cluster names; one that
//     names no instance is refused and shown, never given an empty configuration.
//   - Versions are hashes of content. A client that presents what it has, to this server or to another one with
//     the same sets, is sent only what differs.
//   - An edit costs what it changes. Resources are marshalled once, sets share what they have in common, and of what a client
//     has only that is kept which differs from the set that it is brought to.
//   - On one aggregated stream an edit is made before the old state is broken: clusters, their endpoints, secrets; once new
//     clusters serve, new scopes and routes; once these were taken, listeners and what changed of scopes and routes; and what
//     is gone only after all that was taken. One transition at a time; what is published meanwhile comes together with the
//     next, and each one ends.
//   - What a client refuses is traced to single resources. The client is put back to the last set that it took wholly and
//     is not sent a set with the refused content while that is published, also when it comes back; a client that took none yet
//     gets the rest.
//   - No client holds up another one, nor Publish.
//   - A follower has of another server whole sets only, is no proxy to it, and can serve what it has, byte for byte, to proxies
//     that have no listeners.
//
// It knows Envoy's resource types and nothing of what they are made from.
package xds
