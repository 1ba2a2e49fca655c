package config

import (
	"fmt"
	"testing"
	"time"

	"github.com/weirproxy/weir/config/source"
)

// TestCirclesByEdits closes and opens circles of redirects by edits of one service at a time: a Loader sees them as a load from
// scratch does, also where the way out of one is taken away, and not the redirects.
func TestCirclesByEdits(t *testing.T) {
	const redirect = "  api %q {\n    path = %q\n    backend {\n      redirect { path = %q }\n    }\n  }\n"
	const guard = "  api \"guard\" {\n    path = \"/b\"\n    header \"x-a\" { present = true }\n    backend {\n      mock {}\n    }\n  }\n"
	service := func(name, apis string) string {
		return fmt.Sprintf("service %q {\n  instance = instance.edge\n  domains = [\"a.test\"]\n%s}\n", name, apis)
	}
	to := func(from, to string) string { return fmt.Sprintf(redirect, from[1:], from, to) }
	ld := NewLoader()
	for i, step := range []struct {
		one, two, three string
		circle          bool
	}{
		{to("/a", "/b"), to("/b", "/c"), "", false},
		{to("/a", "/b"), to("/b", "/a"), "", true},
		{to("/a", "/b"), to("/b", "/c"), to("/c", "/d"), false},
		{to("/a", "/b"), to("/b", "/c"), to("/c", "/a"), true},
		{to("/a", "/b"), to("/b", "/c"), to("/c", "/d"), false},
		{to("/a", "/b"), to("/b", "/c"), to("/c", "/d") + guard, false},
		{to("/a", "/b"), to("/b", "/a"), guard, false},
		{to("/a", "/b"), to("/b", "/a"), "", true},
		{to("/a", "/b"), to("/b", "/a"), guard, false},
		{to("/a", "/c"), to("/b", "/a"), "", false},
	} {
		text := "vpc \"v\" {}\ninstance \"edge\" {\n  vpc = vpc.v\n  listener \"http\" { port = 80 }\n}\n" +
			service("one", step.one) + service("two", step.two) + service("three", step.three)
		s := &source.Snapshot{Root: "/nowhere", Files: []source.File{{Name: "a.hcl", Bytes: []byte(text)}}}
		r := ld.Load(s, Options{Now: time.Now()})
		if r.HasErrors() != step.circle || r.built == step.circle {
			t.Errorf("step %d: errors %v, built on the last load %v: %v", i, r.HasErrors(), r.built, r.Diagnostics)
		}
	}
}
