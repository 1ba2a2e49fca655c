package xds

import (
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/proto"
)

// warmth is what a client does before a cluster serves, once it has the endpoints.
type warmth struct {
	more  bool          // it does not serve as soon as its endpoints are taken
	takes time.Duration // what the client may wait for besides answers of this server
}

// warmthOf finds what makes an Envoy warm a cluster further: a first health check of each endpoint, and secrets that it asks
// for over this stream.
func warmthOf(c *clusterv3.Cluster) warmth {
	out := warmth{more: fetchesSecrets(c.GetTransportSocket())}
	for _, match := range c.GetTransportSocketMatches() {
		out.more = out.more || fetchesSecrets(match.GetTransportSocket())
	}
	for _, check := range c.GetHealthChecks() {
		out.more, out.takes = true, max(out.takes, check.GetTimeout().AsDuration())
	}
	return out
}

func fetchesSecrets(socket *corev3.TransportSocket) bool {
	context := &tlsv3.UpstreamTlsContext{}
	if packed := socket.GetTypedConfig(); packed == nil || !packed.MessageIs(context) || proto.Unmarshal(packed.Value, context) != nil {
		return false
	}
	common := context.GetCommonTlsContext()
	secrets := append(common.GetTlsCertificateSdsSecretConfigs(), common.GetValidationContextSdsSecretConfig(),
		common.GetCombinedValidationContext().GetValidationContextSdsSecretConfig())
	for _, secret := range secrets {
		if secret.GetSdsConfig().GetAds() != nil {
			return true
		}
	}
	return false
}
