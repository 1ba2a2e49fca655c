package main

import (
	"bytes"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/model"
)

// load reads a configuration for a command that needs a good one. The diagnostics go to standard error.
func (a *app) load(c *configuration) (*model.Configuration, error) {
	result, err := a.loadResult(c)
	if err != nil {
		return nil, err
	}
	return result.Configuration, nil
}

// loadResult is load, for who wants more than the configuration.
func (a *app) loadResult(c *configuration) (*config.Result, error) {
	result, err := config.Load(c.path, c.options(a))
	if err != nil {
		return nil, err
	}
	if err := a.writeDiagnostics(a.stderr, result); err != nil {
		return nil, err
	}
	if result.HasErrors() {
		return nil, exit(statusFailed)
	}
	return result, nil
}

// writeDiagnostics prints them in one write, so that no log line comes between.
func (a *app) writeDiagnostics(w io.Writer, result *config.Result) error {
	if len(result.Diagnostics) == 0 {
		return nil
	}
	color, width := a.terminal(w)
	var text bytes.Buffer
	if err := result.WriteText(&text, color, width); err != nil {
		return fmt.Errorf("write diagnostics: %w", err)
	}
	_, err := w.Write(text.Bytes())
	return err
}

// instanceFlag is --instance, completed from the configuration where it loads.
func (a *app) instanceFlag(cmd *cobra.Command, name *string, conf *configuration) {
	textFlag(cmd, name, "instance", "NAME", "which instance (default the only one)")
	_ = cmd.RegisterFlagCompletionFunc("instance", func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			conf.path = args[0]
		}
		c := a.loadQuietly(cmd, conf)
		if c == nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return sortedNames(c.Instances), cobra.ShellCompDirectiveNoFileComp
	})
}

// loadQuietly is for completion, where nothing may be printed; nil says that there is nothing to offer.
func (a *app) loadQuietly(cmd *cobra.Command, conf *configuration) *model.Configuration {
	if a.bindEnvironment(cmd) != nil {
		return nil
	}
	result, err := config.Load(conf.path, conf.options(a))
	if err != nil {
		return nil
	}
	return result.Configuration
}
