package envoy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
)

// ValidateError is Envoy's refusal of a configuration.
type ValidateError struct {
	Message string // Envoy's own words
}

// Error is Envoy's words.
func (e *ValidateError) Error() string { return "envoy refuses the configuration: " + e.Message }

// validateTimeout is many times what Envoy takes for the largest configurations.
const validateTimeout = 2 * time.Minute

// Validate asks the real Envoy whether it would take the resources of one instance, clusters, load assignments, listeners,
// route configurations and secrets, without serving any of it. The error is a *ValidateError when Envoy refuses them; any other
// error says that it could not be asked.
func Validate(ctx context.Context, envoyPath string, resources []proto.Message) error {
	b, err := staticBootstrap(resources)
	if err != nil {
		return fmt.Errorf("validate: %w", err)
	}
	data, err := MarshalJSON(b)
	if err != nil {
		return fmt.Errorf("validate: %w", err)
	}
	// The directory is ours alone: the file holds private keys.
	dir, err := os.MkdirTemp("", "weir-validate-")
	if err != nil {
		return fmt.Errorf("validate: %w", err)
	}
	defer os.RemoveAll(dir)
	config := filepath.Join(dir, "bootstrap.json")
	if err := os.WriteFile(config, data, 0o600); err != nil {
		return fmt.Errorf("validate: %w", err)
	}
	return askEnvoy(ctx, envoyPath, config)
}

// askEnvoy runs Envoy's own check of a bootstrap file.
func askEnvoy(ctx context.Context, envoyPath, config string) error {
	ctx, cancel := patience(ctx, validateTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, envoyPath, "--mode", "validate", "-c", config,
		"--log-level", "critical", "--log-format", "%v", "--disable-hot-restart")
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("validate: %s did not answer: %w", envoyPath, context.Cause(ctx))
	case errors.As(err, &exit) && exit.ExitCode() == 1:
		return &ValidateError{Message: envoysWords(string(out), config)}
	default:
		return fmt.Errorf("validate: %s: %w%s", envoyPath, err, firstLine(out))
	}
}

// envoysWords is what Envoy has to say about a file that it refuses, without the file's temporary name and without the whole
// configuration, which it prints before some of its reasons and which may hold keys.
func envoysWords(out, config string) string {
	words := strings.TrimSpace(out)
	words = strings.TrimPrefix(words, fmt.Sprintf("error initializing configuration '%s': ", config))
	if strings.HasPrefix(words, "goo.gle/") {
		if _, reason, ok := strings.Cut(words, "\n}\n: "); ok {
			words = reason
		}
	}
	words = strings.ReplaceAll(words, config, "the configuration")
	if words == "" {
		return "it gave no reason"
	}
	return words
}
