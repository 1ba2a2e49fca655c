package config

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/weirproxy/weir/config/lang"
)

// Syntax says what keeps a text from being read at all, in the words of a load. What the text means is not looked at.
func Syntax(name string, text []byte) *Result {
	return &Result{
		Diagnostics: lang.Syntax(lang.File{Name: name, Bytes: text}),
		source: func(asked string) *hcl.File {
			if asked != name {
				return nil
			}
			return &hcl.File{Bytes: text}
		},
		mask: func(s string) string { return s },
	}
}
