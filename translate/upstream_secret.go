package translate

import (
	resourcev3 "github.com/envoyproxy/go-control-plane/pkg/resource/v3"

	"github.com/weirproxy/weir/model"
)

// What is read from files goes to Envoy as secrets beside the cluster, so that a renewed file leaves the cluster and its
// connections alone.

func upstreamCAName(upstream string) string     { return UpstreamCluster(upstream) + "/ca" }
func upstreamClientName(upstream string) string { return UpstreamCluster(upstream) + "/client" }

// verificationOf is what an upstream's tls block says.
func verificationOf(u *model.Upstream) verification {
	v := verification{http2: u.Protocol.HTTP2()}
	if u.TLS == nil {
		return v
	}
	v.insecure, v.version = u.TLS.InsecureSkipVerify, u.TLS.MinVersion
	if u.TLS.CA != nil {
		v.ca = upstreamCAName(u.Name)
	}
	if u.TLS.Client != nil {
		v.client = upstreamClientName(u.Name)
	}
	return v
}

// upstreamSecrets are what the cluster of an upstream refers to.
func upstreamSecrets(u *model.Upstream) []Resource {
	var out []Resource
	v := verificationOf(u)
	if v.ca != "" && !v.insecure {
		out = append(out, Resource{resourcev3.SecretType, v.ca, caSecret(v.ca, u.TLS.CA), u.TLS.Place})
	}
	if v.client != "" {
		out = append(out, Resource{resourcev3.SecretType, v.client, certificateSecret(v.client, *u.TLS.Client), u.TLS.Place})
	}
	return out
}
