package config

import (
	"bytes"
	"fmt"
	"io"

	"github.com/hashicorp/hcl/v2"

	"github.com/weirproxy/weir/config/lang"
)

// printed is a diagnostic as it may be shown: masked, with the file's name as it can be opened.
type printed struct {
	*hcl.Diagnostic
	rule lang.Rule
}

// printable makes copies, so that a Result can be printed in several forms.
func (r *Result) printable() []printed {
	out := make([]printed, 0, len(r.Diagnostics))
	for _, d := range r.Diagnostics {
		shown := *d
		shown.Summary, shown.Detail = r.module.Mask(d.Summary), r.module.Mask(d.Detail)
		shown.Subject, shown.Context = r.shown(d.Subject), r.shown(d.Context)
		out = append(out, printed{&shown, lang.RuleOf(d)})
	}
	return out
}

func (r *Result) shown(at *hcl.Range) *hcl.Range {
	if at == nil {
		return nil
	}
	moved := *at
	moved.Filename = display(r.prefix, at.Filename)
	return &moved
}

// sources are the texts for snippets, by the name that is shown.
func (r *Result) sources() map[string]*hcl.File {
	files := make(map[string]*hcl.File, len(r.module.Files()))
	for name, file := range r.module.Files() {
		masked := *file
		masked.Bytes = maskLines(file.Bytes, r.module.Mask)
		files[display(r.prefix, name)] = &masked
	}
	return files
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

// WriteText writes the diagnostics for people, in HCL's own form with a snippet of the source. Lines of prose are
// wrapped at width; 0 leaves them as they are.
func (r *Result) WriteText(w io.Writer, color bool, width uint) error {
	var out bytes.Buffer
	writer := hcl.NewDiagnosticTextWriter(&out, r.sources(), width, color)
	for _, d := range r.printable() {
		if err := writer.WriteDiagnostic(d.Diagnostic); err != nil {
			return fmt.Errorf("write diagnostics: %w", err)
		}
	}
	if _, err := io.WriteString(w, r.module.Mask(out.String())); err != nil {
		return fmt.Errorf("write diagnostics: %w", err)
	}
	return nil
}
