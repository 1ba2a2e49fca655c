package main

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/weirproxy/weir/admin"
	"github.com/weirproxy/weir/model"
	"github.com/weirproxy/weir/translate"
)

func TestBlame(t *testing.T) {
	at := func(line int) model.Place { return model.PlaceAt("main.hcl", line, 1) }
	resources := []translate.Resource{
		{Type: resource.ClusterType, Name: "upstream/orders", Place: at(1)},
		{Type: resource.ClusterType, Name: "upstream/orders_old", Place: at(2)},
		{Type: resource.ListenerType, Name: "http", Place: at(3)},
		{Type: resource.RouteType, Name: "http", Place: at(4)},
		{Type: resource.RouteType, Name: "https", Place: at(5)},
	}
	c := &model.Configuration{Services: map[string]*model.Service{
		"shop": {Name: "shop", APIs: map[string]*model.API{"get": {Name: "get", Place: at(6)}}},
	}}
	for name, test := range map[string]struct {
		typeURL string
		refused []string
		words   string
		want    model.Place
	}{
		"its name":             {resource.ClusterType, nil, "Error adding/updating cluster(s) upstream/orders: bad", at(1)},
		"a longer name":        {resource.ClusterType, nil, "Error adding/updating cluster(s) upstream/orders_old: bad", at(2)},
		"in quotes":            {resource.ClusterType, nil, "cluster 'upstream/orders' is bad", at(1)},
		"another type's":       {resource.RouteType, nil, "route: unknown cluster 'upstream/orders'", at(1)},
		"an API's":             {resource.RouteType, nil, "route shop/get: bad", at(6)},
		"of any type":          {"", nil, "cluster 'upstream/orders_old' is bad", at(2)},
		"one was refused":      {resource.RouteType, []string{"https"}, "something is bad", at(5)},
		"the type has one":     {resource.ListenerType, nil, "something is bad", at(3)},
		"one of those refused": {resource.RouteType, []string{"http", "https"}, "https: bad", at(5)},
		"nothing to go by":     {resource.ClusterType, nil, "something is bad", model.Place{}},
		"part of a word":       {resource.RouteType, nil, "an http2 option is bad", model.Place{}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := blame(test.typeURL, test.refused, test.words, placesOf(resources), c); !got.Equal(test.want) {
				t.Errorf("blamed %v, want %v", got, test.want)
			}
		})
	}
}

// proxy is an Envoy as far as weir can tell: a delta ADS client that takes or refuses listeners.
func proxy(t *testing.T, address, instance string, refuse func(r *discoveryv3.DeltaDiscoveryResponse) string) {
	t.Helper()
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stream, err := discoveryv3.NewAggregatedDiscoveryServiceClient(connection).DeltaAggregatedResources(ctx)
	if err != nil {
		t.Fatal(err)
	}
	node := &corev3.Node{Id: "n1", Cluster: instance}
	for _, r := range []*discoveryv3.DeltaDiscoveryRequest{
		{Node: node, TypeUrl: resource.ListenerType},
		{TypeUrl: resource.ScopedRouteType},
		{TypeUrl: resource.RouteType, ResourceNamesSubscribe: []string{"0.0.0.0:8080", "0.0.0.0:8081"}},
	} {
		if err := stream.Send(r); err != nil {
			t.Fatal(err)
		}
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			r, err := stream.Recv()
			if err != nil {
				return
			}
			answer := &discoveryv3.DeltaDiscoveryRequest{TypeUrl: r.TypeUrl, ResponseNonce: r.Nonce}
			if words := refuse(r); words != "" {
				answer.ErrorDetail = &statuspb.Status{Code: 3, Message: words}
			}
			if stream.Send(answer) != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		stop()
		<-ended
		_ = connection.Close()
	})
}

