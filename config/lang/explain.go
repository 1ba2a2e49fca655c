package lang

import (
	"github.com/hashicorp/hcl/v2"
)

// syntaxMistake makes a diagnostic of this package out of one of HCL's parsers.
func syntaxMistake(d *hcl.Diagnostic, text []byte) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: d.Severity, Summary: d.Summary, Detail: d.Detail, Subject: d.Subject, Context: d.Context, Extra: ruled{RuleSyntax}}
}
