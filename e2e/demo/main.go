// Demo is what `make run` runs: three nodes, and weir with its Envoy in front of them. When all of it answers it prints
// what to call and which lines to edit. It ends, and everything with it, on Ctrl-C, on SIGTERM, or when weir ends.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// gateway is where examples/quickstart has Envoy listen.
const gateway = "127.0.0.1:8080"

// node is one backend of the demo.
type node struct{ name, address string }

// nodes are those that examples/quickstart names.
var nodes = []node{{"one", "127.0.0.1:9001"}, {"two", "127.0.0.1:9002"}, {"three", "127.0.0.1:9003"}}

// ports are all that the demo listens on, with who does.
var ports = []struct{ address, who string }{
	{gateway, "Envoy"},
	{nodes[0].address, "the first node"},
	{nodes[1].address, "the second node"},
	{nodes[2].address, "the third node"},
	{"127.0.0.1:18000", "weir, for Envoy"},
	{"127.0.0.1:18001", "weir, for status"},
}

// startTime bounds the time until the gateway answers.
const startTime = time.Minute

// stopTime is how long weir may take to finish what it does; it drains Envoy meanwhile.
const stopTime = 20 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the demo at once, and the kernel ends its children
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// run starts everything, waits until it is told to stop or weir ends, and stops everything.
func run(ctx context.Context, arguments []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	weir := flags.String("weir", "build/weir", "weir's `BINARY`")
	backend := flags.String("backend", "build/backend", "the `BINARY` of the nodes")
	config := flags.String("config", "examples/quickstart", "the `DIRECTORY` of the configuration")
	if err := flags.Parse(arguments); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	guide, err := newGuide(filepath.Join(*config, "weir.hcl"))
	if err != nil {
		return err
	}
	for _, port := range ports {
		if err := free(port.address, port.who); err != nil {
			return err
		}
	}
	for _, n := range nodes {
		child, err := start(stderr, *backend, "--address", n.address, "--name", n.name)
		if err != nil {
			return err
		}
		defer child.stop(time.Second)
	}
	child, err := start(stderr, *weir, "run", *config)
	if err != nil {
		return err
	}
	defer child.stop(stopTime)
	if err := answers(ctx, child, gateway); err != nil || ctx.Err() != nil {
		return err
	}
	guide.print(stdout)
	select {
	case <-child.done:
		return fmt.Errorf("weir has ended: %w", child.err())
	case <-ctx.Done():
		fmt.Fprintln(stdout, "\nstopping")
		return nil
	}
}

// free says who needs a port that somebody else has.
func free(address, who string) error {
	listener, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s, which is for %s, is taken: stop what listens there (is another demo running?) and try again", address, who)
	}
	if err != nil {
		return fmt.Errorf("%s, which is for %s: %w", address, who, err)
	}
	return listener.Close()
}

// answers waits until a request gets through the gateway.
func answers(ctx context.Context, weir *child, address string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTime, errTooLate)
	defer cancel()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		if ping(ctx, address) {
			return nil
		}
		select {
		case <-ticker.C:
		case <-weir.done:
			return fmt.Errorf("weir has ended: %w", weir.err())
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), errTooLate) {
				return errTooLate
			}
			return nil
		}
	}
}

// errTooLate is told apart from a Ctrl-C during the start.
var errTooLate = fmt.Errorf("nothing answers on %s after %s; what is above says why", gateway, startTime)

// ping asks for the API that the gateway answers by itself.
func ping(ctx context.Context, address string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/ping", nil)
	if err != nil {
		return false
	}
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}