// listensAt says whether a response holds a listener at a port.
func listensAt(r *discoveryv3.DeltaDiscoveryResponse, port uint32) bool {
	for _, one := range r.Resources {
		var l listenerv3.Listener
		if one.Resource.UnmarshalTo(&l) == nil && l.GetAddress().GetSocketAddress().GetPortValue() == port {
			return true
		}
	}
	return false
}

func TestRefusedByAnEnvoy(t *testing.T) {
	dir := directory(t, gateway("one"))
	w := serve(t, dir)
	first := w.awaitAttempt(time.Time{}, admin.Applied)
	proxy(t, w.xds, "edge", func(r *discoveryv3.DeltaDiscoveryResponse) string {
		if listensAt(r, 8081) {
			return "Error adding/updating listener(s) http: cannot bind"
		}
		return ""
	})
	w.await("the proxy is connected and current", func() bool {
		s := w.current()
		return len(s.Instances[0].Proxies) == 1 && s.Instances[0].Proxies[0].Current
	})

	write(t, dir, strings.Replace(gateway("one"), "8080", "8081", 1))
	second := w.awaitAttempt(first.LastAttempt.At, admin.Refused)
	if !strings.Contains(second.LastAttempt.Error, "main.hcl:4") || !strings.Contains(second.LastAttempt.Error, "cannot bind") {
		t.Errorf("the attempt says %q", second.LastAttempt.Error)
	}
	if second.Generation != first.Generation || second.Instances[0].Listeners[0].Port != 8080 || second.LastAttempt.Generation == first.Generation {
		t.Errorf("what all Envoys refuse is not withdrawn: %+v", second)
	}
	if p := second.Instances[0].Proxies[0]; !p.Current || p.Types[0].Refused != nil {
		t.Errorf("the Envoy is not back where it was: %+v", p)
	}
	lines := w.logged("an Envoy refused the configuration")
	if len(lines) != 1 || lines[0]["line"] != 4.0 || lines[0]["node"] != "n1" || lines[0]["type"] != "Listener" {
		t.Errorf("logged %v", lines)
	}
	if r := w.reload(); r.status != 1 || !strings.HasPrefix(r.stdout, "refused") || !strings.Contains(r.stderr, "cannot bind") {
		t.Errorf("a reload of what is refused: %+v", r)
	}

	write(t, dir, gateway("one"))
	third := w.awaitAttempt(second.LastAttempt.At, admin.Unchanged)
	write(t, dir, strings.Replace(gateway("two"), "8080", "8082", 1))
	w.awaitAttempt(third.LastAttempt.At, admin.Applied)
}

// Envoy's words may quote what they are about. What came from a sensitive variable is hidden wherever they are told.
func TestRefusalHidesWhatIsSensitive(t *testing.T) {
	const secret = "hunter2-hunter2"
	text := "variable \"token\" {\n  sensitive = true\n  default = \"" + secret + "\"\n}\n" +
		strings.Replace(gateway("one"), `"one"`, "var.token", 1)
	dir := directory(t, text)
	w := serve(t, dir)
	first := w.awaitAttempt(time.Time{}, admin.Applied)
	proxy(t, w.xds, "edge", func(r *discoveryv3.DeltaDiscoveryResponse) string {
		if listensAt(r, 8081) {
			return "cannot bind, and the answer is " + secret
		}
		return ""
	})
	// A second one takes all, so that the refusal stays where it is seen.
	proxy(t, w.xds, "edge", func(*discoveryv3.DeltaDiscoveryResponse) string { return "" })
	w.await("the proxies are connected and current", func() bool {
		proxies := w.current().Instances[0].Proxies
		return len(proxies) == 2 && proxies[0].Current && proxies[1].Current
	})
	write(t, dir, strings.Replace(text, "8080", "8081", 1))
	second := w.awaitAttempt(first.LastAttempt.At, admin.Refused)
	told := fmt.Sprint(second.LastAttempt.Error, w.logged("an Envoy refused the configuration"), w.logged("configuration refused by an Envoy; mend it, or remove the cause and run weir reload"))
	for _, p := range second.Instances[0].Proxies {
		for _, of := range p.Types {
			if of.Refused != nil {
				told += of.Refused.Message
			}
		}
	}
	if n := strings.Count(told, "cannot bind, and the answer is (sensitive)"); n != 4 || strings.Contains(told, secret) {
		t.Errorf("told %d times: %s", n, told)
	}
}

