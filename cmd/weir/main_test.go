package main

import (
	"context"
	"io"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/cobra"
)

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("a sad reader") }

func TestPanicsEndWithAMessage(t *testing.T) {
	var stderr buffer
	status := run(context.Background(), []string{"validate", "-"}, panicking{}, io.Discard, &stderr, nil)
	if status != 1 || !strings.HasPrefix(stderr.String(), "weir: this is a mistake in weir, please report it: a sad reader\n") {
		t.Errorf("status %d\n%s", status, stderr.String())
	}
}

// closed is standard output whose reader went away, where that is no signal.
type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, syscall.EPIPE }

func TestBrokenPipeIsSilent(t *testing.T) {
	dir := directory(t, string(shortest))
	for _, args := range [][]string{
		{"render", dir}, {"upstreams", "--config", dir}, {"version"}, {"bootstrap", "--instance", "edge"}, {"validate", dir, "-o", "json"},
	} {
		var stderr buffer
		status := run(context.Background(), args, strings.NewReader(""), closed{}, &stderr, nil)
		if status != 1 || stderr.String() != "" {
			t.Errorf("%v: status %d, %q", args, status, stderr.String())
		}
	}
}

func TestEveryCommandHasHelp(t *testing.T) {
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		if c.Example == "" || c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: short %q, example %q", c.CommandPath(), c.Short, c.Example)
		}
		if strings.Contains(strings.TrimSpace(c.Example), "\n") || !strings.HasPrefix(c.Example, "  ") {
			t.Errorf("%s: one example, indented by two spaces, not %q", c.CommandPath(), c.Example)
		}
		for line := range strings.Lines(c.Long) {
			if len(line) > 120 {
				t.Errorf("%s: a line of %d characters in the help", c.CommandPath(), len(line))
			}
		}
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit(new(app).command())
}
