// Backend is a node to try and to test weir with: an HTTP server that says who it is and what it was asked, and that
// fails when it is told to.
//
// It answers in one line of text, "one: GET /orders?id=1 (Host: orders.internal)", or in JSON with all headers where the
// request accepts application/json; the header X-Node is its name. How it fails, and for whom, is said in fault.go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// options are the command line.
type options struct {
	address, name                 string
	tlsCertificate, tlsKey, fault string
}

func main() {
	if err := run(os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "backend:", err)
		os.Exit(1)
	}
}

// run serves until SIGTERM or SIGINT.
func run(arguments []string, stderr io.Writer) error {
	var o options
	flags := flag.NewFlagSet("backend", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.address, "address", "127.0.0.1:9001", "listen on `HOST:PORT`")
	flags.StringVar(&o.name, "name", "", "the name to answer with (default: the address)")
	flags.StringVar(&o.tlsCertificate, "tls-certificate", "", "serve HTTPS with the certificates of this `FILE`")
	flags.StringVar(&o.tlsKey, "tls-key", "", "the private key to --tls-certificate")
	flags.StringVar(&o.fault, "fault", "", "fail from the start, as if POST /_backend/fault?`QUERY` had been asked")
	if err := flags.Parse(arguments); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("what is %q? there are flags only", flags.Arg(0))
	}
	if o.name == "" {
		o.name = o.address
	}
	backend := &backend{name: o.name}
	if err := backend.setFault(o.fault); err != nil {
		return fmt.Errorf("--fault: %w", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return serve(ctx, o, backend, stderr)
}

// serve answers until ctx ends.
func serve(ctx context.Context, o options, handler http.Handler, stderr io.Writer) error {
	listener, err := net.Listen("tcp", o.address)
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "backend %s listens on %s\n", o.name, listener.Addr())
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // faults are what it is for
	}
	stopped := context.AfterFunc(ctx, func() { server.Close() })
	defer stopped()
	if o.tlsCertificate != "" || o.tlsKey != "" {
		err = server.ServeTLS(listener, o.tlsCertificate, o.tlsKey)
	} else {
		err = server.Serve(listener)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
