// Command weir is a control plane for Envoy: a person writes HCL, weir translates it and serves it over ADS.
//
// It promises that data goes to standard output and everything else to standard error, that an error is printed
// once, and that the exit status is 0 for done, 1 for failed, invalid, misused or timed out, and 2 only where
// --check or --exit-code asked whether there are differences.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
}

// The exit statuses.
const (
	statusDone      = 0
	statusFailed    = 1
	statusDifferent = 2
)

// run is the whole program. It ends when the command is done, or soon after ctx is.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, environ []string) (status int) {
	a := &app{stdin: stdin, stdout: stdout, stderr: &lockedWriter{w: stderr}, environ: environ}
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(a.stderr, "weir: this is a mistake in weir, please report it: %v\n\n%s", p, debug.Stack())
			status = statusFailed
		}
	}()
	root := a.command()
	root.SetArgs(args)
	return a.report(root.ExecuteContext(ctx))
}

// exit is an error that says nothing more: everything was printed, only the status is left.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// usageError is a command that was called wrongly.
type usageError struct {
	command string // "weir validate"
	err     error
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// report prints an error, the only place that does, and turns it into the exit status.
func (a *app) report(err error) int {
	var (
		status exit
		usage  *usageError
	)
	switch {
	case err == nil:
		return statusDone
	case errors.As(err, &status):
		return int(status)
	case errors.Is(err, syscall.EPIPE):
		return statusFailed // the reader has seen enough: `weir render | head`
	case errors.As(err, &usage):
		fmt.Fprintf(a.stderr, "weir: %v\nRun \"%s --help\" for usage.\n", err, usage.command)
	default:
		fmt.Fprintf(a.stderr, "weir: %s\n", strings.TrimRight(err.Error(), "\n"))
	}
	return statusFailed
}
