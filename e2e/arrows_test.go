package e2e

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/weirproxy/weir/"

// arrows says, for each package, which of our own it may import outside of its tests. A package that is not here is
// new, and whoever adds it says here what it may know.
var arrows = map[string][]string{
	"model":           {},
	"config":          {"model", "config/lang", "config/source", "config/function"},
	"config/lang":     {"model", "config/function"},
	"config/function": {},
	"config/source":   {},
	"translate":       {"model"},
	"xds":             {},
	"envoy":           {},
	"admin":           {"model"},
	"e2e":             {},
	"cmd/weir":        {"model", "config", "config/lang", "config/source", "config/function", "translate", "xds", "envoy", "admin"},
}

// ownWorld are the packages whose tests, too, know nothing of the others: they are black box, or serve nobody here.
var ownWorld = []string{"e2e", "xds", "envoy", "model"}

// goPackage is what `go list -json` says about one.
type goPackage struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

func TestImportArrows(t *testing.T) {
	t.Parallel()
	found := listPackages(t)
	for name := range arrows {
		if _, ok := found[name]; !ok {
			t.Errorf("there is no package %s: take it out of the arrows", name)
		}
	}
	for name, p := range found {
		allowed, ok := arrows[name]
		if !ok && !strings.HasPrefix(name, "e2e/") {
			t.Errorf("package %s has no arrows: say here what it may import", name)
		}
		imports := p.Imports
		if slices.Contains(ownWorld, name) {
			imports = slices.Concat(p.Imports, p.TestImports, p.XTestImports)
		}
		for _, path := range imports {
			imported, ours := strings.CutPrefix(path, module)
			if ours && imported != name && !slices.Contains(allowed, imported) {
				t.Errorf("%s imports %s, which it must not know", name, imported)
			}
		}
	}
}

// listPackages asks the go command for all of our packages, by name below the module.
func listPackages(t *testing.T) map[string]goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = moduleRoot()
	output, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Log(string(exit.Stderr))
		}
		t.Fatalf("go list: %v", err)
	}
	found := make(map[string]goPackage)
	for decoder := json.NewDecoder(strings.NewReader(string(output))); ; {
		var p goPackage
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return found
		}
		must(t, err)
		found[strings.TrimPrefix(p.ImportPath, module)] = p
	}
}
