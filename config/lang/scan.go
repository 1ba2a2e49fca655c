package lang

import "github.com/hashicorp/hcl/v2"

// nestedTooDeep reports a text whose nesting would overflow a recursive parser.
func nestedTooDeep(f File) *hcl.Diagnostic { return nil }

// rescue notes the names of a file that did not parse.
func (l *loader) rescue(f File) {}

// BlockNames are the ids of a text's top-level blocks.
func BlockNames(f File) []string { return nil }
