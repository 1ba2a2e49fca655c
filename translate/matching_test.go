package translate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	xdsmatcherv3 "github.com/cncf/xds/go/xds/type/matcher/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"github.com/weirproxy/weir/model"
)

// TestMatchingProperty compares the real Envoy's choice with a plain reading of "Matching", over random sets of APIs, each
// under a domain of its own, and random requests; in both forms that the routes of a domain may take.
func TestMatchingProperty(t *testing.T) {
	const domains, requests = 300, 40
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	c := edge()
	sets := make([][]string, domains)
	for i := range sets {
		sets[i] = randomAPIs(random)
		addMocks(t, c, fmt.Sprintf("s%d", i), fmt.Sprintf("d%d.test", i), sets[i])
		addConditions(random, c.Services[fmt.Sprintf("s%d", i)])
	}
	caller := startEnvoy(t, inBothForms(t, c), nil).dial("http", nil)
	for i := range sets {
		service := c.Services[fmt.Sprintf("s%d", i)]
		for range requests {
			method := []string{"GET", "POST", "PUT"}[random.IntN(3)]
			path, headers, query := randomPath(random), randomHeaders(random), randomQuery(random)
			want := expected(service, method, path, headers, query)
			for _, form := range []string{"lists", "tree"} {
				got := chosen(caller.do(method, fmt.Sprintf("%s.d%d.test", form, i), path+query, headers...))
				if got != want {
					t.Errorf("%s, %s %s%s %q: got %q, want %q among\n%s", form, method, path, query, headers, got, want, described(service))
				}
			}
		}
		if t.Failed() {
			return
		}
	}
}

// inBothForms is the instance's resources with each domain twice: its lists under "lists.DOMAIN", its tree under
// "tree.DOMAIN", whatever the translation would choose.
func inBothForms(t *testing.T, c *model.Configuration) []Resource {
	t.Helper()
	resources := instanceOf(c, "edge", math.MaxInt)
	for _, r := range resources {
		routes, ok := r.Message.(*routev3.RouteConfiguration)
		if !ok {
			continue
		}
		routes.VirtualHosts = nil
		for _, service := range sortedValues(c.Services) {
			entries := entriesOf(service)
			for form, matcher := range map[string]*xdsmatcherv3.Matcher{"lists": lists(t, entries, use{}), "tree": routeTree(entries, use{})} {
				domain := form + "." + service.Domains[0]
				routes.VirtualHosts = append(routes.VirtualHosts, &routev3.VirtualHost{Name: domain, Domains: []string{domain}, Matcher: matcher})
			}
		}
	}
	return resources
}

// lists are the lists of a domain, however long.
func lists(t *testing.T, entries []entry, u use) *xdsmatcherv3.Matcher {
	t.Helper()
	matcher := routeLists(entries, 100*len(entries), u)
	if matcher == nil {
		t.Fatal("the lists have over a hundred copies of each API")
	}
	return matcher
}

func described(s *model.Service) string {
	var b strings.Builder
	for _, api := range sortedValues(s.APIs) {
		fmt.Fprintf(&b, "%s %v %v %v %v\n", api.Name, api.Methods, api.Path, api.Headers, api.Query)
	}
	return b.String()
}

// chosen is the API that answered, or "" for 404.
func chosen(a answer) string {
	switch a.Status {
	case 200:
		return a.Body
	case 404:
		return ""
	}
	return fmt.Sprintf("status %d", a.Status)
}

// words are few and share beginnings, so that random paths meet random APIs, and byte prefixes are not segments.
var words = []string{"a", "b", "ab", "a-b", "a.b", "(c)"}

func randomAPIs(random *rand.Rand) []string { return someAPIs(random, 1+random.IntN(12)) }

// someAPIs are up to n lines that do not clash.
func someAPIs(random *rand.Rand, n int) []string {
	var lines []string
	taken := map[string]bool{}
	for range n {
		path := randomPattern(random)
		if path == "*" {
			path = "/*" // the same, as rule 6 has it
		}
		methods := [][]string{nil, nil, {"GET"}, {"POST"}, {"GET", "PUT"}}[random.IntN(5)]
		if clash(taken, shape(parsePath(path))+fmt.Sprint(parsePath(path).Kind), methods) {
			continue
		}
		if methods == nil {
			lines = append(lines, path)
		} else {
			lines = append(lines, strings.Join(methods, ",")+" "+path)
		}
	}
	return lines
}

