package main

import (
	"strings"
	"testing"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"

	"github.com/weirproxy/weir/admin"
)

// The three states of an Envoy, as status prints them and as wait judges them.
func TestStatusAndWait(t *testing.T) {
	dir := directory(t, gateway("one"))
	w := serve(t, dir)
	first := w.awaitAttempt(time.Time{}, admin.Applied)
	ask := func(command string, args ...string) result {
		return weir(append([]string{command, "--admin-address", w.admin}, args...)...)
	}
	if r := ask("status"); r.status != 0 || !strings.Contains(r.stdout, "none is connected") || !strings.Contains(r.stdout, first.Generation) {
		t.Errorf("without an Envoy: %+v", r)
	}
	if r := ask("wait"); r.status != 0 || r.stdout != first.Generation+" is live in 0 Envoys\n" {
		t.Errorf("without an Envoy: %+v", r)
	}
	if r := ask("wait", "--proxies", "1", "--timeout", "100ms"); r.status != 1 || !strings.Contains(r.stderr, "0 Envoys connected, not 1") {
		t.Errorf("an Envoy that is not there: %+v", r)
	}

	hold, asked := make(chan struct{}), make(chan struct{}, 8)
	proxy(t, w.xds, "edge", func(r *discoveryv3.DeltaDiscoveryResponse) string {
		switch {
		case listensAt(r, 8081):
			asked <- struct{}{}
			<-hold
		case listensAt(r, 8082):
			return "Error adding/updating listener(s) http: cannot bind"
		}
		return ""
	})
	if r := ask("wait", "--proxies", "1"); r.status != 0 || r.stdout != first.Generation+" is live in 1 Envoy\n" {
		t.Errorf("one Envoy: %+v", r)
	}
	if r := ask("status"); !strings.Contains(r.stdout, "current") {
		t.Errorf("one Envoy: %+v", r)
	}

	write(t, dir, strings.Replace(gateway("one"), "8080", "8081", 1))
	<-asked
	if r := ask("status"); !strings.Contains(r.stdout, "behind") {
		t.Errorf("an Envoy that has not answered: %+v", r)
	}
	if r := ask("wait", "--timeout", "100ms"); r.status != 1 || !strings.Contains(r.stderr, "n1 of instance edge lacks it") {
		t.Errorf("an Envoy that has not answered: %+v", r)
	}
	close(hold)
	second := w.awaitAttempt(first.LastAttempt.At, admin.Applied)
	if r := ask("wait", "--generation", second.Generation); r.status != 0 {
		t.Errorf("after the answer: %+v", r)
	}
	if r := ask("wait", "--generation", first.Generation, "--timeout", "100ms"); r.status != 1 || !strings.Contains(r.stderr, "serves, not "+first.Generation) {
		t.Errorf("a generation of the past: %+v", r)
	}

	write(t, dir, strings.Replace(gateway("one"), "8080", "8082", 1))
	third := w.awaitAttempt(second.LastAttempt.At, admin.Refused)
	if r := ask("wait", "--timeout", "0s"); r.status != 1 || !strings.Contains(r.stderr, "refused") || !strings.Contains(r.stderr, "main.hcl:4") {
		t.Errorf("a refusal: %+v", r)
	}
	if r := ask("status"); r.status != 0 || !strings.Contains(r.stdout, "The last attempt was refused:") || !strings.Contains(r.stdout, "Withdrawn from instance edge, whose Envoys keep what they had:\n"+dir+"/main.hcl:4") || !strings.Contains(r.stdout, `run "weir reload"`) {
		t.Errorf("a refusal: %+v", r)
	}
	if r := ask("wait", "--generation", third.LastAttempt.Generation, "--timeout", "0s"); r.status != 1 {
		t.Errorf("the generation that was refused: %+v", r)
	}

	write(t, dir, "nonsense {\n")
	w.awaitAttempt(third.LastAttempt.At, admin.Invalid)
	if r := ask("wait", "--timeout", "0s"); r.status != 1 || !strings.Contains(r.stderr, "the last attempt was invalid") {
		t.Errorf("mistakes: %+v", r)
	}
}

func TestAgo(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 12 * time.Millisecond: "12ms", 45 * time.Second: "45s", 90 * time.Second: "1m30s",
		3*time.Hour + 12*time.Minute: "3h12m", 50 * time.Hour: "2d2h",
	} {
		if got := ago(now, now.Add(-d)); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}
