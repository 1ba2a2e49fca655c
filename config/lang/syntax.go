package lang

import "github.com/hashicorp/hcl/v2"

// Syntax says what keeps one file from being read, in the words of a load. What the text means is not looked at.
func Syntax(f File) hcl.Diagnostics {
	var d diagnostics
	if err := unreadable(f); err != nil {
		d.add(err)
	} else {
		parseFile(f, map[string]*hcl.File{}, &d)
	}
	return d.list
}
