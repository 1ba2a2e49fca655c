package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/weirproxy/weir/model"
)

// maxPathVariables is what the translation can carry: a regular expression numbers its groups \1 to \9.
const maxPathVariables = 9

// parsePath reads the path of an API, "/orders/{id}".
func parsePath(text string) (model.Path, *fault) {
	if wrong := mend(text, wrongPath); wrong != "" {
		return model.Path{}, pathFault(wrong)
	}
	if variables, _ := parsePattern(text); len(variables) > 0 {
		return model.Path{Kind: model.TemplatePath, Text: text}, nil
	}
	return model.Path{Kind: model.ExactPath, Text: text}, nil
}

func wrongPath(text string) slip {
	if _, wrong := parsePattern(text); wrong.wrong != "" {
		return wrong
	}
	return unmatchable(text)
}

// parsePrefix reads a path_prefix, "/orders". Its trailing slash means nothing, so it is dropped.
func parsePrefix(text string) (model.Path, *fault) {
	if wrong := mend(trimSlash(text), wrongPrefixPath); wrong != "" {
		return model.Path{}, pathFault(wrong)
	}
	return model.Path{Kind: model.PrefixPath, Text: trimSlash(text)}, nil
}

func wrongPrefixPath(text string) slip {
	wrong := wrongPath(text)
	variables, _ := parsePattern(text)
	switch {
	case wrong.wrong != "":
		return wrong
	case len(variables) > 0:
		return slip{wrong: fmt.Sprintf("A path_prefix has no variables, and {%s} is one. Variables stand in path, which matches the whole path.", variables[0])}
	case strings.HasSuffix(text, "/*"):
		return slip{"A path_prefix already matches everything below it, and a * is an ordinary character.", trimSlash(strings.TrimSuffix(text, "*"))}
	}
	return slip{}
}

// parseReplacement reads the path of a backend, which takes the place of what the API's path matched.
func parseReplacement(text string, matched model.Path) (string, *fault) {
	if matched.Kind == model.PrefixPath {
		text = trimSlash(text)
	}
	wrong := mend(text, func(text string) slip { return wrongReplacement(text, matched) })
	if wrong != "" {
		return "", &fault{rulePath, "Invalid backend path", "is not a path that can be sent to a node.", wrong, ""}
	}
	return text, nil
}

func wrongReplacement(text string, matched model.Path) slip {
	variables, wrong := parsePattern(text)
	switch {
	case text == "":
		return slip{wrong: "It is empty; leave the attribute out to send the request's path on unchanged."}
	case wrong.wrong != "":
		return wrong
	case len(variables) > 0 && matched.Kind == model.PrefixPath:
		return slip{wrong: fmt.Sprintf("It uses the variable {%s}, but the API has no path that declares one. With path_prefix, backend.path replaces the prefix and has no variables.", variables[0])}
	}
	declared := pathVariables(matched)
	for _, name := range variables {
		if !slices.Contains(declared, name) {
			return slip{wrong: undeclared(name, matched.Text, declared)}
		}
	}
	return slip{}
}

func undeclared(name, path string, declared []string) string {
	if len(declared) == 0 {
		return fmt.Sprintf("It uses the variable {%s}, but the API's path %q declares none. A backend path uses the variables of its API's path only.", name, path)
	}
	return strings.TrimSpace(fmt.Sprintf("It uses the variable {%s}, but the API's path %q declares only {%s}. A backend path uses the variables of its API's path only. %s",
		name, path, strings.Join(declared, "}, {"), suggest(name, declared)))
}

func pathFault(wrong string) *fault {
	return &fault{rulePath, "Invalid path", "is not a path that a request can have.", wrong, ""}
}

// trimSlash drops trailing slashes, unless nothing else is there.
func trimSlash(text string) string {
	if trimmed := strings.TrimRight(text, "/"); trimmed != "" || text == "" {
		return trimmed
	}
	return "/"
}

// pathVariables are the names of a template's variables, in order.
func pathVariables(p model.Path) []string {
	if p.Kind != model.TemplatePath {
		return nil
	}
	names, _ := parsePattern(p.Text)
	return names
}

// pathShape is the path with its variables' names taken out: two paths of one shape match the same requests.
func pathShape(p model.Path) string {
	switch p.Kind {
	case model.AnyPath:
		return "prefix /"
	case model.PrefixPath:
		return "prefix " + p.Text
	case model.TemplatePath:
		segments := strings.Split(p.Text, "/")
		for i, segment := range segments {
			if strings.HasPrefix(segment, "{") {
				segments[i] = "{}"
			}
		}
		return "path " + strings.Join(segments, "/")
	}
	return "path " + p.Text
}