// clash reports whether a method of the pattern is taken, and takes the methods if none is: rule 6.
func clash(taken map[string]bool, pattern string, methods []string) bool {
	if methods == nil {
		methods = []string{"GET", "POST", "PUT"}
	}
	for _, method := range methods {
		if taken[method+pattern] {
			return true
		}
	}
	for _, method := range methods {
		taken[method+pattern] = true
	}
	return false
}

func randomPattern(random *rand.Rand) string {
	var b strings.Builder
	depth := random.IntN(5)
	for i := range depth {
		if random.IntN(3) == 0 {
			fmt.Fprintf(&b, "/{v%d}", i)
		} else {
			b.WriteString("/" + words[random.IntN(len(words))])
		}
	}
	path := b.String()
	switch random.IntN(6) {
	case 0:
		return "*"
	case 1:
		return path + "/"
	case 2, 3:
		if !strings.Contains(path, "{") {
			return path + "/*"
		}
	}
	if path == "" {
		return "/"
	}
	return path
}

func randomPath(random *rand.Rand) string {
	var b strings.Builder
	for range random.IntN(5) {
		b.WriteString("/" + append(words, "x", "a%2Fb", "[")[random.IntN(len(words)+3)])
	}
	if b.Len() == 0 || random.IntN(4) == 0 {
		b.WriteString("/")
	}
	return b.String()
}

// expected is the API that "Matching" chooses: of all that fit the one that goes first.
func expected(s *model.Service, method, path string, headers []string, query string) string {
	var best *model.API
	for _, api := range s.APIs {
		if fits(api, method, path) && conditionsHold(api, headers, query) && (best == nil || apiGoesFirst(api, best)) {
			best = api
		}
	}
	if best == nil {
		return ""
	}
	return s.Name + "/" + best.Name
}

func fits(api *model.API, method, path string) bool {
	if len(api.Methods) > 0 && !slices.Contains(api.Methods, method) {
		return false
	}
	switch api.Path.Kind {
	case model.ExactPath:
		return path == api.Path.Text
	case model.PrefixPath:
		return api.Path.Text == "/" || path == api.Path.Text || strings.HasPrefix(path, api.Path.Text+"/")
	case model.TemplatePath:
		pattern, segments := strings.Split(api.Path.Text, "/"), strings.Split(path, "/")
		if len(pattern) != len(segments) {
			return false
		}
		for i, want := range pattern {
			variable := strings.HasPrefix(want, "{")
			if variable && segments[i] == "" || !variable && segments[i] != want {
				return false
			}
		}
	}
	return true
}

// apiGoesFirst adds to the order of paths that more conditions go first.
func apiGoesFirst(a, b *model.API) bool {
	switch {
	case goesFirst(a.Path, b.Path):
		return true
	case goesFirst(b.Path, a.Path):
		return false
	case len(a.Headers)+len(a.Query) != len(b.Headers)+len(b.Query):
		return len(a.Headers)+len(a.Query) > len(b.Headers)+len(b.Query)
	}
	return a.Name < b.Name
}

// goesFirst reads the order of "Matching" word by word, for two paths that match one request.
func goesFirst(a, b model.Path) bool {
	if a.Kind != b.Kind {
		order := []model.PathKind{model.ExactPath, model.TemplatePath, model.PrefixPath, model.AnyPath}
		return slices.Index(order, a.Kind) < slices.Index(order, b.Kind)
	}
	if a.Kind == model.PrefixPath {
		return len(a.Text) > len(b.Text)
	}
	x, y := strings.Split(a.Text, "/"), strings.Split(b.Text, "/")
	for i := range x {
		if v, w := strings.HasPrefix(x[i], "{"), strings.HasPrefix(y[i], "{"); v != w {
			return w
		}
	}
	return false
}