// What was withdrawn is not sent again with edits that hold it still, and the edit that mends it is live.
func TestEditsOfWhatIsWithdrawn(t *testing.T) {
	dir := directory(t, gateway("one"))
	w := serve(t, dir)
	s := w.awaitAttempt(time.Time{}, admin.Applied)
	var offered atomic.Int32
	proxy(t, w.xds, "edge", func(r *discoveryv3.DeltaDiscoveryResponse) string {
		if listensAt(r, 8081) {
			offered.Add(1)
			return "Error adding/updating listener(s) http: cannot bind\n"
		}
		return ""
	})
	w.await("the proxy is current", func() bool {
		p := w.current().Instances[0].Proxies
		return len(p) == 1 && p[0].Current
	})
	for edit, above := range []string{"", "# a comment\n", "\n\n", "\n\n\n"} {
		write(t, dir, above+strings.Replace(gateway([]string{"one", "one", "two", "three"}[edit]), "8080", "8081", 1))
		place := fmt.Sprintf("main.hcl:%d: ", 4+strings.Count(above, "\n"))
		served := s.Generation
		s = w.awaitAttempt(s.LastAttempt.At, admin.Refused)
		if text := s.Instances[0].Withdrawn; !strings.Contains(text, place) || !strings.HasSuffix(text, "cannot bind") || text != s.LastAttempt.Error {
			t.Errorf("edit %d: %q is withdrawn, and the attempt says %q", edit, text, s.LastAttempt.Error)
		}
		if s.Generation != served || offered.Load() != 1 {
			t.Errorf("edit %d: %s serves, and served %s; what was refused was sent %d times", edit, s.Generation, served, offered.Load())
		}
	}
	write(t, dir, gateway("three"))
	if s = w.awaitAttempt(s.LastAttempt.At, admin.Applied); s.Instances[0].Withdrawn != "" || !s.Instances[0].Proxies[0].Current {
		t.Errorf("%+v", s)
	}
}

// An edit that is refused comes before the Envoy has answered the one before it: what goes back is the refused one alone.
func TestRefusedBehindAnEditThatWaits(t *testing.T) {
	dir := directory(t, gateway("one"))
	w := serve(t, dir)
	s := w.awaitAttempt(time.Time{}, admin.Applied)
	hold, asked := make(chan struct{}), make(chan struct{}, 8)
	proxy(t, w.xds, "edge", func(r *discoveryv3.DeltaDiscoveryResponse) string {
		if listensAt(r, 8081) {
			asked <- struct{}{}
			<-hold
		}
		if listensAt(r, 8082) {
			return "cannot bind"
		}
		return ""
	})
	w.await("the proxy is current", func() bool {
		p := w.current().Instances[0].Proxies
		return len(p) == 1 && p[0].Current
	})
	write(t, dir, strings.Replace(gateway("one"), "8080", "8081", 1))
	<-asked
	write(t, dir, strings.Replace(gateway("one"), "8080", "8082", 1))
	waits := w.awaitAttempt(s.LastAttempt.At, admin.Applied) // it has made room for the next one
	close(hold)
	s = w.awaitAttempt(waits.LastAttempt.At, admin.Refused)
	if s.Generation != waits.LastAttempt.Generation || s.Instances[0].Proxies[0].Types[0].Refused != nil {
		t.Errorf("%+v", s)
	}
}

