package xds

import (
	"slices"
	"strings"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
)

// labelled is a cluster with maps in it, whose marshalled order is not that of the text.
func labelled(name string) *clusterv3.Cluster {
	c, fields := cluster(name, 0), map[string]*structpb.Value{}
	for _, key := range strings.Fields("the quick brown fox jumps over a lazy dog") {
		fields[key] = structpb.NewStringValue(key)
	}
	c.Metadata = &corev3.Metadata{FilterMetadata: map[string]*structpb.Struct{"x": {Fields: fields}, "y": {Fields: fields}}}
	return c
}

func TestHashIsOfContent(t *testing.T) {
	messages := func() []proto.Message {
		return append(shop("a", upstream("a", 0, 1), upstream("b", 0, 2)), labelled("c"), &tlsv3.Secret{Name: "s"})
	}
	base := snapshot(t, messages()...)
	for range 20 {
		m := messages()
		slices.Reverse(m)
		if got := snapshot(t, m...).Hash(); got != base.Hash() {
			t.Fatalf("%s for the content of %s", got, base.Hash())
		}
	}
	if len(base.Hash()) != 16 || base.Version("nonsense") != "" {
		t.Errorf("hash %q, version %q", base.Hash(), base.Version("nonsense"))
	}
	// A name and its neighbour do not flow into each other, and each type has its own version.
	ab := snapshot(t, &tlsv3.Secret{Name: "ab"}, &tlsv3.Secret{Name: "c"})
	bc := snapshot(t, &tlsv3.Secret{Name: "a"}, &tlsv3.Secret{Name: "bc"})
	if ab.Version(typeURLs[secrets]) == bc.Version(typeURLs[secrets]) || ab.Hash() == bc.Hash() {
		t.Error("two sets have one hash")
	}
	if ab.Version(typeURLs[clusters]) != bc.Version(typeURLs[clusters]) {
		t.Error("one set of clusters has two versions")
	}
}

func TestSetKeepsItsBytes(t *testing.T) {
	m := cluster("a", 0)
	s := snapshot(t, m)
	before := s.Hash()
	m.Name = "b"
	if s.Hash() != before || s.trees[clusters].name != "a" {
		t.Error("a set follows its messages")
	}
}

func TestNewSetRefuses(t *testing.T) {
	for want, m := range map[string][]proto.Message{
		"cannot be published": {&bootstrapv3.Bootstrap{}},
		"a <nil>":             {nil},
		"without a name":      {cluster("a", 0), &clusterv3.Cluster{}},
		`are named "a"`:       {cluster("a", 0), cluster("a", 1)},
		"marshal":             {cluster("a\xff", 0)},
	} {
		if _, err := setOf(m...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestGeneration(t *testing.T) {
	a, b := snapshot(t, cluster("a", 0)), snapshot(t, cluster("b", 0))
	g := Generation(map[string]*Set{"x": a, "y": b})
	if len(g) != 12 || g != Generation(map[string]*Set{"y": b, "x": a}) {
		t.Errorf("generation %q", g)
	}
	for _, other := range []map[string]*Set{{"x": b, "y": a}, {"x": a}, {"x": a, "z": b}, {}} {
		if Generation(other) == g {
			t.Errorf("%v has the same generation", other)
		}
	}
}

func TestMentions(t *testing.T) {
	for _, c := range []struct {
		message, name string
		want          bool
	}{
		{"cluster upstream/a is bad", "upstream/a", true},
		{"upstream/a", "upstream/a", true},
		{"cluster 'upstream/ab' is bad", "upstream/a", false},
		{"cluster 'upstream/ab' and upstream/a: bad", "upstream/a", true},
		{"not-upstream/a", "upstream/a", false},
		{"", "a", false},
	} {
		if got := mentions(c.message, c.name); got != c.want {
			t.Errorf("mentions(%q, %q) = %v", c.message, c.name, got)
		}
	}
}

func TestCulprits(t *testing.T) {
	all := []string{"0.0.0.0:1", "0.0.0.0:1/udp", "0.0.0.0:2", "a", "b"}
	for message, want := range map[string]string{
		"listener(s) 0.0.0.0:1/udp: cannot bind '0.0.0.0:1': in use":                                         "0.0.0.0:1/udp",
		"listener(s) 0.0.0.0:1: cannot bind '0.0.0.0:1': in use\n0.0.0.0:2: cannot bind '0.0.0.0:2': in use": "0.0.0.0:1 0.0.0.0:2",
		"a: no such thing":         "a",
		"the cluster 'b' is not a": "b",
		"b is bad":                 "b",
		"nothing that is named":    "",
	} {
		var suspects []*Resource
		for _, name := range all {
			suspects = append(suspects, &Resource{name: name})
		}
		var got []string
		for _, r := range culprits(message, suspects) {
			got = append(got, r.name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q names %q, want %q", message, got, want)
		}
	}
}

func TestClip(t *testing.T) {
	for in, want := range map[string]string{"abc": "abc", "abcd": "abc…", "abé": "ab…", "": ""} {
		if got := clip(in, 3); got != want {
			t.Errorf("clip(%q) = %q, want %q", in, got, want)
		}
	}
}
