package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/spf13/cobra"

	"github.com/weirproxy/weir/envoy"
)

const runLong = `Runs the whole gateway: the control plane, as "weir serve" does, and one Envoy for each instance.

The Envoys are started, stopped and drained as instances come and go, restarted when they end, and stopped with
weir. Envoy's binary is --envoy-path, else the "envoy" on the PATH. What they write to their standard output, such as
access logs, goes to that of weir, line by line; weir's own log goes to standard error.`

func (a *app) runCommand() *cobra.Command {
	var (
		o         serving
		envoyPath string
		bootstrap envoy.BootstrapOptions
	)
	cmd := &cobra.Command{
		Use:     "run [PATH]",
		Short:   "Run the whole gateway: control plane and Envoys",
		Long:    runLong,
		Example: "  weir run --envoy-path /usr/local/bin/envoy gateway",
		Args:    onePath,
	}
	o.addTo(cmd)
	envoyFlag(cmd, &envoyPath)
	caFileFlag(cmd, &bootstrap.CAFile)
	maxHeapSizeFlag(cmd, &bootstrap.MaxHeapSize)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := o.check(cmd, args); err != nil {
			return err
		}
		runner, err := a.runner(cmd.Context(), envoyPath, bootstrap)
		if err != nil {
			return err
		}
		return a.serve(cmd.Context(), &o, runner)
	}
	return cmd
}

// runner finds Envoy before anything is started.
func (a *app) runner(ctx context.Context, path string, bootstrap envoy.BootstrapOptions) (*envoy.RunnerOptions, error) {
	path, err := envoy.Find(path)
	if err != nil {
		return nil, err
	}
	version, err := envoy.CheckVersion(ctx, path)
	if err != nil {
		return nil, err
	}
	if bootstrap.NodeID, err = os.Hostname(); err != nil {
		return nil, fmt.Errorf("the host's name, for the Envoys' node id: %w", err)
	}
	if bootstrap.CAFile == "" {
		bootstrap.CAFile = envoy.SystemCAFile()
	}
	a.log.Info("found Envoy", "path", path, "version", version.String())
	return &envoy.RunnerOptions{Path: path, Log: a.log, Output: &together{to: a.stdout}, Bootstrap: bootstrap}, nil
}

// together lets several Envoys write to one place, one at a time.
type together struct {
	mu sync.Mutex
	to io.Writer
}

func (w *together) Write(data []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(data)
}
