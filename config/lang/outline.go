package lang

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"

	"github.com/hashicorp/hcl/v2"
)

// nestedTooDeep reports a text that a recursive parser cannot be given.
func nestedTooDeep(f File) *hcl.Diagnostic {
	if !isJSON(f.Name) {
		return tooDeep(f)
	}
	depth, deepest, operators, longest := jsonDepth(f.Bytes)
	return overBounds(f, depth, deepest, operators, longest)
}

// tooDeep does so for native syntax, whatever the file's name.
func tooDeep(f File) *hcl.Diagnostic {
	s := scanNative(f.Bytes, nil)
	return overBounds(f, s.depth, s.deepest, s.operators, s.longest)
}

func overBounds(f File, depth, deepest, operators, longest int) *hcl.Diagnostic {
	switch {
	case depth > maxNesting:
		return Error(RuleFile, at(f, deepest), "Nested too deep",
			fmt.Sprintf("Blocks, brackets and templates may be nested %d deep. Take this apart with locals.", maxNesting))
	case operators > maxOperators:
		return Error(RuleFile, at(f, longest), "Expression too long",
			fmt.Sprintf("One expression may have %d operators. Take this apart with locals, or write it as a list.", maxOperators))
	}
	return nil
}

// jsonDepth measures a JSON text, and the templates in its strings.
func jsonDepth(src []byte) (depth, deepest, operators, longest int) {
	open := 0
	for i := 0; i < len(src); i++ {
		switch src[i] {
		case '{', '[':
			open++
			if open > depth {
				depth, deepest = open, i
			}
		case '}', ']':
			open--
		case '"':
			end := stringEnd(src, i)
			if raw := src[i:end]; bytes.Contains(raw, []byte("{")) {
				s := scanTemplate(unquote(raw))
				if open+s.depth > depth {
					depth, deepest = open+s.depth, i
				}
				if s.operators > operators {
					operators, longest = s.operators, i
				}
			}
			i = end - 1
		}
	}
	return depth, deepest, operators, longest
}

// stringEnd is the position after a JSON string that starts at i.
func stringEnd(src []byte, i int) int {
	for i++; i < len(src); i++ {
		switch {
		case src[i] == '\\':
			i++
		case src[i] == '"':
			return i + 1
		case src[i] < ' ':
			return i
		}
	}
	return len(src)
}

// unquote is a JSON string's text; what is no JSON string is taken as it is.
func unquote(raw []byte) []byte {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return raw
	}
	return []byte(text)
}

// header is how a block with a label most likely starts, in a text that does not parse.
var header = regexp.MustCompile(`(?m)^[ \t]*([A-Za-z_]\w*)[ \t]+"?([^"\s{}=$]+)"?\s*\{`)

// jsonProperty is any property, likewise.
var jsonProperty = regexp.MustCompile(`"([^"\\]*)"\s*:`)

// assignment is an attribute, likewise.
var assignment = regexp.MustCompile(`(?m)^[ \t]*([A-Za-z_][\w-]*)[ \t]*=`)

// anyAssignment is one that may share its line with others.
var anyAssignment = regexp.MustCompile(`([A-Za-z_][\w-]*)[ \t]*=(?:[^=]|$)`)

// rescue notes the names of a file that did not parse, so that references to them are not reported too. It takes
// too many rather than too few.
func (l *loader) rescue(f File) {
	if isJSON(f.Name) {
		for _, match := range jsonProperty.FindAllSubmatch(f.Bytes, -1) {
			for _, names := range l.m.names {
				names[string(match[1])] = true
			}
		}
		return
	}
	for _, match := range header.FindAllSubmatch(f.Bytes, -1) {
		root := string(match[1])
		if root == variableBlock {
			root = varRoot
		}
		if names, ok := l.m.names[root]; ok {
			names[string(match[2])] = true
		}
	}
	for _, match := range anyAssignment.FindAllSubmatch(f.Bytes, -1) {
		l.m.names[localRoot][string(match[1])] = true
	}
}
