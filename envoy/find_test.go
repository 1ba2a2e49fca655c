package envoy

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestFind(t *testing.T) {
	binary := script(t, "exit 0")
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, said, path string
		want, wantErr    string
	}{
		{name: "said", said: binary, want: binary},
		{name: "on the PATH", path: filepath.Dir(binary), want: binary},
		{name: "said wins", said: binary, path: "/nowhere", want: binary},
		{name: "nowhere", path: t.TempDir(), wantErr: "no Envoy on the PATH: put Envoy 1.37.0 or newer on the PATH"},
		{name: "said and missing", said: "/nowhere/envoy", wantErr: "no Envoy at /nowhere/envoy: there is no such file; put Envoy"},
		{name: "a directory", said: t.TempDir(), wantErr: "it is a directory"},
		{name: "not executable", said: plain, wantErr: "the file is not executable"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("PATH", test.path)
			got, err := Find(test.said)
			check(t, got, err, test.want, test.wantErr)
		})
	}
}

func TestPatience(t *testing.T) {
	ctx, cancel := patience(t.Context(), time.Millisecond)
	defer cancel()
	<-ctx.Done()
	if got := context.Cause(ctx).Error(); got != "1ms have passed" {
		t.Error(got)
	}
}

func TestCheckVersion(t *testing.T) {
	answer := func(version string) string {
		return script(t, "echo 'envoy  version: 0a1b/"+version+"/Clean/RELEASE/BoringSSL'")
	}
	tests := []struct {
		name, path    string
		want, wantErr string
	}{
		{name: "the real one", path: envoyPath(t), want: "1.40.0"},
		{name: "the oldest", path: answer("1.37.0"), want: "1.37.0"},
		{name: "newer", path: answer("2.0.1-dev"), want: "2.0.1"},
		{name: "too old", path: answer("1.36.9"), wantErr: "is Envoy 1.36.9, which is too old: put Envoy 1.37.0 or newer on the PATH"},
		{name: "not Envoy", path: script(t, "echo hello"), wantErr: `is not Envoy: --version answered "hello"`},
		{name: "fails", path: script(t, "echo 'GLIBC_2.99 not found' >&2; exit 1"), wantErr: `cannot be run as Envoy: exit status 1 "GLIBC_2.99 not found"`},
		{name: "missing", path: "/nowhere/envoy", wantErr: "no such file or directory"},
		{name: "hangs", path: script(t, "sleep 60"), wantErr: "--version did not answer: context deadline exceeded"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			got, err := CheckVersion(ctx, test.path)
			if err != nil {
				check(t, "", err, "", test.wantErr)
				return
			}
			check(t, got.String(), nil, test.want, test.wantErr)
		})
	}
}

// TestSetupAsksForTheSameVersion: the script that looks for an Envoy cannot ask this package.
func TestSetupAsksForTheSameVersion(t *testing.T) {
	text, err := os.ReadFile("../e2e/setup/envoy.sh")
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("\nminimum=%d.%d ", MinimumVersion.Major, MinimumVersion.Minor); !strings.Contains(string(text), want) {
		t.Errorf("envoy.sh does not hold %q", want)
	}
}

// TestSetupNamesTheChoices runs that script where there is nothing to fetch an Envoy with.
func TestSetupNamesTheChoices(t *testing.T) {
	root, tools := t.TempDir(), t.TempDir()
	copied := filepath.Join(root, "e2e", "setup", "envoy.sh")
	text, err := os.ReadFile("../e2e/setup/envoy.sh")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(copied), 0o755)
	}
	if err == nil {
		err = os.WriteFile(copied, text, 0o755)
	}
	for _, name := range []string{"sh", "dirname", "cat", "sed", "sort", "head"} {
		var path string
		if path, err = exec.LookPath(name); err == nil {
			err = os.Symlink(path, filepath.Join(tools, name))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	old := filepath.Dir(script(t, "echo 'envoy  version: 0a1b/1.30.2/Clean/RELEASE/BoringSSL'"))
	for _, test := range []struct{ path, named, want string }{
		{path: tools, want: "envoy: there is no Envoy here, and there is no python3"},
		{path: old + ":" + tools, want: "envoy: " + old + "/envoy is not an Envoy 1.37 or newer, and there is no python3"},
		{path: tools, named: old + "/envoy", want: "envoy: WEIR_ENVOY_PATH=" + old + "/envoy is not an Envoy 1.37 or newer"},
	} {
		cmd := exec.CommandContext(t.Context(), filepath.Join(tools, "sh"), copied)
		cmd.Env = []string{"PATH=" + test.path, "WEIR_ENVOY_PATH=" + test.named}
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.HasPrefix(string(out), test.want) || !strings.Contains(string(out), "  - put an official Envoy on the PATH\n") {
			t.Errorf("%+v: %v: %s", test, err, out)
		}
	}
}

// check compares a text and an error, of which part is known, with what was expected.
func check(t *testing.T, got string, err error, want, wantErr string) {
	t.Helper()
	switch {
	case wantErr == "" && err != nil:
		t.Fatalf("error %v", err)
	case wantErr != "" && (err == nil || !strings.Contains(err.Error(), wantErr)):
		t.Fatalf("error %v, want it to hold %q", err, wantErr)
	case got != want:
		t.Fatalf("got %q, want %q", got, want)
	}
}
