package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/envoy"
	"github.com/weirproxy/weir/model"
)

const bootstrapLong = `Prints the bootstrap that joins an Envoy to weir, as JSON for "envoy -c".

It says which instance the Envoy belongs to and where weir is; everything else comes from weir. Run it on Envoy's
machine, or give --ca-file and --node-id: the file of CAs that verifies https upstreams is a path on that machine.

With --envoy-admin-address weir can ask this Envoy how the nodes of upstreams are ("weir upstreams NAME"), if it
reaches it there. Whoever reaches that address can also stop this Envoy: 127.0.0.1 beside weir, or a private network.

With --max-heap-size Envoy sheds load before its memory is full: from 90% on it answers new requests with 503. Those
that are on their way take more, so a third of what the machine or the container has is a good choice.

An Envoy that starts while weir is away waits for it, and opens no port before. With --standby-address it asks a "weir
standby" meanwhile, which serves what weir published last; 127.0.0.1:18002 is where one listens by default.

--instance may be left out where a configuration at --config has only one.`

func (a *app) bootstrapCommand() *cobra.Command {
	var (
		o    envoy.BootstrapOptions
		conf configuration
	)
	cmd := &cobra.Command{
		Use:               "bootstrap",
		Short:             "Print a bootstrap for an Envoy",
		Long:              bootstrapLong,
		Example:           "  weir bootstrap --instance edge > envoy.json && envoy -c envoy.json",
		Args:              noArguments,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	conf.addTo(cmd)
	a.instanceFlag(cmd, &o.Instance, &conf)
	o.XDSAddress = defaultXDSAddress
	textFlag(cmd, &o.NodeID, "node-id", "NAME", "this Envoy's name among those of its instance (default the host's name)")
	textFlag(cmd, &o.XDSAddress, "xds-address", "ADDRESS", "where weir serves, HOST:PORT or unix:///PATH")
	textFlag(cmd, &o.StandbyAddress, "standby-address", "ADDRESS", "where a \"weir standby\" serves while weir is away, likewise (default none)")
	textFlag(cmd, &o.AdminAddress, "envoy-admin-address", "HOST:PORT", "where Envoy's own admin API shall be (default none)")
	caFileFlag(cmd, &o.CAFile)
	maxHeapSizeFlag(cmd, &o.MaxHeapSize)
	cmd.RunE = func(*cobra.Command, []string) error {
		if err := a.completeBootstrap(&o, &conf); err != nil {
			return err
		}
		b, err := envoy.Bootstrap(o)
		if err != nil {
			return err
		}
		text, err := envoy.MarshalJSON(b)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(a.stdout, "%s\n", strings.TrimRight(string(text), "\n"))
		return err
	}
	return cmd
}

// caFileFlag is --ca-file.
func caFileFlag(cmd *cobra.Command, file *string) {
	textFlag(cmd, file, "ca-file", "FILE", "CAs that verify https upstreams, on Envoy's machine (default this machine's)")
}

// completeBootstrap fills in what was not said.
func (a *app) completeBootstrap(o *envoy.BootstrapOptions, conf *configuration) error {
	if o.NodeID == "" {
		host, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("bootstrap: the host's name: %w; say --node-id", err)
		}
		o.NodeID = host
	}
	if o.CAFile == "" {
		o.CAFile = envoy.SystemCAFile()
	}
	switch {
	case o.Instance == "":
	case !lang.ValidName(o.Instance):
		return fmt.Errorf("bootstrap: no instance can be named %q: a name has 1 to 50 characters out of a-z, A-Z, 0-9 and _", o.Instance)
	default:
		return nil
	}
	c, err := a.load(conf)
	if err != nil {
		if !errors.As(err, new(exit)) {
			err = fmt.Errorf("bootstrap: without --instance the configuration must tell it: %w", err)
		}
		return err
	}
	o.Instance, err = theInstance(c, "")
	return err
}

// theInstance is the one that was named, else the only one.
func theInstance(c *model.Configuration, name string) (string, error) {
	names := sortedNames(c.Instances)
	switch {
	case name != "" && c.Instances[name] == nil:
		hint := suggestion(name, names)
		if hint == "" && len(names) > 0 {
			hint = "; the configuration has " + strings.Join(names, ", ")
		}
		return "", fmt.Errorf("there is no instance %q%s", name, hint)
	case name != "":
		return name, nil
	case len(names) == 1:
		return names[0], nil
	case len(names) == 0:
		return "", errors.New("the configuration has no instance")
	default:
		return "", fmt.Errorf("which instance? say --instance with one of %s", strings.Join(names, ", "))
	}
}
