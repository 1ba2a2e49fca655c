package config

import (
	"fmt"
	"strings"
)

// slip is what is wrong with a text, in sentences that can stand alone, and the text to write instead, where there is one.
type slip struct{ wrong, instead string }

// maxSlips is how many mistakes of one text are told after each other.
const maxSlips = 5

// mend says what is wrong with a text and what to write. What it says to write is accepted: where mending the first
// mistake leaves another one, that is told too.
func mend(text string, judge func(string) slip) string {
	var words string
	seen := map[string]bool{}
	for range maxSlips {
		found := judge(text)
		switch {
		case found.wrong == "" && words != "":
			return fmt.Sprintf("%s Write %q.", words, text)
		case found.wrong == "":
			return ""
		case words == "":
			words = found.wrong
		case !strings.Contains(words, found.wrong):
			words += " " + found.wrong
		}
		if seen[text] = true; found.instead == "" || seen[found.instead] {
			break
		}
		text = found.instead
	}
	return words
}
