package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// weirBinary is the program under test, built once by TestMain.
var weirBinary string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

// buildAndRun exists so that the deferred removal happens before os.Exit.
func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "weir-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	weirBinary = filepath.Join(dir, "weir")
	build := exec.Command("go", "build", "-o", weirBinary, "github.com/weirproxy/weir/cmd/weir")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "building weir:", err)
		return 1
	}
	return m.Run()
}

// moduleRoot is the checkout, seen from this package's folder, in which `go test` runs its tests.
func moduleRoot() string {
	root, err := filepath.Abs("..")
	if err != nil {
		panic(err) // there is no working directory: nothing can be tested
	}
	return root
}

var findEnvoy = sync.OnceValue(func() string {
	if path := os.Getenv("WEIR_ENVOY_PATH"); path != "" {
		return path
	}
	if path := filepath.Join(moduleRoot(), ".tools", "envoy-1.40.0", "envoy"); isFile(path) {
		return path
	}
	path, _ := exec.LookPath("envoy")
	return path
})

// envoyPath is the real Envoy. Without one nothing here can be shown, so the test fails, it is never left out.
func envoyPath(t *testing.T) string {
	t.Helper()
	path := findEnvoy()
	if path == "" {
		t.Fatal(`no Envoy: run "make tools" or set WEIR_ENVOY_PATH`)
	}
	return path
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
