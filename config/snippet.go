package config

import (
	"bytes"
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/weirproxy/weir/config/lang"
)

// sources are the texts for snippets, masked.
func sources(module *lang.Module, files []lang.File) map[string]*hcl.File {
	out := make(map[string]*hcl.File, len(files))
	for _, f := range files {
		out[f.Name] = &hcl.File{Bytes: []byte{}} // of a file of zero bytes, which the module does not see
	}
	for name, file := range module.Files() {
		masked := *file
		masked.Bytes = maskLines(file.Bytes, module.Mask)
		out[name] = &masked
	}
	return out
}

// maskLines masks a text without moving anything in it, since ranges count bytes: a line that changes is filled up
// with spaces, or cut.
func maskLines(text []byte, mask func(string) string) []byte {
	if mask(string(text)) == string(text) {
		return text
	}
	var out bytes.Buffer
	for line := range bytes.Lines(text) {
		body, end := line, ""
		if bytes.HasSuffix(body, []byte("\n")) {
			body, end = body[:len(body)-1], "\n"
		}
		masked := mask(string(body))
		if masked != string(body) {
			masked = fmt.Sprintf("%-*s", len(body), masked)[:len(body)]
		}
		out.WriteString(masked)
		out.WriteString(end)
	}
	return out.Bytes()
}
