package xds

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	statusv3 "github.com/envoyproxy/go-control-plane/envoy/service/status/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/anypb"
)

const key = "the key that nobody may see"

func certificate() *tlsv3.TlsCertificate {
	return &tlsv3.TlsCertificate{PrivateKey: &corev3.DataSource{Specifier: &corev3.DataSource_InlineString{InlineString: key}}}
}

// statuses asks for the clients whose id starts with a prefix and writes them down.
func (f *fixture) statuses(t *testing.T, prefix string) (lines string, r *statusv3.ClientStatusResponse) {
	t.Helper()
	r, err := statusv3.NewClientStatusDiscoveryServiceClient(f.dial(t)).FetchClientStatus(context.Background(), &statusv3.ClientStatusRequest{
		NodeMatchers: []*matcherv3.NodeMatcher{{NodeId: &matcherv3.StringMatcher{
			MatchPattern: &matcherv3.StringMatcher_Prefix{Prefix: prefix},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, c := range r.GetConfig() {
		for _, x := range c.GetGenericXdsConfigs() {
			k, _ := kindOf(x.GetTypeUrl())
			out = append(out, fmt.Sprintf("%s %s %s %s", kindNames[k], x.GetName(), x.GetConfigStatus(), x.GetErrorState().GetDetails()))
		}
	}
	return strings.Join(out, "\n"), r
}

// awaitStatuses asks until the answer is what is wanted: the last request of quiet is not answered, and may be on its way.
func (f *fixture) awaitStatuses(t *testing.T, prefix, want string) *statusv3.ClientStatusResponse {
	t.Helper()
	var got string
	var r *statusv3.ClientStatusResponse
	for end := time.Now().Add(deadline); ; time.Sleep(2 * time.Millisecond) {
		if got, r = f.statuses(t, prefix); got == want {
			return r
		}
		if time.Now().After(end) {
			t.Fatalf("got\n%s\nwant\n%s", got, want)
		}
	}
}

func TestClientStatus(t *testing.T) {
	f := start(t, "tcp")
	secured := cluster("b", 0)
	packed, err := anypb.New(&tlsv3.UpstreamTlsContext{CommonTlsContext: &tlsv3.CommonTlsContext{TlsCertificates: []*tlsv3.TlsCertificate{certificate()}}})
	if err != nil {
		t.Fatal(err)
	}
	secured.TransportSocket = &corev3.TransportSocket{Name: "tls", ConfigType: &corev3.TransportSocket_TypedConfig{TypedConfig: packed}}
	set := append(shop("a", upstream("a", 0, 1), one(secured, assignment("b", "127.0.0.1", 2))), &tlsv3.Secret{
		Name: "s", Type: &tlsv3.Secret_TlsCertificate{TlsCertificate: certificate()},
	})
	f.publish(t, set...)
	c := f.delta(t, node("edge"))
	c.ask(secrets, "s", "nowhere")
	c.take("secrets: s -nowhere")
	c.settle()
	want := `clusters a SYNCED 
clusters b SYNCED 
endpoints a SYNCED 
endpoints b SYNCED 
secrets nowhere SYNCED 
secrets s SYNCED 
listeners http SYNCED 
routes http SYNCED `
	r := f.awaitStatuses(t, "te", want)
	if strings.Contains(r.String(), key) || !strings.Contains(r.String(), "connect_timeout") {
		t.Errorf("without contents, or with a private key: %s", r)
	}

	set[1] = assignment("a", "127.0.0.1", 11)
	set[0] = cluster("a", 1)
	f.publish(t, set...)
	c.nack(c.expect("clusters: a"), "it is bad")
	c.take("endpoints: a")
	c.expect("clusters: a") // what it had, not acknowledged
	c.take("endpoints: a")
	c.quiet()
	want = strings.Replace(want, "clusters a SYNCED ", "clusters a ERROR it is bad", 1)
	want = strings.Replace(want, "endpoints a SYNCED ", "endpoints a NOT_SENT ", 1)
	f.awaitStatuses(t, "test", want)
	if got, _ := f.statuses(t, "other"); got != "" {
		t.Errorf("of nobody: %s", got)
	}
}

func TestClientStatusRefuses(t *testing.T) {
	f := start(t, "tcp")
	stream, err := statusv3.NewClientStatusDiscoveryServiceClient(f.dial(t)).StreamClientStatus(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	ask := func(m *matcherv3.NodeMatcher) error {
		if err := stream.Send(&statusv3.ClientStatusRequest{NodeMatchers: []*matcherv3.NodeMatcher{m}}); err != nil {
			t.Fatal(err)
		}
		_, err := stream.Recv()
		return err
	}
	if err := ask(&matcherv3.NodeMatcher{}); err != nil {
		t.Error(err)
	}
	wantStatus(t, ask(&matcherv3.NodeMatcher{NodeMetadatas: []*matcherv3.StructMatcher{{}}}), codes.InvalidArgument, "node_id only")
}

func TestNodeMatchers(t *testing.T) {
	for _, c := range []struct {
		m       *matcherv3.StringMatcher
		matches string
		not     string
	}{
		{nil, "anything", ""},
		{&matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Exact{Exact: "a"}}, "a", "ab"},
		{&matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Exact{Exact: "A"}, IgnoreCase: true}, "a", "ab"},
		{&matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Prefix{Prefix: "a"}}, "ab", "ba"},
		{&matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Suffix{Suffix: "a"}}, "ba", "ab"},
		{&matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Contains{Contains: "a"}}, "bab", "b"},
		{&matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_SafeRegex{SafeRegex: &matcherv3.RegexMatcher{Regex: "a|b+"}}}, "bb", "ab"},
	} {
		match, err := matching([]*matcherv3.NodeMatcher{{NodeId: c.m}})
		if err != nil {
			t.Fatal(err)
		}
		if !match(c.matches) || c.not != "" && match(c.not) {
			t.Errorf("%v matches %q: %v, %q: %v", c.m, c.matches, match(c.matches), c.not, match(c.not))
		}
	}
	if _, err := matchingString(&matcherv3.StringMatcher{
		MatchPattern: &matcherv3.StringMatcher_SafeRegex{SafeRegex: &matcherv3.RegexMatcher{Regex: "("}},
	}); err == nil {
		t.Error("a regular expression that is none is taken")
	}
}
