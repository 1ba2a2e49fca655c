package xds

import (
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
)

func TestWarmth(t *testing.T) {
	overADS := &tlsv3.SdsSecretConfig{Name: "a", SdsConfig: &corev3.ConfigSource{
		ConfigSourceSpecifier: &corev3.ConfigSource_Ads{Ads: &corev3.AggregatedConfigSource{}},
	}}
	socket := func(common *tlsv3.CommonTlsContext) *corev3.TransportSocket {
		packed, err := anypb.New(&tlsv3.UpstreamTlsContext{CommonTlsContext: common})
		if err != nil {
			t.Fatal(err)
		}
		return &corev3.TransportSocket{ConfigType: &corev3.TransportSocket_TypedConfig{TypedConfig: packed}}
	}
	combined := func(secret *tlsv3.SdsSecretConfig) *tlsv3.CommonTlsContext {
		return &tlsv3.CommonTlsContext{ValidationContextType: &tlsv3.CommonTlsContext_CombinedValidationContext{
			CombinedValidationContext: &tlsv3.CommonTlsContext_CombinedCertificateValidationContext{ValidationContextSdsSecretConfig: secret},
		}}
	}
	certificate := &tlsv3.CommonTlsContext{TlsCertificateSdsSecretConfigs: []*tlsv3.SdsSecretConfig{overADS}}
	for name, test := range map[string]struct {
		cluster *clusterv3.Cluster
		want    warmth
	}{
		"plain":           {&clusterv3.Cluster{}, warmth{}},
		"verified":        {&clusterv3.Cluster{TransportSocket: socket(combined(&tlsv3.SdsSecretConfig{Name: "static"}))}, warmth{}},
		"CA over ADS":     {&clusterv3.Cluster{TransportSocket: socket(combined(overADS))}, warmth{more: true}},
		"own certificate": {&clusterv3.Cluster{TransportSocket: socket(certificate)}, warmth{more: true}},
		"by match": {&clusterv3.Cluster{TransportSocketMatches: []*clusterv3.Cluster_TransportSocketMatch{
			{TransportSocket: socket(&tlsv3.CommonTlsContext{})}, {TransportSocket: socket(certificate)},
		}}, warmth{more: true}},
		"checked": {&clusterv3.Cluster{HealthChecks: []*corev3.HealthCheck{{Timeout: durationpb.New(5 * time.Second)}}}, warmth{true, 5 * time.Second}},
	} {
		if got := warmthOf(test.cluster); got != test.want {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}
