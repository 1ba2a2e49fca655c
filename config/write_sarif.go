package config

import (
	"cmp"
	"io"
	"maps"
	"net/url"
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/weirproxy/weir/config/lang"
)

// The parts of a SARIF 2.1.0 log (OASIS) that a list of diagnostics needs, named after its properties.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string    `json:"id"`
		ShortDescription sarifText `json:"shortDescription"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations,omitempty"`
	}
	sarifLocation struct {
		PhysicalLocation sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		ArtifactLocation sarifArtifact `json:"artifactLocation"`
		Region           sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
		EndLine     int `json:"endLine"`
		EndColumn   int `json:"endColumn"`
	}
)

// WriteSARIF writes the diagnostics as a SARIF 2.1.0 log, which code hosts show beside a change.
func (r *Result) WriteSARIF(w io.Writer) error {
	rules, index := sarifRules(r.Diagnostics)
	results, pages := []sarifResult{}, r.pages()
	for _, d := range r.Diagnostics {
		id := ruleID(d)
		one := sarifResult{RuleID: id, RuleIndex: index[id], Level: severity(d), Message: sarifText{d.Summary + "\n\n" + d.Detail}}
		if d.Detail == "" {
			one.Message.Text = d.Summary
		}
		if d.Subject != nil {
			one.Locations = []sarifLocation{{sarifPhysical{sarifArtifact{fileURI(d.Subject.Filename)}, region(*d.Subject, pages.of(d.Subject.Filename))}}}
		}
		results = append(results, one)
	}
	return encode(w, sarifLog{
		Schema:  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		Version: "2.1.0",
		Runs: []sarifRun{{
			Tool:       sarifTool{sarifDriver{"weir", "https://github.com/weirproxy/weir", rules}},
			ColumnKind: "unicodeCodePoints",
			Results:    results,
		}},
	})
}

// sarifRules lists the rules that the diagnostics name, sorted, with the position of each.
func sarifRules(diags hcl.Diagnostics) ([]sarifRule, map[string]int) {
	texts := map[string]string{}
	for _, d := range diags {
		id := ruleID(d)
		if texts[id] = ruleTexts[lang.Rule(id)]; texts[id] == "" {
			texts[id] = d.Summary
		}
	}
	rules, index := []sarifRule{}, map[string]int{}
	for i, id := range slices.Sorted(maps.Keys(texts)) {
		rules = append(rules, sarifRule{id, sarifText{texts[id]}})
		index[id] = i
	}
	return rules, index
}

// ruleID is never empty, as SARIF asks.
func ruleID(d *hcl.Diagnostic) string {
	return string(cmp.Or(lang.RuleOf(d), lang.RuleSyntax))
}

// fileURI is a relative reference or a file URI.
func fileURI(name string) string {
	u := url.URL{Path: filepath.ToSlash(name)}
	if filepath.IsAbs(name) {
		u.Scheme = "file"
	}
	return u.String()
}

// region is one character wide at least: an empty one would be shown nowhere.
func region(r hcl.Range, p *page) sarifRegion {
	out := sarifRegion{r.Start.Line, r.Start.Column, r.End.Line, r.End.Column}
	if p != nil {
		out.StartColumn, out.EndColumn = p.codePoints(r.Start), p.codePoints(r.End)
	}
	if r.Empty() {
		out.EndColumn++
	}
	return out
}
