package main

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirproxy/weir/admin"
)

const reloadLong = `Has a running weir load its files now, waits, and prints how that ended:

  unchanged  the files ask for what serves already
  applied    the new configuration serves
  invalid    the files have mistakes, which are listed; the last good configuration serves on
  refused    an Envoy did not accept the new configuration
  failed     the files could not be read

The exit status is 0 for the first two and 1 for the others. A running weir sees every save by itself; this is for
file systems that tell nobody, and for scripts that want the outcome.`

func (a *app) reloadCommand() *cobra.Command {
	var address string
	cmd := &cobra.Command{
		Use:               "reload",
		Short:             "Have a running weir load its files now",
		Long:              reloadLong,
		Example:           "  weir reload --admin-address 127.0.0.1:18001",
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
		var attempt admin.Attempt
		err = c.call(cmd.Context(), http.MethodPost, "/api/v1/reload", &attempt,
			http.StatusUnprocessableEntity, http.StatusInternalServerError)
		if err != nil {
			return err
		}
		if attempt.Outcome == "" {
			return fmt.Errorf("weir at %s could not reload", c.address)
		}
		if output.value == "json" {
			err = writeJSON(a.stdout, attempt)
		} else {
			err = writeAttempt(a.stdout, a.stderr, attempt)
		}
		if err == nil && !attempt.Outcome.Good() {
			err = exit(statusFailed)
		}
		return err
	}
	return cmd
}

// writeAttempt prints the outcome as data, and what is wrong for the person who reads.
func writeAttempt(stdout, stderr io.Writer, a admin.Attempt) error {
	if a.Report != "" {
		fmt.Fprint(stderr, a.Report)
	}
	if a.Error != "" && a.Report == "" {
		fmt.Fprintln(stderr, a.Error)
	}
	line := string(a.Outcome)
	if a.Generation != "" {
		line += " " + a.Generation
	}
	_, err := fmt.Fprintf(stdout, "%s in %s\n", line, time.Duration(a.Took).Round(10*time.Microsecond))
	return err
}
