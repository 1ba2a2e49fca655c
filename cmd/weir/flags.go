package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/config/source"
)

// standardInput is the PATH that means standard input.
const standardInput = "-"

// withoutVariable are the flags that have no WEIR_ variable.
var withoutVariable = []string{"help", "version", "var", "var-file"}

// bindEnvironment sets every flag of the command that the command line left out from its WEIR_ variable.
func (a *app) bindEnvironment(cmd *cobra.Command) error {
	var problems []error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		value := a.getenv(variableOf(f.Name))
		if f.Changed || value == "" || slices.Contains(withoutVariable, f.Name) {
			return
		}
		if err := f.Value.Set(value); err != nil {
			problems = append(problems, fmt.Errorf("%s=%q: %w", variableOf(f.Name), value, wrongValue(f, err)))
		}
	})
	return errors.Join(problems...)
}

// variableOf is the environment variable of a flag: "xds-address" is WEIR_XDS_ADDRESS.
func variableOf(flag string) string {
	return "WEIR_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// getenv reads the environment that was passed in. Of two settings the last one counts, as it does for os.Getenv.
func (a *app) getenv(name string) string {
	for _, entry := range slices.Backward(a.environ) {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

// wrongValue says what a flag takes, where pflag has only the words of a parser.
func wrongValue(f *pflag.Flag, err error) error {
	switch f.Value.Type() {
	case "bool":
		return errors.New("must be true or false")
	case "int":
		return errors.New("must be a whole number")
	case "duration":
		return errors.New("must be a number and a unit (ms, s, m or h), such as 30s")
	}
	return err
}

// explainFlag puts pflag's message into words of ours, with the flag that was probably meant.
func explainFlag(cmd *cobra.Command, err error) error {
	var wrong *pflag.InvalidValueError
	if errors.As(err, &wrong) {
		f := wrong.GetFlag()
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		return fmt.Errorf("invalid argument %q for %q flag: %w", wrong.GetValue(), name, wrongValue(f, errors.Unwrap(err)))
	}
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return err
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	return fmt.Errorf("%w%s", err, suggestion("--"+unknown.GetSpecifiedName(), names))
}

// configuration is what the commands that load share: where the files are, and the variables' values.
type configuration struct {
	path  string
	vars  []string
	files []string
}

// addTo registers the flags.
func (c *configuration) addTo(cmd *cobra.Command) {
	configFlag(cmd, &c.path)
	cmd.Flags().StringArrayVar(&c.vars, "var", nil, "set a variable of the configuration, `NAME=VALUE`; may repeat")
	cmd.Flags().StringArrayVar(&c.files, "var-file", nil, "set variables from a `FILE`; may repeat")
	_ = cmd.RegisterFlagCompletionFunc("var", cobra.NoFileCompletions) // it errs for a flag that does not exist only
}

// configFlag is --config, the other way to say [PATH].
func configFlag(cmd *cobra.Command, path *string) {
	*path = "."
	textFlag(cmd, path, "config", "PATH", "configuration, a directory or a file; the same as the argument")
}

// pathArgument takes [PATH], which stands for --config and wins over WEIR_CONFIG.
func pathArgument(cmd *cobra.Command, args []string, path *string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.Flags().Changed("config") && *path != args[0] {
		return usage(cmd, fmt.Errorf("the argument says %q and --config says %q; say one of them", args[0], *path))
	}
	*path = args[0]
	return nil
}

// pathOnDisk is pathArgument for commands to which standard input is of no use.
func pathOnDisk(cmd *cobra.Command, args []string, path *string) error {
	if err := pathArgument(cmd, args, path); err != nil {
		return err
	}
	if *path == standardInput {
		return usage(cmd, fmt.Errorf("%q reads a directory or a file; %q, standard input, is for validate and fmt", cmd.CommandPath(), standardInput))
	}
	return nil
}

// options are the variables in the form that the loader takes.
func (c *configuration) options(a *app) config.Options {
	return config.Options{Variables: lang.Variables{Flags: c.vars, Files: c.files, Environ: a.environ}}
}

// optionsFor are options with the names of a snapshot's files as they can be opened from where the operator stands.
func (c *configuration) optionsFor(a *app, s *source.Snapshot) config.Options {
	o := c.options(a)
	o.Prefix = directoryOf(c.path, s)
	return o
}

// directoryOf is what the names of a snapshot's files are relative to, in the operator's words.
func directoryOf(path string, s *source.Snapshot) string {
	if s.Single {
		return filepath.Dir(path)
	}
	return path
}

// onePath allows [PATH] and no second argument.
func onePath(cmd *cobra.Command, args []string) error {
	return atMost(cmd, args, 1, "one PATH")
}

// noArguments allows none.
func noArguments(cmd *cobra.Command, args []string) error {
	return atMost(cmd, args, 0, "no argument")
}

func atMost(cmd *cobra.Command, args []string, n int, what string) error {
	if len(args) <= n {
		return nil
	}
	return usage(cmd, fmt.Errorf("unexpected argument %q: %q takes %s", args[n], cmd.CommandPath(), what))
}

// textFlag is a flag that takes any text. The default is what value holds; kind is what the help calls it.
func textFlag(cmd *cobra.Command, value *string, name, kind, help string) {
	cmd.Flags().Var(&text{value, kind}, name, help)
}

// text is the pflag.Value of textFlag.
type text struct {
	value *string
	kind  string
}

// String is pflag.Value's.
func (t *text) String() string {
	if t.value == nil {
		return "" // pflag makes a zero one to compare the default with
	}
	return *t.value
}

// Type is pflag.Value's; it stands in the help.
func (t *text) Type() string { return t.kind }

// Set is pflag.Value's.
func (t *text) Set(s string) error {
	*t.value = s
	return nil
}

// maxHeapSizeFlag is --max-heap-size.
func maxHeapSizeFlag(cmd *cobra.Command, value *uint64) {
	cmd.Flags().Var((*size)(value), "max-heap-size", "memory that an Envoy may use, such as 512MiB, before it sheds load (default no limit)")
}

// size is a flag that takes a number of bytes with its unit.
type size uint64

// sizeUnits are the units of a size, the largest first.
var sizeUnits = []struct {
	name  string
	bytes size
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

// minHeapSize is about what an Envoy takes that has nothing to do.
const minHeapSize = 32 << 20

// String is pflag.Value's.
func (s *size) String() string {
	for _, u := range sizeUnits {
		if *s != 0 && *s%u.bytes == 0 {
			return strconv.FormatUint(uint64(*s/u.bytes), 10) + u.name
		}
	}
	return ""
}

// Type is pflag.Value's; it stands in the help.
func (s *size) Type() string { return "SIZE" }

// Set is pflag.Value's.
func (s *size) Set(text string) error {
	for _, u := range sizeUnits {
		number, found := strings.CutSuffix(text, u.name)
		if !found {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 32)
		if err != nil {
			break
		}
		if *s = size(n) * u.bytes; *s < minHeapSize {
			return errors.New("must be 32MiB or more: an Envoy needs about that with nothing to do")
		}
		return nil
	}
	return errors.New("must be a whole number and a unit (KiB, MiB or GiB), such as 512MiB")
}

// choice is a flag that takes one of a few words.
type choice struct {
	value   string
	kind    string // what the help calls the value
	allowed []string
}

// newChoice takes the default first.
func newChoice(kind string, allowed ...string) *choice {
	return &choice{value: allowed[0], kind: kind, allowed: allowed}
}

// outputFlag is -o, --output.
func outputFlag(cmd *cobra.Command, allowed ...string) *choice {
	c := newChoice("FORMAT", allowed...)
	cmd.Flags().VarP(c, "output", "o", "form of the output: "+strings.Join(allowed, ", "))
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(allowed, cobra.ShellCompDirectiveNoFileComp))
	return c
}

// String is pflag.Value's.
func (c *choice) String() string { return c.value }

// Type is pflag.Value's; it stands in the help.
func (c *choice) Type() string { return c.kind }

// Set is pflag.Value's.
func (c *choice) Set(s string) error {
	if !slices.Contains(c.allowed, s) {
		return fmt.Errorf("must be one of %s%s", strings.Join(c.allowed, ", "), suggestion(s, c.allowed))
	}
	c.value = s
	return nil
}
