package main

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/weirproxy/weir/config/lang"
)

// app is what every command stands on: the process's surroundings, passed in so that tests have their own.
type app struct {
	stdin   io.Reader
	stdout  io.Writer
	stderr  io.Writer
	environ []string

	log      *slog.Logger // set before a command runs
	logsJSON bool         // the log is for programs
}

const rootLong = `weir is a control plane for Envoy.

You write upstreams, services and APIs as HCL files; weir translates them and serves them to Envoys over xDS.
Each save of a file is live within milliseconds, or is refused with a message that points at the line while the
last good configuration serves on.

Every flag can be set by an environment variable as well: --xds-address is WEIR_XDS_ADDRESS. The command line wins;
an empty variable counts as not set; unknown WEIR_ variables are ignored. --var and --var-file have none: a
variable "host" of the configuration is WEIR_VAR_host.

Exit status: 0 done; 1 failed, invalid or misused; 2 only from "fmt --check": there are differences.`

// command builds the tree of commands.
func (a *app) command() *cobra.Command {
	level, format := newChoice("LEVEL", "info", "debug", "warn", "error"), newChoice("FORMAT", "text", "json")
	root := &cobra.Command{
		Use:           "weir",
		Short:         "A control plane for Envoy, written in HCL",
		Long:          rootLong,
		Example:       "  weir init && weir run",
		Version:       thisBuild().String(),
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.bindEnvironment(cmd); err != nil {
				return usage(cmd, err)
			}
			a.log, a.logsJSON = newLogger(a.stderr, level.value, format.value), format.value == "json"
			return nil
		},
		Args: unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentFlags().Var(level, "log-level", "least level that is logged: debug, info, warn, error")
	root.PersistentFlags().Var(format, "log-format", "form of the log on standard error: text, json")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usage(cmd, explainFlag(cmd, err)) })
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(a.helpCommand())
	root.AddCommand(
		a.serveCommand(), a.runCommand(), a.standbyCommand(), a.initCommand(), a.validateCommand(), a.fmtCommand(), a.renderCommand(),
		a.bootstrapCommand(), a.statusCommand(), a.waitCommand(), a.reloadCommand(), a.upstreamsCommand(), a.versionCommand(), a.completionCommand(),
	)
	return root
}

// helpCommand prints the help of another command.
func (a *app) helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Help about a command",
		Example: "  weir help serve",
		ValidArgsFunction: func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			return commandNames(cmd.Root()), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(cmd.Root(), args)
			}
			found.InitDefaultHelpFlag()
			return found.Help()
		},
	}
}

// unknownCommand is reached by "weir WORD" only when WORD is no command.
func unknownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usage(root, fmt.Errorf("unknown command %q%s", args[0], suggestion(args[0], commandNames(root))))
}

func commandNames(root *cobra.Command) []string {
	var names []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return names
}

// suggestion is " Did you mean ...?" after a full stop, or nothing.
func suggestion(given string, candidates []string) string {
	if s := lang.Suggest(given, candidates); s != "" {
		return ". " + strings.TrimSpace(s)
	}
	return ""
}

// usage marks an error as a wrong call of the command; nil stays nil.
func usage(cmd *cobra.Command, err error) error {
	if err == nil {
		return nil
	}
	return &usageError{command: cmd.CommandPath(), err: err}
}

// lockedWriter keeps what several goroutines write to one stream apart, line by line.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
