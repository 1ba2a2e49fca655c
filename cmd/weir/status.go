package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirproxy/weir/admin"
)

const statusLong = `Shows what a running weir serves, how its last attempt to load ended, and how far each Envoy is.

An Envoy is "current" when it has taken all that is published for its instance, "behind" while something is on its way
to it, and "refused" when it does not accept something: its words and the place in the files follow. Standbys ("weir
standby") that follow are listed with them.

The exit status is 0 whenever weir answers; "weir wait" is the command that judges.`

func (a *app) statusCommand() *cobra.Command {
	var address string
	cmd := &cobra.Command{
		Use:               "status",
		Short:             "Show what a running weir serves, and how far each Envoy is",
		Long:              statusLong,
		Example:           "  weir status --admin-address 127.0.0.1:18001",
		Args:              noArguments,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	adminFlag(cmd, &address)
	output := outputFlag(cmd, "text", "json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := newAsker(address)
		if err != nil {
			return usage(cmd, err)
		}
		s, err := c.status(cmd.Context())
		if err != nil {
			return err
		}
		if output.value == "json" {
			return writeJSON(a.stdout, s)
		}
		return writeStatus(a.stdout, s, time.Now())
	}
	return cmd
}

func (c *asker) status(ctx context.Context) (s admin.Status, err error) {
	err = c.call(ctx, http.MethodGet, "/api/v1/status", &s)
	return s, err
}

func writeStatus(w io.Writer, s admin.Status, now time.Time) error {
	t := table(w)
	row := func(name, value string) { fmt.Fprintf(t, "%s\t%s\n", name, printable(value)) }
	row("version", s.Version+", up "+ago(now, s.StartedAt))
	row("configuration", s.Configuration)
	if s.LoadedAt == nil {
		row("generation", "none: nothing is served yet")
	} else if s.Restored != nil {
		row("generation", s.Generation+", kept in the state directory since "+ago(now, s.Restored.LoadedAt)+" ago: the files cannot be loaded")
	} else {
		row("generation", s.Generation+", loaded "+ago(now, *s.LoadedAt)+" ago")
		row("serves", countsText(s.Counts))
	}
	if last := s.LastAttempt; last != nil {
		row("last attempt", string(last.Outcome)+", "+ago(now, last.At)+" ago")
	}
	row("xDS", s.XDSAddress)
	writeProxies(t, s, now)
	if err := t.Flush(); err != nil {
		return err
	}
	return writeTrouble(w, s)
}

func countsText(n admin.Counts) string {
	return fmt.Sprintf("%s, %s with %s, %s with %s", plural(n.Instances, "instance"), plural(n.Upstreams, "upstream"),
		plural(n.Nodes, "node"), plural(n.Services, "service"), plural(n.APIs, "API"))
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// writeProxies is a line for each Envoy, and one for each instance that has none.
func writeProxies(w io.Writer, s admin.Status, now time.Time) {
	if len(s.Instances) > 0 || len(s.Strays) > 0 {
		fmt.Fprintln(w, "\nINSTANCE\tENVOY\tADDRESS\tSTATE\tCONNECTED\tVERSION")
	}
	line := func(p admin.Proxy, state string) {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", printable(p.Instance), printable(p.Node), printable(p.Address), state,
			ago(now, p.ConnectedAt), printable(p.UserAgent))
	}
	for _, i := range s.Instances {
		if len(i.Proxies) == 0 {
			fmt.Fprintf(w, "%s\tnone is connected\t\t\t\t\n", i.Name)
		}
		for _, p := range i.Proxies {
			line(p, proxyState(p))
		}
		for _, p := range i.Standbys {
			line(p, "standby, "+proxyState(p))
		}
	}
	for _, p := range s.Strays {
		line(p, "no such instance")
	}
}

func proxyState(p admin.Proxy) string {
	for _, t := range p.Types {
		if t.Refused != nil {
			return "refused"
		}
	}
	if p.Current {
		return "current"
	}
	return "behind"
}

// writeTrouble prints what an operator has to act on: why the last attempt is not what serves, and each refusal.
func writeTrouble(w io.Writer, s admin.Status) error {
	if last := s.LastAttempt; last != nil && !last.Outcome.Good() {
		text := last.Report
		if text == "" {
			text = last.Error + "\n"
		}
		if _, err := fmt.Fprintf(w, "\nThe last attempt %s:\n%s", last.Outcome.Told(), text); err != nil {
			return err
		}
	}
	refused := false
	for _, i := range s.Instances {
		refused = refused || i.Withdrawn != ""
		if i.Withdrawn != "" {
			if _, err := fmt.Fprintf(w, "\nWithdrawn from instance %s, whose Envoys keep what they had:\n%s\n", i.Name, printable(i.Withdrawn)); err != nil {
				return err
			}
		}
		for _, p := range i.Proxies {
			for _, t := range p.Types {
				if t.Refused == nil {
					continue
				}
				refused = true
				if _, err := fmt.Fprintf(w, "\n%s\n", refusalLine(p, t)); err != nil {
					return err
				}
			}
		}
	}
	if !refused {
		return nil
	}
	_, err := fmt.Fprintln(w, refusedHint)
	return err
}

// refusedHint is what there is to do: an Envoy is not asked again by itself.
const refusedHint = `
What is refused is not sent again as it is. Mend it in the files. Where its cause lies elsewhere, such as a port that was
taken, remove that and run "weir reload".`

// refusalLine is "main.hcl:12: edge-1 of instance edge refuses Cluster upstream/a: WORDS".
func refusalLine(p admin.Proxy, t admin.ProxyType) string {
	text := fmt.Sprintf("%s of instance %s refuses a %s", printable(p.Node), p.Instance, t.Type)
	if len(t.Refused.Resources) == 1 {
		text += " " + t.Refused.Resources[0]
	}
	text += ": " + printable(t.Refused.Message)
	if place := placeText(t.Refused.Place); place != "" {
		text = place + ": " + text
	}
	return text
}

// ago is how long something has been, in the two largest units: "3h12m", "45s", "12ms".
func ago(now, then time.Time) string {
	d := max(0, now.Sub(then))
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%dd%dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Second:
		return d.Round(time.Second).String()
	}
	return d.Round(time.Millisecond).String()
}
