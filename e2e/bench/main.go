// Bench measures weir from outside: the built program, a real Envoy and requests through it, beside floors that no
// control plane can be below, all in one run on one machine. docs/benchmarks.md says what is measured and how.
//
// It promises that whatever it starts or writes is gone when it ends, that it is bounded in time, and that a figure which
// it could not measure is an error or missing, never invented. It imports no package of weir.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// options are what the command line says.
type options struct {
	weir, envoy, module string
	sizes, apis         []int
	edits, starts       int
	only                []string
	output, domains     string
	rounds              int
	budget, round       time.Duration
	quiet               time.Duration // for how long memory stays as it is once it is settled
}

// parts are what -only chooses from.
var parts = []string{"edit", "start", "fleet", "throughput"}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the bench at once, and the kernel ends its children
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures what the arguments ask for and writes the report to stdout; progress goes to stderr.
func run(ctx context.Context, arguments []string, stdout, stderr io.Writer) error {
	o, err := parse(arguments, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	b, err := newBench(o, stderr)
	if err != nil {
		return err
	}
	defer b.close()
	r, err := b.measureAll(ctx)
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if err != nil {
		return err
	}
	return r.write(stdout, o.output)
}

func parse(arguments []string, stderr io.Writer) (options, error) {
	var o options
	var sizes, apis, only string
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.weir, "weir", "build/weir", "weir's `BINARY`")
	flags.StringVar(&o.envoy, "envoy", "envoy", "Envoy's `BINARY`")
	flags.StringVar(&o.module, "module", ".", "the `DIRECTORY` of weir's sources, for the fleet's benchmark")
	flags.StringVar(&sizes, "n", "1,100,1000,5000,10000", "`NUMBERS` of upstreams")
	flags.StringVar(&apis, "apis", "10,10000", "`FEW,MANY` APIs under one domain, for the throughput")
	flags.IntVar(&o.edits, "edits", 30, "edits of each kind; fewer where they outlast -budget")
	flags.DurationVar(&o.budget, "budget", time.Minute, "how long the edits of one kind may take; at least 5 are made")
	flags.IntVar(&o.starts, "starts", 3, "starts of each program")
	flags.IntVar(&o.rounds, "rounds", 5, "rounds of load, of which the best counts")
	flags.DurationVar(&o.round, "round", time.Second, "how long a round of load lasts")
	flags.DurationVar(&o.quiet, "settle", 2*time.Second, "for how long memory must stay as it is to count as settled")
	flags.StringVar(&only, "only", strings.Join(parts, ","), "`PARTS` to measure")
	flags.StringVar(&o.domains, "domains", "each", "`each` service has a domain of its own, or all have one")
	flags.StringVar(&o.output, "o", "text", "text, json or markdown")
	if err := flags.Parse(arguments); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unknown argument %q", flags.Arg(0))
	}
	var err error
	if o.sizes, err = numbers(sizes); err != nil {
		return o, fmt.Errorf("-n: %w", err)
	}
	slices.Sort(o.sizes)
	if o.apis, err = numbers(apis); err != nil || len(o.apis) != 2 {
		return o, fmt.Errorf("-apis %s: two numbers, few and many", apis)
	}
	o.only = strings.Split(only, ",")
	return o, o.check()
}

func (o *options) check() error {
	for _, part := range o.only {
		if !slices.Contains(parts, part) {
			return fmt.Errorf("-only %s: choose from %s", part, strings.Join(parts, ", "))
		}
	}
	if o.edits < 1 || o.starts < 1 || o.rounds < 1 {
		return errors.New("-edits, -starts and -rounds are at least 1")
	}
	if o.domains != "each" && o.domains != "one" {
		return fmt.Errorf("-domains %s: each or one", o.domains)
	}
	if !slices.Contains([]string{"text", "json", "markdown"}, o.output) {
		return fmt.Errorf("-o %s: text, json or markdown", o.output)
	}
	for name, binary := range map[string]*string{"weir": &o.weir, "envoy": &o.envoy} {
		path, err := exec.LookPath(*binary)
		if err != nil {
			return fmt.Errorf("-%s: %w", name, err)
		}
		*binary = path
	}
	return nil
}

// wants tells whether a part is to be measured.
func (o *options) wants(part string) bool { return slices.Contains(o.only, part) }

func numbers(text string) ([]int, error) {
	var all []int
	for _, word := range strings.Split(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(word))
		if err != nil || n < 1 || n > maxUpstreams {
			return nil, fmt.Errorf("%q is not a number from 1 to %d", word, maxUpstreams)
		}
		all = append(all, n)
	}
	return all, nil
}
