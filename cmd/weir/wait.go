package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirproxy/weir/admin"
)

const waitLong = `Waits until a generation is live everywhere: it serves, and every connected Envoy of every instance has taken it.

Without --generation it is what weir loaded last; mistakes in the files, and a refusal by an Envoy, end the wait at
once with status 1. A save may be so fresh that weir has not seen it: "weir reload && weir wait" has the files loaded
first. An Envoy that is not connected is not waited for; --proxies says how many have to be there. A weir that is
started again meanwhile is waited for, and so are the Envoys that it had.

Exit status 0: live everywhere. 1: not within --timeout, or never; standard error says who lacks it and why.`

// How often a running weir is asked. Its answer costs it some microseconds for each Envoy.
const waitEvery = 50 * time.Millisecond

// waiting is what wait waits for.
type waiting struct {
	generation string
	proxies    int
	timeout    time.Duration
}

func (a *app) waitCommand() *cobra.Command {
	var (
		address string
		o       waiting
	)
	cmd := &cobra.Command{
		Use:               "wait",
		Short:             "Wait until a generation is live in every Envoy",
		Long:              waitLong,
		Example:           "  weir reload && weir wait --proxies 3 --timeout 10s",
		Args:              noArguments,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	adminFlag(cmd, &address)
	textFlag(cmd, &o.generation, "generation", "HASH", "the generation to wait for, as reload and status print it")
	cmd.Flags().IntVar(&o.proxies, "proxies", 0, "wait for a `COUNT` of Envoys at least, over all instances")
	cmd.Flags().DurationVar(&o.timeout, "timeout", 30*time.Second, "give up after this `TIME`; 0s: never")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := newAsker(address)
		if err != nil {
			return usage(cmd, err)
		}
		if o.timeout < 0 || o.proxies < 0 {
			return usage(cmd, errors.New("--timeout and --proxies are 0 or more"))
		}
		s, err := c.wait(cmd.Context(), o)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(a.stdout, "%s is live in %s\n", s.Generation, plural(proxyCount(s), "Envoy"))
		return err
	}
	return cmd
}

// wait asks until there is an answer, or no time left.
func (c *asker) wait(ctx context.Context, o waiting) (admin.Status, error) {
	if o.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.timeout)
		defer cancel()
	}
	ticker := time.NewTicker(waitEvery)
	defer ticker.Stop()
	var (
		lacks   string
		started time.Time // of the weir that answered last
		had     int       // Envoys, then
	)
	for {
		s, err := c.status(ctx)
		switch {
		case err == nil:
			if !s.StartedAt.Equal(started) {
				o.proxies = max(o.proxies, had)
			}
			if lacks, err = o.lacks(s); err != nil || lacks == "" {
				return s, err
			}
			started, had = s.StartedAt, proxyCount(s)
		case ctx.Err() != nil:
		case started.IsZero():
			return s, err
		default: // it answered before: it is being started again
			lacks = err.Error()
		}
		select {
		case <-ctx.Done():
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return s, ctx.Err()
			}
			if lacks == "" {
				lacks = "weir did not answer in time"
			}
			return s, fmt.Errorf("not live everywhere after %s: %s", o.timeout, lacks)
		case <-ticker.C:
		}
	}
}

// lacks says what there is to wait for, "" for nothing. An error says that it will not come.
func (o waiting) lacks(s admin.Status) (string, error) {
	last := s.LastAttempt
	concerns := last != nil && (o.generation == "" || last.Generation == o.generation)
	if concerns && !last.Outcome.Good() {
		why := last.Error
		if why == "" {
			why = "see weir status"
		}
		return "", fmt.Errorf("the last attempt %s: %s", last.Outcome.Told(), why)
	}
	switch {
	case !s.Ready:
		return "nothing is served yet", nil
	case o.generation != "" && s.Generation != o.generation:
		return fmt.Sprintf("generation %s serves, not %s", s.Generation, o.generation), nil
	}
	var behind []string
	for _, i := range s.Instances {
		for _, p := range i.Proxies {
			if p.Current {
				continue
			}
			name := printable(p.Node) + " of instance " + i.Name
			if proxyState(p) == "refused" {
				return "", fmt.Errorf("%s refuses it; weir status has its words", name)
			}
			behind = append(behind, name)
		}
	}
	if len(behind) > 0 {
		return strings.Join(behind, ", ") + " lacks it", nil
	}
	if n := proxyCount(s); n < o.proxies {
		return fmt.Sprintf("%s connected, not %d", plural(n, "Envoy"), o.proxies), nil
	}
	return "", nil
}

func proxyCount(s admin.Status) int {
	n := 0
	for _, i := range s.Instances {
		n += len(i.Proxies)
	}
	return n
}