// One that was there before the refusal stays; there is nothing to go back to, and another one may take it.
func TestRefusedAtFirst(t *testing.T) {
	dir := directory(t, gateway("one"))
	w := serve(t, dir)
	first := w.awaitAttempt(time.Time{}, admin.Applied)
	refuse := func(r *discoveryv3.DeltaDiscoveryResponse) string {
		if listensAt(r, 8080) {
			return "Error adding/updating listener(s) http: cannot bind"
		}
		return ""
	}
	proxy(t, w.xds, "edge", refuse)
	w.await("the refusal is shown", func() bool {
		s := w.current()
		if len(s.Instances[0].Proxies) != 1 || s.Generation != first.Generation {
			return false
		}
		p := s.Instances[0].Proxies[0]
		return !p.Current && len(p.Types) > 0 && p.Types[0].Refused != nil && p.Types[0].Refused.Place.Line == 4
	})
	if r := w.reload(); r.status != 1 || !strings.HasPrefix(r.stdout, "refused") {
		t.Errorf("a reload of what is refused: %+v", r)
	}
	last := w.current().LastAttempt
	write(t, dir, strings.Replace(gateway("one"), "8080", "8081", 1))
	w.awaitAttempt(last.At, admin.Applied)
}

// What one of two Envoys takes is not withdrawn, and the outcome is refused all the same.
func TestRefusedByOneOfTwo(t *testing.T) {
	dir := directory(t, gateway("one"))
	w := serve(t, dir)
	first := w.awaitAttempt(time.Time{}, admin.Applied)
	proxy(t, w.xds, "edge", func(r *discoveryv3.DeltaDiscoveryResponse) string {
		if listensAt(r, 8081) {
			return "cannot bind"
		}
		return ""
	})
	proxy(t, w.xds, "edge", func(*discoveryv3.DeltaDiscoveryResponse) string { return "" })
	w.await("both are current", func() bool {
		p := w.current().Instances[0].Proxies
		return len(p) == 2 && p[0].Current && p[1].Current
	})
	write(t, dir, strings.Replace(gateway("one"), "8080", "8081", 1))
	s := w.awaitAttempt(first.LastAttempt.At, admin.Refused)
	if s.Generation == first.Generation || s.Generation != s.LastAttempt.Generation || s.Instances[0].Listeners[0].Port != 8081 {
		t.Errorf("%+v", s)
	}
	p := s.Instances[0].Proxies
	if p[0].Current == p[1].Current {
		t.Errorf("%+v", p)
	}
}

func TestAppliedWhenTheEnvoysHaveIt(t *testing.T) {
	dir := directory(t, gateway("one"))
	w := serve(t, dir)
	first := w.awaitAttempt(time.Time{}, admin.Applied)
	hold, asked := make(chan struct{}), make(chan struct{}, 8)
	proxy(t, w.xds, "edge", func(r *discoveryv3.DeltaDiscoveryResponse) string {
		if listensAt(r, 8081) {
			asked <- struct{}{}
			<-hold
		}
		return ""
	})
	w.await("the proxy is connected and current", func() bool {
		s := w.current()
		return len(s.Instances[0].Proxies) == 1 && s.Instances[0].Proxies[0].Current
	})
	write(t, dir, strings.Replace(gateway("one"), "8080", "8081", 1))
	<-asked
	if s := w.current(); s.LastAttempt.At.After(first.LastAttempt.At) {
		t.Error("the attempt has ended although the proxy has not answered")
	}
	released := time.Now()
	close(hold)
	w.awaitAttempt(first.LastAttempt.At, admin.Applied)
	if took := time.Since(released); took > settleWithin {
		t.Errorf("the outcome came %v after the proxy's answer", took)
	}
	stray := "nowhere"
	proxy(t, w.xds, stray, func(*discoveryv3.DeltaDiscoveryResponse) string { return "" })
	w.await("the stray is shown", func() bool {
		s := w.current()
		return len(s.Strays) == 1 && s.Strays[0].Instance == stray
	})
}
