package config

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/weirproxy/weir/config/lang"
)

// withoutExample is what no example shows: a weir that loads it warns, and examples are to be copied.
var withoutExample = []string{"upstream.tls.insecure_skip_verify"}

// Every attribute and block of the schemas stands in an example, where tests load it and send requests through it.
func TestExamplesHoldSchemas(t *testing.T) {
	shown := map[string]bool{}
	err := filepath.WalkDir("../examples", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".hcl") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, diags := hclsyntax.ParseConfig(text, path, hcl.InitialPos)
		if diags.HasErrors() {
			return diags
		}
		noteShown(shown, "", file.Body.(*hclsyntax.Body))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range kinds {
		for _, path := range pathsOf(kind, schemas[kind]) {
			path = policy(path)
			if !shown[path] && !strings.HasSuffix(path, ".description") && !slices.Contains(withoutExample, path) {
				t.Errorf("no example has %s", path)
			}
		}
	}
}

// noteShown notes what stands in a body, by its path. A dynamic block stands for those that it makes.
func noteShown(shown map[string]bool, prefix string, body *hclsyntax.Body) {
	for name := range body.Attributes {
		shown[policy(prefix+name)] = true
	}
	for _, block := range body.Blocks {
		inner, kind := block.Body, block.Type
		if kind == "dynamic" {
			kind = block.Labels[0]
			inner = block.Body.Blocks[0].Body
		}
		shown[policy(prefix+kind)] = true
		noteShown(shown, prefix+kind+".", inner)
	}
}

// policy takes what an API says for what its service says, which is the same where both may.
func policy(path string) string { return strings.Replace(path, "service.api.", "service.", 1) }

// pathsOf are the attributes and blocks of a schema, all the way down.
func pathsOf(prefix string, s *lang.Schema) []string {
	var out []string
	for _, a := range s.Attributes {
		out = append(out, prefix+"."+a.Name)
	}
	for _, b := range s.Blocks {
		out = append(append(out, prefix+"."+b.Type), pathsOf(prefix+"."+b.Type, b.Schema)...)
	}
	return out
}
