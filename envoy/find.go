package envoy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Version is a release of Envoy.
type Version struct {
	Major, Minor, Patch int
}

// MinimumVersion is the oldest Envoy that understands all of what weir sends. 1.37 brought
// HttpProtocolOptions.retry_policy, which carries an upstream's retries. An older Envoy does not refuse a field
// that it does not know, it leaves it out: no request would ever be retried, and nobody would be told.
var MinimumVersion = Version{Major: 1, Minor: 37}

// String is the version as Envoy writes it, "1.40.0".
func (v Version) String() string {
	return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch)
}

// Less says whether v is older than other.
func (v Version) Less(other Version) bool {
	if v.Major != other.Major {
		return v.Major < other.Major
	}
	if v.Minor != other.Minor {
		return v.Minor < other.Minor
	}
	return v.Patch < other.Patch
}

// choices is how an error about a missing Envoy ends.
const choices = "put Envoy %s or newer on the PATH, or name its binary with --envoy-path or WEIR_ENVOY_PATH"

// Find returns the path of Envoy's binary: path where it is not empty, else the first "envoy" on the PATH. It does not run it.
func Find(path string) (string, error) {
	if path == "" {
		found, err := exec.LookPath("envoy")
		if err != nil {
			return "", fmt.Errorf("no Envoy on the PATH: "+choices, MinimumVersion)
		}
		return filepath.Abs(found)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", fmt.Errorf("no Envoy at %s: there is no such file; "+choices, path, MinimumVersion)
	case err != nil:
		return "", fmt.Errorf("no Envoy at %s: %w", path, err)
	case info.IsDir():
		return "", fmt.Errorf("no Envoy at %s: it is a directory; name the binary itself", path)
	case info.Mode()&0o111 == 0:
		return "", fmt.Errorf("no Envoy at %s: the file is not executable", path)
	}
	return filepath.Abs(path)
}

// versionTimeout is many times what Envoy takes to print its version.
const versionTimeout = 10 * time.Second

// versionLine is what `envoy --version` prints: "…/envoy  version: COMMIT/1.40.0/Clean/RELEASE/BoringSSL".
var versionLine = regexp.MustCompile(`version: [^/\s]*/(\d+)\.(\d+)\.(\d+)[^/\s]*/`)

// patience ends after a while, and says so in words for an operator.
func patience(ctx context.Context, most time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, most, fmt.Errorf("%s have passed", most))
}

// CheckVersion asks the binary for its version and refuses what is not an Envoy, does not answer, or is too old.
func CheckVersion(ctx context.Context, path string) (Version, error) {
	ctx, cancel := patience(ctx, versionTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "--version")
	cmd.WaitDelay = time.Second // a child of it may hold the pipe open after it was killed
	out, err := cmd.CombinedOutput()
	match := versionLine.FindSubmatch(out)
	switch {
	case ctx.Err() != nil:
		return Version{}, fmt.Errorf("%s --version did not answer: %w", path, context.Cause(ctx))
	case match != nil:
		return acceptable(path, match)
	case err != nil:
		return Version{}, fmt.Errorf("%s cannot be run as Envoy: %w%s", path, err, firstLine(out))
	default:
		return Version{}, fmt.Errorf("%s is not Envoy: --version answered%s", path, firstLine(out))
	}
}

// acceptable reads the three numbers of versionLine.
func acceptable(path string, match [][]byte) (Version, error) {
	var numbers [3]int
	for i := range numbers {
		n, err := strconv.Atoi(string(match[i+1]))
		if err != nil {
			return Version{}, fmt.Errorf("%s: version %s: %w", path, match[0], err)
		}
		numbers[i] = n
	}
	v := Version{Major: numbers[0], Minor: numbers[1], Patch: numbers[2]}
	if v.Less(MinimumVersion) {
		return v, fmt.Errorf("%s is Envoy %s, which is too old: "+choices, path, v, MinimumVersion)
	}
	return v, nil
}

// firstLine is the first line of what a program printed, for the end of a message.
func firstLine(out []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if len(line) > 200 {
		line = line[:200] + "..."
	}
	return fmt.Sprintf(" %q", line)
}
