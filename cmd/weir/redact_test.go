package main

import (
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/weirproxy/weir/translate"
)

func inline(text string) *corev3.DataSource {
	return &corev3.DataSource{Specifier: &corev3.DataSource_InlineBytes{InlineBytes: []byte(text)}}
}

func TestRenderHidesKeys(t *testing.T) {
	certificate := &tlsv3.TlsCertificate{CertificateChain: inline("chain"), PrivateKey: inline("secret key"), Password: inline("secret word")}
	secret := &tlsv3.Secret{Name: "tls/edge", Type: &tlsv3.Secret_TlsCertificate{TlsCertificate: certificate}}
	context, err := anypb.New(&tlsv3.UpstreamTlsContext{CommonTlsContext: &tlsv3.CommonTlsContext{TlsCertificates: []*tlsv3.TlsCertificate{certificate}}})
	if err != nil {
		t.Fatal(err)
	}
	nested := &corev3.TransportSocket{Name: "tls", ConfigType: &corev3.TransportSocket_TypedConfig{TypedConfig: context}}
	mapped := &corev3.Metadata{TypedFilterMetadata: map[string]*anypb.Any{"x": context}}
	generic := &tlsv3.Secret{Type: &tlsv3.Secret_GenericSecret{GenericSecret: &tlsv3.GenericSecret{Secret: inline("secret token")}}}
	for name, message := range map[string]proto.Message{"secret": secret, "inside of Any": nested, "in a map": mapped, "generic": generic} {
		t.Run(name, func(t *testing.T) {
			before := proto.Clone(message)
			document, err := render("edge", []translate.Resource{{Name: name, Message: message}})
			if err != nil {
				t.Fatal(err)
			}
			text := string(document.Resources[0].Resource)
			// "c2VjcmV0" is "secret" in base64.
			if strings.Contains(text, "c2VjcmV0") || !strings.Contains(text, redacted) {
				t.Error(text)
			}
			if name != "generic" && !strings.Contains(text, "Y2hhaW4=") {
				t.Errorf("the certificate is not shown: %s", text)
			}
			if !proto.Equal(before, message) {
				t.Error("the message itself was changed")
			}
		})
	}
}

// An Any of nothing is how a route switches on a filter whose configuration is the listener's.
func TestRenderTakesAnAnyOfNothing(t *testing.T) {
	on, err := anypb.New(&routev3.FilterConfig{Config: &anypb.Any{}})
	if err != nil {
		t.Fatal(err)
	}
	message := &routev3.RouteConfiguration{Name: "r", TypedPerFilterConfig: map[string]*anypb.Any{"x": on}}
	document, err := render("edge", []translate.Resource{{Name: "r", Message: message}})
	if err != nil || !strings.Contains(string(document.Resources[0].Resource), `"config":{}`) {
		t.Errorf("%v: %+v", err, document)
	}
}
