package function

import (
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// The bound that is computed before format runs is never less than what format makes.
func FuzzFormatLength(f *testing.F) {
	f.Add("%5.1[2]f|%%|%-8[1]s%q", "x", 2.5)
	f.Add("%[1]s%s%[1]s%", "\u00e9", 1e300)
	f.Add("%.20f%b%#v%050d%x", "\"\x00", 3.0)
	f.Fuzz(func(t *testing.T, format, s string, n float64) {
		if strings.ContainsAny(format, "123456789") && len(format) > 64 || n != n {
			return // a few digits ask for megabytes, which takes its time
		}
		args := []cty.Value{cty.StringVal(format), cty.StringVal(s), cty.NumberFloatVal(n)}
		if limitFormat(args) != nil {
			return
		}
		made, err := stdlib.Format(args[0], args[1:]...)
		if err != nil {
			return
		}
		weights := make([]int, 2)
		for i, arg := range args[1:] {
			weights[i], _ = weigh(arg)
		}
		// A byte can become six in a quoted string, and a digit four in binary.
		if bound := 6 * formatLength(format, weights); len(made.AsString()) > bound {
			t.Errorf("format(%q, %q, %g) has %d bytes, the bound is %d", format, s, n, len(made.AsString()), bound)
		}
	})
}
