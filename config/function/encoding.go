package function

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function/stdlib"
	yamlv3 "go.yaml.in/yaml/v3"
)

var encodingEntries = map[string]entry{
	"base64decode": {fn: textFunc("str", decodeBase64)},
	"base64encode": {fn: textFunc("str", func(s string) (string, error) {
		return base64.StdEncoding.EncodeToString([]byte(s)), nil
	})},
	"csvdecode":  {fn: stdlib.CSVDecodeFunc, limit: limitCSV, grows: limitResult},
	"jsondecode": {fn: stdlib.JSONDecodeFunc, limit: limitJSON, grows: limitResult},
	"jsonencode": {fn: stdlib.JSONEncodeFunc, limit: limitWeight},
	"urlencode":  {fn: textFunc("str", func(s string) (string, error) { return url.QueryEscape(s), nil })},
	"yamldecode": {fn: yaml.YAMLDecodeFunc, limit: limitYAML, grows: limitResult},
	"yamlencode": {fn: yaml.YAMLEncodeFunc, limit: limitWeight},
}

var errNotUTF8 = errors.New("the bytes are not valid UTF-8, so they cannot be text")

func decodeBase64(s string) (string, error) {
	data, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return "", fmt.Errorf("not Base64: %w", err)
	}
	if !utf8.Valid(data) {
		return "", errNotUTF8
	}
	return string(data), nil
}

// limitCSV counts separators, each of which may begin a value.
func limitCSV(args []cty.Value) error {
	s, _ := text(args[0])
	if strings.Count(s, ",")+strings.Count(s, "\n") > maxElements {
		return errTooMany()
	}
	return nil
}

// limitJSON looks at the brackets outside of strings. The decoder calls itself for each level, and a stack that
// overflows ends the process.
func limitJSON(args []cty.Value) error {
	s, _ := text(args[0])
	depth, separators, quoted := 0, 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			if depth++; depth > maxDepth {
				return errTooDeep()
			}
		case c == ']' || c == '}':
			depth--
		case c == ',':
			if separators++; separators > maxElements {
				return errTooMany()
			}
		}
	}
	return nil
}

// limitYAML measures the document as another parser sees it, one that bounds its own depth and leaves aliases alone:
// a few lines of aliases of aliases stand for more values than fit anywhere.
func limitYAML(args []cty.Value) error {
	s, _ := text(args[0])
	if len(s) > maxText {
		return errTooLong()
	}
	var document yamlv3.Node
	if err := yamlv3.Unmarshal([]byte(s), &document); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	m := yamlMeasure{elements: map[*yamlv3.Node]int{}}
	if m.count(&document, 0) > maxElements {
		return errTooMany()
	}
	return m.err
}

type yamlMeasure struct {
	elements map[*yamlv3.Node]int // of what an alias stands for
	err      error
}

// count returns the number of values in n with aliases followed, or something above maxElements.
func (m *yamlMeasure) count(n *yamlv3.Node, depth int) int {
	if depth > maxDepth {
		m.err = errTooDeep()
		return 1
	}
	if n.Kind == yamlv3.AliasNode {
		n = n.Alias
	}
	if known, ok := m.elements[n]; ok {
		return known
	}
	m.elements[n] = 1 // an alias inside of its own anchor: the decoder refuses it
	total := 1
	for _, child := range n.Content {
		total = min(total+m.count(child, depth+1), maxElements+1)
	}
	m.elements[n] = total
	return total
}
