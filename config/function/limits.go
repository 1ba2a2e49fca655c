package function

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// What one call may make. No configuration that a person or a generator writes comes near; without them a line of
// text could ask for all the memory there is.
const (
	maxText     = 16 << 20 // bytes
	maxElements = 1 << 20  // elements, those of elements included
	maxDepth    = 1000     // levels of lists in lists; decoders call themselves once per level
	maxExponent = 1 << 14  // of 2: a number of about 5,000 digits
	maxDigits   = 5000
)

func errTooLong() error { return fmt.Errorf("the result would have more than %d bytes", maxText) }
func errTooMany() error {
	return fmt.Errorf("the result would have more than %d elements", maxElements)
}
func errTooDeep() error {
	return fmt.Errorf("the text nests values more than %d levels deep", maxDepth)
}

// text returns v's text, where it is known text.
func text(v cty.Value) (string, bool) {
	v, _ = v.Unmark()
	if v.IsNull() || !v.IsKnown() || v.Type() != cty.String {
		return "", false
	}
	return v.AsString(), true
}

// count returns the number of elements that a known collection has, and 0 for anything else.
func count(v cty.Value) int {
	v, _ = v.Unmark()
	if v.IsNull() || !v.IsKnown() || !v.CanIterateElements() {
		return 0
	}
	return v.LengthInt()
}

func hugeNumber(v cty.Value) bool {
	v, _ = v.Unmark()
	if v.Type() != cty.Number || v.IsNull() || !v.IsKnown() {
		return false
	}
	return hugeFloat(v.AsBigFloat())
}

func hugeFloat(f *big.Float) bool {
	exponent := f.MantExp(nil)
	return exponent > maxExponent || exponent < -maxExponent
}

// weigher adds up what a value takes when it is written out, and stops where it is too much: a value can hold the
// same part so often that only counting never ends.
type weigher struct {
	bytes, elements         int
	mostBytes, mostElements int // 0: those of one call
	err                     error
}

func (w *weigher) most(elements, bytes int) { w.mostElements, w.mostBytes = elements, bytes }

func (w *weigher) add(v cty.Value) {
	v, _ = v.Unmark()
	w.elements++
	w.bytes += 4 // quotes, commas, null
	switch {
	case v.IsNull() || !v.IsKnown():
	case v.Type() == cty.String:
		w.bytes += len(v.AsString())
	case v.Type() == cty.Number:
		w.number(v.AsBigFloat())
	case v.CanIterateElements():
		for it := v.ElementIterator(); it.Next() && w.err == nil; {
			key, element := it.Element()
			if key.Type() == cty.String && !v.Type().IsSetType() {
				name, _ := text(key)
				w.bytes += len(name) + 4
			}
			w.add(element)
		}
	}
	if w.mostElements == 0 {
		w.most(maxElements, maxText)
	}
	if w.err == nil && w.bytes > w.mostBytes {
		w.err = errTooLong()
	}
	if w.err == nil && w.elements > w.mostElements {
		w.err = errTooMany()
	}
}

func (w *weigher) number(f *big.Float) {
	if hugeFloat(f) && w.err == nil {
		w.err = errHugeNumber
	}
	exponent := f.MantExp(nil)
	w.bytes += max(exponent, -exponent)/3 + 8
}

func weigh(v cty.Value) (int, error) {
	var w weigher
	w.add(v)
	return w.bytes, w.err
}

// limitWeight is the limit of a function whose result is as long as its arguments written out.
func limitWeight(args []cty.Value) error {
	var w weigher
	for _, arg := range args {
		w.add(arg)
	}
	return w.err
}

// limitResult is for functions that make values out of text.
func limitResult(result cty.Value) error {
	_, err := weigh(result)
	return err
}

// limitSum is the limit of a function that puts its arguments' elements side by side.
func limitSum(args []cty.Value) error {
	total := 0
	for _, arg := range args {
		if total += count(arg); total > maxElements {
			return errTooMany()
		}
	}
	return nil
}

// limitProduct is setproduct's: so many combinations, each with an element of every argument.
func limitProduct(args []cty.Value) error {
	total := len(args)
	for _, arg := range args {
		n := count(arg)
		if n == 0 {
			return nil
		}
		if total > maxElements/n {
			return errTooMany()
		}
		total *= n
	}
	return nil
}

func limitDigits(args []cty.Value) error {
	if digits, ok := text(args[0]); ok && len(digits) > maxDigits {
		return errHugeNumber
	}
	return nil
}

// limitJoin counts a separator for each element.
func limitJoin(args []cty.Value) error {
	var w weigher
	separator, _ := text(args[0])
	for _, list := range args[1:] {
		w.add(list)
		if n := count(list); n > 0 && len(separator) > maxText/n {
			return errTooLong()
		}
		w.bytes += len(separator) * count(list)
	}
	if w.err == nil && w.bytes > maxText {
		return errTooLong()
	}
	return w.err
}

func limitSplit(args []cty.Value) error {
	separator, _ := text(args[0])
	s, _ := text(args[1])
	if strings.Count(s, separator) > maxElements {
		return errTooMany()
	}
	return nil
}

func limitIndent(args []cty.Value) error {
	spaces, ok := whole(args[0])
	s, _ := text(args[1])
	switch {
	case !ok:
		return nil // indent's own words
	case spaces < 0:
		return fmt.Errorf("the number of spaces must not be negative")
	case spaces > maxText/(strings.Count(s, "\n")+1):
		return errTooLong()
	}
	return nil
}

// whole returns the whole number that v is, if it is one that fits.
func whole(v cty.Value) (int, bool) {
	v, _ = v.Unmark()
	if v.Type() != cty.Number || v.IsNull() || !v.IsKnown() {
		return 0, false
	}
	n, accuracy := v.AsBigFloat().Int64()
	return int(n), accuracy == big.Exact
}

// limitMatches is regexall's: it keeps every match and every group of each.
func limitMatches(args []cty.Value) error {
	pattern, _ := text(args[0])
	s, _ := text(args[1])
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil // regexall's own words
	}
	most := maxElements / (re.NumSubexp() + 1)
	if len(re.FindAllStringIndex(s, most+1)) > most {
		return errTooMany()
	}
	return nil
}
