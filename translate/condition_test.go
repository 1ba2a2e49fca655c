package translate

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/weirproxy/weir/model"
)

// addConditions gives APIs conditions, and most of them a twin that has none or others.
func addConditions(random *rand.Rand, s *model.Service) {
	for _, api := range sortedValues(s.APIs) {
		taken := map[string]bool{fmt.Sprint(api.Headers, api.Query): true}
		for i := range random.IntN(4) {
			twin := *api
			twin.Name = fmt.Sprintf("%s_%d", api.Name, i)
			twin.Backend.Mock = &model.Mock{Status: 200, Body: s.Name + "/" + twin.Name}
			twin.Headers, twin.Query = randomConditions(random, "x-a", "x-b"), randomConditions(random, "q", "r s")
			if random.IntN(3) > 0 {
				twin.Methods = [][]string{nil, {"GET"}, {"POST", "GET"}}[random.IntN(3)]
			}
			key := fmt.Sprint(twin.Headers, twin.Query)
			if taken[key] {
				continue
			}
			taken[key] = true
			s.APIs[twin.Name] = &twin
		}
		if random.IntN(4) == 0 {
			delete(s.APIs, api.Name)
		}
	}
}

// values are what conditions and requests say.
var values = []string{"1", "12", "a b", "&=+", "\u00fc"}

func randomConditions(random *rand.Rand, names ...string) []model.Condition {
	var out []model.Condition
	for _, name := range names {
		if random.IntN(2) == 0 {
			continue
		}
		c := model.Condition{Name: name, Text: values[random.IntN(len(values))]}
		c.Match = []model.Match{model.MatchExact, model.MatchPrefix, model.MatchSuffix, model.MatchContains, model.MatchPresent, model.MatchRegex}[random.IntN(6)]
		isHeader := strings.HasPrefix(name, "x-")
		c.Invert = random.IntN(3) == 0 && (isHeader || c.Match == model.MatchPresent)
		switch {
		case c.Match == model.MatchPresent:
			c.Text = ""
		case c.Match == model.MatchRegex && isHeader:
			c.Text = []string{"1|a b", "[0-9]+", ".*2"}[random.IntN(3)]
		case c.Match == model.MatchRegex:
			c.Match = model.MatchExact
		}
		out = append(out, c)
	}
	return out
}

func randomHeaders(random *rand.Rand) []string {
	var out []string
	for _, name := range []string{"X-A", "x-b"} {
		if random.IntN(3) > 0 {
			out = append(out, name+": "+append(values, "", "2")[random.IntN(len(values)+2)])
		}
	}
	return out
}

func randomQuery(random *rand.Rand) string {
	var parts []string
	for _, name := range []string{"q", "r s", "q", "%41"} {
		if random.IntN(3) > 0 {
			continue
		}
		name, value := url.QueryEscape(name), url.QueryEscape(append(values, "", "2")[random.IntN(len(values)+2)])
		switch random.IntN(4) {
		case 0:
			value = strings.ReplaceAll(strings.ToLower(value), "1", "%31")
		case 1:
			name, value = strings.ReplaceAll(name, "+", "%20"), strings.ReplaceAll(value, "+", "%20")
		case 2:
			parts = append(parts, name)
			continue
		}
		parts = append(parts, name+"="+value)
	}
	if len(parts) == 0 {
		return []string{"", "?", "?/a/b", "?a?q=1"}[random.IntN(4)]
	}
	return "?" + strings.Join(parts, "&")
}

// conditionsHold reads the conditions word by word.
func conditionsHold(api *model.API, headers []string, query string) bool {
	sent := map[string][]string{}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		sent[strings.ToLower(name)] = []string{value}
	}
	for _, c := range api.Headers {
		found := false
		for _, value := range sent[c.Name] {
			found = found || compare(c, value)
		}
		if found == c.Invert {
			return false
		}
	}
	parameters, err := url.ParseQuery(strings.TrimPrefix(query, "?"))
	if err != nil {
		panic(err)
	}
	for _, c := range api.Query {
		found := false
		for _, value := range parameters[c.Name] {
			found = found || compare(c, value)
		}
		if found == c.Invert {
			return false
		}
	}
	return true
}

func compare(c model.Condition, value string) bool {
	switch c.Match {
	case model.MatchExact:
		return value == c.Text
	case model.MatchPrefix:
		return strings.HasPrefix(value, c.Text)
	case model.MatchSuffix:
		return strings.HasSuffix(value, c.Text)
	case model.MatchContains:
		return strings.Contains(value, c.Text)
	case model.MatchRegex:
		return regexp.MustCompile("^(?:" + c.Text + ")$").MatchString(value)
	}
	return true
}

// TestQueryRegex holds against every byte that a client may encode that the expression finds it and nothing else.
func TestQueryRegex(t *testing.T) {
	for b := range 256 {
		if b < 0x20 || b == 0x7f {
			continue
		}
		text := string([]byte{'a', byte(b), 'z'})
		expression := strings.ReplaceAll(queryRegex(model.Condition{Name: "n", Match: model.MatchExact, Text: text}), `\C`, `(?s:.)`)
		re := regexp.MustCompile("^(?:" + expression + ")$")
		for _, encoded := range []string{url.QueryEscape(text), fmt.Sprintf("a%%%02x%%7A", b), fmt.Sprintf("%%61%%%02Xz", b)} {
			for _, path := range []string{"/?n=" + encoded, "/x?m&n=" + encoded + "&o=1"} {
				if !re.MatchString(path) {
					t.Errorf("%q does not match %q", expression, path)
				}
			}
			for _, path := range []string{"/?n=" + encoded + "a", "/?nn=" + encoded, "/?m=n=" + encoded, "/n=" + encoded, "/?n=a" + encoded} {
				if re.MatchString(path) {
					t.Errorf("%q matches %q", expression, path)
				}
			}
		}
	}
}
