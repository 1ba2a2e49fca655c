package e2e

import (
	"errors"
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
	if err := prepare(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	weirBinary = filepath.Join(dir, "weir")
	build := exec.Command("go", "build", "-o", weirBinary, "github.com/weirproxy/weir/cmd/weir")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "building weir:", err)
		return 1
	}
	defer removeImages()
	return m.Run()
}

// prepare lets weir be run as another user, and tells the containers' library what docker.sh tells it: its own cleaner is
// an image that may not be there, so everything is removed by the tests; and ports are published on loopback, wherever
// the tests themselves run.
func prepare(dir string) error {
	return errors.Join(
		os.Chmod(dir, 0o755),
		os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true"),
		os.Setenv("TESTCONTAINERS_HOST_OVERRIDE", "127.0.0.1"),
	)
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
