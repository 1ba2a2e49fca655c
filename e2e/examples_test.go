package e2e

import (
	"os"
	"path/filepath"
	"testing"
)

// madeForExamples are the files that examples read and that nobody should take from a repository.
func madeForExamples(t *testing.T) files {
	t.Helper()
	made, _ := exampleFiles(t)
	return made
}

// exampleFiles are those files, and the authority that issued all of them.
func exampleFiles(t *testing.T) (files, *authority) {
	t.Helper()
	ca := newAuthority(t, "examples")
	made := files{"ca.crt": ca.pem}
	made["tls/shop.crt"], made["tls/shop.key"] = ca.issue(t, "shop.example.com")
	made["client.crt"], made["client.key"] = ca.issueClient(t, "gateway")
	made["tls/api.crt"], made["tls/api.key"] = ca.issue(t, "api.example.com")
	return made, ca
}

// Every example is formatted, is valid without a warning, and is taken by the real Envoy.
func TestExamples(t *testing.T) {
	t.Parallel()
	examples := filepath.Join(moduleRoot(), "examples")
	entries, err := os.ReadDir(examples)
	must(t, err)
	if len(entries) == 0 {
		t.Fatal("there are no examples")
	}
	for _, entry := range entries {
		dir := newDirectory(t, madeForExamples(t))
		must(t, os.CopyFS(dir, os.DirFS(filepath.Join(examples, entry.Name()))))
		weir(t, "fmt", "--check", dir).must(t)
		if c := weir(t, "validate", "--with-envoy", "--envoy-path", envoyPath(t), dir).must(t); c.stdout != "" {
			t.Errorf("%s: %s", entry.Name(), c.stdout)
		}
	}
}
