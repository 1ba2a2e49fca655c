package function

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

var textEntries = map[string]entry{
	"chomp":       {fn: stdlib.ChompFunc},
	"endswith":    {fn: textTest("suffix", strings.HasSuffix)},
	"format":      {fn: stdlib.FormatFunc, limit: limitFormat},
	"formatlist":  {fn: stdlib.FormatListFunc, limit: limitFormatList},
	"indent":      {fn: stdlib.IndentFunc, limit: limitIndent},
	"join":        {fn: stdlib.JoinFunc, limit: limitJoin},
	"lower":       {fn: stdlib.LowerFunc},
	"regex":       {fn: stdlib.RegexFunc},
	"regexall":    {fn: stdlib.RegexAllFunc, limit: limitMatches},
	"replace":     {fn: replaceFunc},
	"split":       {fn: stdlib.SplitFunc, limit: limitSplit},
	"startswith":  {fn: textTest("prefix", strings.HasPrefix)},
	"strcontains": {fn: textTest("substr", strings.Contains)},
	"strrev":      {fn: stdlib.ReverseFunc},
	"substr":      {fn: stdlib.SubstrFunc},
	"title":       {fn: stdlib.TitleFunc},
	"trim":        {fn: stdlib.TrimFunc},
	"trimprefix":  {fn: stdlib.TrimPrefixFunc},
	"trimspace":   {fn: stdlib.TrimSpaceFunc},
	"trimsuffix":  {fn: stdlib.TrimSuffixFunc},
	"upper":       {fn: stdlib.UpperFunc},
}

// textTest makes a function of a question about two strings.
func textTest(second string, ask func(s, other string) bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "str", Type: cty.String}, {Name: second, Type: cty.String}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(ask(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

// textFunc makes a function of one string to another.
func textFunc(name string, convert func(string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: name, Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			s, err := convert(args[0].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return cty.StringVal(s), nil
		},
	})
}

// replaceFunc replaces text, or what a regular expression between slashes matches.
var replaceFunc = function.New(&function.Spec{
	Params: []function.Parameter{
		{Name: "str", Type: cty.String},
		{Name: "substr", Type: cty.String},
		{Name: "replace", Type: cty.String},
	},
	Type: function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		s, old, replacement := args[0].AsString(), args[1].AsString(), args[2].AsString()
		if len(old) > 1 && strings.HasPrefix(old, "/") && strings.HasSuffix(old, "/") {
			return replacePattern(s, old[1:len(old)-1], replacement)
		}
		if n := strings.Count(s, old); n > 0 && len(replacement) > (maxText-min(len(s), maxText))/n {
			return cty.NilVal, errTooLong()
		}
		return cty.StringVal(strings.ReplaceAll(s, old, replacement)), nil
	},
})

func replacePattern(s, pattern, template string) (cty.Value, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return cty.NilVal, function.NewArgErrorf(1, "not a regular expression: %w", err)
	}
	most := maxElements / (re.NumSubexp() + 1)
	matches := re.FindAllStringSubmatchIndex(s, most+1)
	if len(matches) > most {
		return cty.NilVal, fmt.Errorf("the expression matches more than %d times", most)
	}
	var out []byte
	end := 0
	for _, match := range matches {
		out = append(out, s[end:match[0]]...)
		out = re.ExpandString(out, template, s, match)
		end = match[1]
		if len(out) > maxText {
			return cty.NilVal, errTooLong()
		}
	}
	return cty.StringVal(string(append(out, s[end:]...))), nil
}
