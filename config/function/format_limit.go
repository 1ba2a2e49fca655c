package function

import (
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// limitFormat bounds format: each verb makes its argument's text, or as much as its width and precision say.
func limitFormat(args []cty.Value) error {
	weights := make([]int, len(args)-1)
	for i, arg := range args[1:] {
		weight, err := weigh(arg)
		if err != nil {
			return err
		}
		weights[i] = weight
	}
	format, _ := text(args[0])
	if formatLength(format, weights) > maxText {
		return errTooLong()
	}
	return nil
}

// limitFormatList bounds formatlist, which formats once for each element of its lists.
func limitFormatList(args []cty.Value) error {
	calls := 1
	weights := make([]int, len(args)-1)
	for i, arg := range args[1:] {
		total, err := weigh(arg)
		if err != nil {
			return err
		}
		weights[i] = total
		if t := arg.Type(); t.IsListType() || t.IsSetType() || t.IsTupleType() {
			calls = max(calls, count(arg))
			weights[i] = heaviest(arg)
		}
	}
	format, _ := text(args[0])
	if formatLength(format, weights) > maxText/calls {
		return errTooLong()
	}
	return nil
}

// heaviest returns the weight of a collection's heaviest element; the whole has been weighed already.
func heaviest(v cty.Value) int {
	if count(v) == 0 {
		return 0
	}
	v, _ = v.Unmark()
	most := 0
	for it := v.ElementIterator(); it.Next(); {
		_, element := it.Element()
		weight, _ := weigh(element)
		most = max(most, weight)
	}
	return most
}

// formatLength returns an upper bound of what format makes out of arguments of these weights, or anything above
// maxText where it is more.
func formatLength(format string, weights []int) int {
	length, next := len(format), 1
	for {
		percent := strings.IndexByte(format, '%')
		if percent < 0 || length > maxText {
			return length
		}
		format = format[percent+1:]
		if strings.HasPrefix(format, "%") {
			format = format[1:]
			continue
		}
		var v verb
		v, format = scanVerb(format)
		if v.argument > 0 {
			next = v.argument
		}
		if next-1 < len(weights) {
			length += weights[next-1]
		}
		length += v.width + v.precision
		next++
	}
}

// verb is what counts of a verb of format: "%8.3[2]f".
type verb struct{ width, precision, argument int }

// scanVerb reads what follows a percent sign, and returns the rest.
func scanVerb(s string) (verb, string) {
	var v verb
	s = strings.TrimLeft(s, "0#-+ ")
	v.width, s = scanNumber(s)
	if strings.HasPrefix(s, ".") {
		v.precision, s = scanNumber(s[1:])
	}
	if strings.HasPrefix(s, "[") {
		v.argument, s = scanNumber(s[1:])
	}
	return v, s
}

// scanNumber reads the digits that s starts with. More than maxText is as good as maxText + 1.
func scanNumber(s string) (int, string) {
	n, i := 0, 0
	for ; i < len(s) && '0' <= s[i] && s[i] <= '9'; i++ {
		n = min(n*10+int(s[i]-'0'), maxText+1)
	}
	return n, s[i:]
}
