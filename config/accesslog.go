package config

import (
	"fmt"
	"path"
	"strings"
	"unicode"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/model"
)

// standardOutput is where an access log goes unless said.
const standardOutput = "/dev/stdout"

var accessLogSchema = lang.Schema{
	Hints: accessLogHints,
	Attributes: []lang.Attribute{
		{Name: "format", Type: lang.String},
		{Name: "path", Type: lang.String},
	},
}

func (l *loader) decodeAccessLog(body *lang.Body) *model.AccessLog {
	file := body.String("path")
	out := &model.AccessLog{
		Format: choice(l, body.String("format"), model.JSONLog, model.JSONLog, model.TextLog).V,
		Path:   file.Or(standardOutput),
		Place:  body.Place(),
	}
	wrong := ""
	switch {
	case !file.Valid():
	case file.V == "":
		wrong = "It is empty."
	case file.V == "stdout" || file.V == "stderr":
		wrong = fmt.Sprintf("Write %q.", "/dev/"+file.V)
	case !strings.HasPrefix(file.V, "/"):
		wrong = "It is relative, and Envoy would take it from the directory that it was started in; start it with a slash."
	case strings.HasSuffix(file.V, "/") || path.Clean(file.V) == "/":
		wrong = "It names a directory; add the file's name."
	case strings.ContainsFunc(file.V, unicode.IsControl):
		wrong = "It holds a control character."
	}
	if wrong != "" {
		l.blame(file, &fault{ruleValue, "Invalid path of a log", "is not a file that Envoy can write to.", wrong,
			"The path is an absolute one on Envoy's machine; \"/dev/stdout\", the default, is Envoy's standard output."})
	}
	return out
}
