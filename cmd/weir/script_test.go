package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the scripts call this very binary as "weir".
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"weir": main})
}

func TestScripts(t *testing.T) {
	envoy := envoyPath(t) // here, since only a test's own goroutine may end it
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
			"mode":  mode,
		},
		Setup: func(e *testscript.Env) error {
			e.Setenv("WEIR_ENVOY_PATH", envoy)
			e.Setenv("REAL_ENVOY", envoy)
			e.Setenv("WEIR_BIN", filepath.SplitList(e.Getenv("PATH"))[0]) // where testscript put weir
			return nil
		},
	})
}

// exits is "exits STATUS COMMAND...": the command ends with that very status.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// mode is "mode OCTAL FILE": the file, not a link to it, has these permissions.
func mode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode OCTAL FILE")
	}
	info, err := os.Lstat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := strconv.FormatUint(uint64(info.Mode().Perm()), 8); got != args[0] {
		ts.Fatalf("%s has mode %s, want %s", args[1], got, args[0])
	}
}

// envoyPath finds the real Envoy, without which nothing is shown.
func envoyPath(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("WEIR_ENVOY_PATH"); path != "" {
		return path
	}
	path, err := filepath.Abs(filepath.Join("..", "..", ".tools", "envoy-1.40.0", "envoy"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil {
		return path
	}
	if path, err := exec.LookPath("envoy"); err == nil {
		return path
	}
	t.Fatal(`no Envoy: run "make tools" or set WEIR_ENVOY_PATH`)
	return ""
}
