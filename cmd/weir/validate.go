package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/config/source"
	"github.com/weirproxy/weir/envoy"
	"github.com/weirproxy/weir/model"
	"github.com/weirproxy/weir/translate"
)

const validateLong = `Reads a configuration and prints everything that is wrong with it, each with its place, the rule and the remedy.

PATH is a directory, a file, or "-" for standard input, which is taken as one file in the current directory. With
--with-envoy the real Envoy is asked too whether it would accept what weir would send it.

The exit status is 0 for a valid configuration, warnings included, and 1 for one with errors.`

func (a *app) validateCommand() *cobra.Command {
	var (
		conf      configuration
		withEnvoy bool
		envoyPath string
	)
	cmd := &cobra.Command{
		Use:     "validate [PATH]",
		Short:   "Check a configuration",
		Long:    validateLong,
		Example: "  weir validate --with-envoy -o sarif gateway > weir.sarif",
		Args:    onePath,
	}
	conf.addTo(cmd)
	cmd.Flags().BoolVar(&withEnvoy, "with-envoy", false, "ask the real Envoy too")
	envoyFlag(cmd, &envoyPath)
	output := outputFlag(cmd, "text", "json", "sarif")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := pathArgument(cmd, args, &conf.path); err != nil {
			return err
		}
		result, err := a.read(&conf)
		if err != nil {
			return err
		}
		if withEnvoy && !result.HasErrors() {
			if err := askEnvoy(cmd.Context(), envoyPath, result); err != nil {
				return err
			}
		}
		return a.writeVerdict(result.Result, output.value)
	}
	return cmd
}

// envoyFlag is --envoy-path.
func envoyFlag(cmd *cobra.Command, path *string) {
	textFlag(cmd, path, "envoy-path", "FILE", "Envoy's binary (default \"envoy\" on the PATH)")
}

// loaded is a result with the texts that it was read from, by the names that its places have.
type loaded struct {
	*config.Result
	texts map[string][]byte
}

// read loads the configuration, from standard input where the path says so.
func (a *app) read(c *configuration) (*loaded, error) {
	if c.path != standardInput {
		snapshot, err := source.Read(c.path)
		if err != nil {
			return nil, err
		}
		options, texts := c.optionsFor(a, snapshot), map[string][]byte{}
		for _, f := range snapshot.Files {
			texts[path.Join(filepath.ToSlash(options.Prefix), f.Name)] = f.Bytes
		}
		return &loaded{config.FromSnapshot(snapshot, options), texts}, nil
	}
	text, err := io.ReadAll(a.stdin)
	if err != nil {
		return nil, fmt.Errorf("read standard input: %w", err)
	}
	root, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("read standard input: %w", err)
	}
	name := standardInputName(text)
	return &loaded{config.FromText(name, text, root, c.options(a)), map[string][]byte{name: text}}, nil
}

// standardInputName tells by the first character whether a text is JSON: no HCL starts with a brace.
func standardInputName(text []byte) string {
	if strings.HasPrefix(strings.TrimLeft(string(text), " \t\r\n"), "{") {
		return "<stdin>.hcl.json"
	}
	return "<stdin>"
}

// writeVerdict prints the diagnostics as data, and for people one more line that says what they amount to.
func (a *app) writeVerdict(result *config.Result, form string) error {
	var err error
	switch form {
	case "json":
		err = result.WriteJSON(a.stdout)
	case "sarif":
		err = result.WriteSARIF(a.stdout)
	default:
		err = a.writeDiagnostics(a.stdout, result)
		fmt.Fprintln(a.stderr, verdict(result.Diagnostics))
	}
	if err == nil && result.HasErrors() {
		return exit(statusFailed)
	}
	return err
}

// verdict is "valid", "valid, 1 warning" or "2 errors, 1 warning".
func verdict(diagnostics hcl.Diagnostics) string {
	errs, warnings := 0, 0
	for _, d := range diagnostics {
		if d.Severity == hcl.DiagError {
			errs++
		} else {
			warnings++
		}
	}
	text := "valid"
	if errs > 0 {
		text = count(errs, "error")
	}
	if warnings > 0 {
		text += ", " + count(warnings, "warning")
	}
	return text
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// ruleEnvoy is the rule of a diagnostic whose words are Envoy's.
const ruleEnvoy lang.Rule = "envoy"

// askEnvoy adds to the result what Envoy refuses, instance by instance.
func askEnvoy(ctx context.Context, binary string, result *loaded) error {
	// A signal ends the question and not the process, which has a file with private keys to remove.
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	binary, err := envoy.Find(binary)
	if err != nil {
		return err
	}
	if _, err := envoy.CheckVersion(ctx, binary); err != nil {
		return err
	}
	for _, name := range sortedNames(result.Configuration.Instances) {
		resources := translate.Instance(result.Configuration, name)
		messages := messagesOf(resources)
		err := envoy.Validate(ctx, binary, messages)
		var refused *envoy.ValidateError
		if errors.As(err, &refused) {
			place := blame("", nil, refused.Message, placesOf(resources), result.Configuration)
			if place.IsZero() {
				place = result.Configuration.Instances[name].Place
			}
			result.Diagnostics = append(result.Diagnostics, lang.Error(ruleEnvoy, lineAt(place, result.texts), "Envoy refuses the configuration",
				fmt.Sprintf("Asked for instance %q, Envoy says: %s", name, result.Mask()(refused.Message))))
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func messagesOf(resources []translate.Resource) []proto.Message {
	messages := make([]proto.Message, len(resources))
	for i, r := range resources {
		messages[i] = r.Message
	}
	return messages
}

// lineAt is the line of a place as diagnostics have it: with the bytes that the snippet is cut out by.
func lineAt(p model.Place, texts map[string][]byte) hcl.Range {
	lines := bytes.SplitAfter(texts[p.File()], []byte("\n"))
	start := hcl.Pos{Line: p.Line(), Column: 1}
	if p.Line() < 1 || p.Line() > len(lines) {
		return hcl.Range{Filename: p.File(), Start: start, End: start}
	}
	for _, line := range lines[:p.Line()-1] {
		start.Byte += len(line)
	}
	line := bytes.TrimRight(lines[p.Line()-1], "\r\n")
	indent := len(line) - len(bytes.TrimLeft(line, " \t"))
	end := hcl.Pos{Line: p.Line(), Column: 1 + utf8.RuneCount(line), Byte: start.Byte + len(line)}
	start.Column, start.Byte = start.Column+indent, start.Byte+indent
	return hcl.Range{Filename: p.File(), Start: start, End: end}
}
