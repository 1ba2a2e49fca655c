package source

import (
	"fmt"
	"strings"
)

// maxErrors is how many paths one error names.
const maxErrors = 50

// several are errors about as many paths, each on a line of its own.
type several []error

// Unwrap gives errors.Is and errors.As each of them.
func (s several) Unwrap() []error { return s }

func (s several) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d paths cannot be read:", len(s))
	for _, err := range s[:min(len(s), maxErrors)] {
		text.WriteString("\n" + err.Error())
	}
	if more := len(s) - maxErrors; more > 0 {
		fmt.Fprintf(&text, "\nand %d more", more)
	}
	return text.String()
}

// together is one error of those that are not nil, or nil. One alone stays as it is.
func together(errs []error) error {
	var all several
	for _, err := range errs {
		if inner, ok := err.(several); ok { //nolint:errorlint // only what this function made
			all = append(all, inner...)
		} else if err != nil {
			all = append(all, err)
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return all
}