// parsePattern reads the segments of a path and returns the names of its variables, or what is wrong.
func parsePattern(text string) (variables []string, wrong slip) {
	refuse := func(wrong, instead string) ([]string, slip) { return nil, slip{wrong, instead} }
	switch {
	case text == "":
		return refuse("It is empty; leave the attribute out to take every path.", "")
	case strings.Contains(text, "://"):
		return refuse("It has a scheme and a host; a path starts with a slash. Hosts stand in the service's domains.", "")
	case text[0] != '/':
		return refuse("A path starts with a slash.", "/"+text)
	}
	segments := strings.Split(text[1:], "/")
	for i, segment := range segments {
		name, wrong := parseSegment(segment, i == len(segments)-1)
		switch {
		case wrong.wrong != "" && wrong.instead != "":
			segments[i] = wrong.instead
			return refuse(wrong.wrong, "/"+strings.Join(segments, "/"))
		case wrong.wrong != "":
			return nil, wrong
		case name == "":
		case slices.Contains(variables, name):
			return refuse(fmt.Sprintf("The variable {%s} stands in it twice; each variable of a path has a name of its own.", name), "")
		default:
			variables = append(variables, name)
		}
	}
	if len(variables) > maxPathVariables {
		return refuse(fmt.Sprintf("It has %d variables; a path has at most %d.", len(variables), maxPathVariables), "")
	}
	return variables, slip{}
}

// parseSegment returns the variable's name when the segment is one. What to write instead is a segment.
func parseSegment(segment string, last bool) (variable string, wrong slip) {
	switch {
	case segment == "" && last:
		return "", slip{}
	case segment == "":
		return "", slip{wrong: "It has two slashes in a row, which are merged into one before a request is matched. Write one."}
	case segment == "." || segment == "..":
		return "", slip{wrong: fmt.Sprintf("The segment %q is resolved before a request is matched, so no request ever has it. Write the path that it leads to.", segment)}
	case strings.ContainsAny(segment, "{}"):
		variable, wrong.wrong = parseVariable(segment)
		return variable, wrong
	}
	return "", wrongCharacter(segment)
}

func parseVariable(segment string) (name, wrong string) {
	if segment[0] != '{' || segment[len(segment)-1] != '}' || strings.Count(segment, "{") > 1 || strings.Count(segment, "}") > 1 {
		return "", fmt.Sprintf("A variable is one whole segment, as in \"/orders/{id}\", and %q is more than that. A literal brace is written %%7B or %%7D.", segment)
	}
	name = segment[1 : len(segment)-1]
	if name == "" {
		return "", "The variable {} has no name. Write a letter, then letters, digits and underscores, as in {id}."
	}
	for i, r := range name {
		if !isLetter(r) && (i == 0 || !isAlphanumeric(r) && r != '_') {
			return "", fmt.Sprintf("The name of the variable {%s} is not a letter followed by letters, digits and underscores, as in {order_id}.", name)
		}
	}
	return name, ""
}

// wrongCharacter finds what RFC 3986 does not let stand in a segment as it is.
func wrongCharacter(segment string) slip {
	for i := 0; i < len(segment); i++ {
		c := segment[i]
		switch {
		case c == '?':
			return slip{wrong: "It has a query; the query string is no part of a path and goes on to the node unchanged. Leave the ? and what follows out."}
		case c == '#':
			return slip{wrong: "It has a fragment, which a client never sends. Leave the # and what follows out."}
		case c == '%':
			if i+2 >= len(segment) || !isHex(segment[i+1]) || !isHex(segment[i+2]) {
				return slip{wrong: "A % is followed by two hexadecimal digits; a literal % is written %25."}
			}
			if segment[i+1:i+3] == "00" {
				return slip{wrong: "Requests with %00 are refused before they are matched."}
			}
			i += 2
		case c >= 0x80:
			return slip{fmt.Sprintf("The character %q is not ASCII, and clients percent-encode it.", []rune(segment[i:])[0]), encoded(segment)}
		case !isPathCharacter(rune(c)):
			return slip{fmt.Sprintf("Clients percent-encode the character %q.", c), encoded(segment)}
		}
	}
	return slip{}
}

// unmatchable finds percent-encodings of which Envoy compares another form when it looks for a route: its normalisation
// decodes some, and it compares the others as the client sends them.
func unmatchable(text string) slip {
	var undone, lower string
	var normal strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '%' || i+2 >= len(text) {
			normal.WriteByte(text[i])
			continue
		}
		escape := text[i : i+3]
		c := rune(unhex(escape[1])<<4 | unhex(escape[2]))
		switch upper := strings.ToUpper(escape); {
		case isAlphanumeric(c) || c < 0x80 && strings.ContainsRune("-._~", c):
			undone = cmp.Or(undone, escape)
			normal.WriteByte(byte(c))
		case upper != escape:
			lower = cmp.Or(lower, escape)
			normal.WriteString(upper)
		default:
			normal.WriteString(escape)
		}
		i += 2
	}
	switch {
	case undone != "":
		return slip{fmt.Sprintf("Encodings of letters, digits, \"-\", \".\", \"_\" and \"~\", as %s is one, are decoded before a request is matched, so no request ever has them.", undone), normal.String()}
	case lower != "":
		return slip{fmt.Sprintf("Percent-encodings are written with upper-case digits, as RFC 3986 says and clients do: Envoy compares them as they are sent, and %s is not %s to it.", lower, strings.ToUpper(lower)), normal.String()}
	}
	return slip{}
}

// encoded is a segment with everything percent-encoded that cannot stand in it as it is.
func encoded(segment string) string {
	var b strings.Builder
	for i := 0; i < len(segment); i++ {
		if c := segment[i]; c == '%' || c < 0x80 && isPathCharacter(rune(c)) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// isPathCharacter knows what RFC 3986 lets stand in a segment.
func isPathCharacter(r rune) bool {
	return isAlphanumeric(r) || strings.ContainsRune("-._~!$&'()*+,;=:@", r)
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}
