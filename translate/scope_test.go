package translate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/weirproxy/weir/model"
)

// TestScopesProperty holds that a socket that is cut into parts, however small, answers as one that is whole, and both as a
// plain reading of "Matching" says: over random domains, APIs and requests.
func TestScopesProperty(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	c := edge()
	for i, domains := range randomDomains(random) {
		mountRandomly(t, c, random, i, domains)
	}
	whole := startEnvoy(t, instanceOf(c, "edge", math.MaxInt), nil).dial("http", nil)
	for _, size := range []int{1, 4} {
		cut := startEnvoy(t, instanceOf(c, "edge", size), nil).dial("http", nil)
		for range 3000 {
			method := []string{"GET", "POST", "PUT"}[random.IntN(3)]
			host, path := randomHost(random), randomPath(random)
			headers, query := randomHeaders(random), randomQuery(random)
			want := expectedUnder(c, host, method, path, headers, query)
			sentHost, target := disguisedHost(random, host), path+query
			headers = append(headers, randomScope(random)...)
			for form, caller := range map[string]*client{"whole": whole, "cut": cut} {
				if got := chosen(caller.do(method, sentHost, target, headers...)); got != want {
					t.Fatalf("%s, parts of %d: %s %s%s: got %q, want %q", form, size, method, sentHost, target, got, want)
				}
			}
		}
		compareOddRequests(t, random, whole, cut)
	}
}

// randomDomains are sets of domains that share no domain; the last is none.
func randomDomains(random *rand.Rand) [][]string {
	all := []string{"a.test", "b.test", "ab.test", "x.a.test", "*.a.test", "*.test", "*.x.a.test", "10.1.2.3", "[::1]", "localhost"}
	for i := range 30 {
		all = append(all, fmt.Sprintf("d%d.test", i))
	}
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	var sets [][]string
	for len(all) > 0 {
		n := min(len(all), 1+random.IntN(3))
		sets, all = append(sets, all[:n]), all[n:]
	}
	return append(sets, nil)
}

// mountRandomly mounts one or two services under the same domains, one of them without APIs at times.
func mountRandomly(t *testing.T, c *model.Configuration, random *rand.Rand, i int, domains []string) {
	t.Helper()
	var lines [2][]string
	for _, line := range someAPIs(random, []int{1, 5, 10, 200}[random.IntN(4)]) {
		if strings.HasPrefix(line, "/{") && random.IntN(8) > 0 {
			continue // many of these, and nothing is cut
		}
		n := random.IntN(2)
		lines[n] = append(lines[n], line)
	}
	for n := range lines {
		name := fmt.Sprintf("s%d_%d", i, n)
		if random.IntN(8) == 0 {
			lines[n] = nil
		}
		addMocks(t, c, name, "", lines[n])
		c.Services[name].Domains = domains
		addConditions(random, c.Services[name])
		for _, api := range c.Services[name].APIs {
			api.WebSocket = random.IntN(100) == 0 // what is asked with it stays in the index
		}
	}
}

// randomHost is one that some domain fits, or none.
func randomHost(random *rand.Rand) string {
	hosts := []string{"a.test", "b.test", "ab.test", "x.a.test", "y.a.test", "z.x.a.test", "q.test", "10.1.2.3", "[::1]", "[::2]", "localhost", "other"}
	if random.IntN(2) == 0 {
		return fmt.Sprintf("d%d.test", random.IntN(31))
	}
	return hosts[random.IntN(len(hosts))]
}

// disguisedHost is the host as a caller may write it.
func disguisedHost(random *rand.Rand, host string) string {
	if random.IntN(3) == 0 {
		n := 1 + random.IntN(len(host))
		host = strings.ToUpper(host[:n]) + host[n:]
	}
	if random.IntN(3) == 0 {
		host += ":8080"
	}
	return host
}

// randomScope is a caller's own attempt at the header.
func randomScope(random *rand.Rand) []string {
	return [][]string{nil, nil, {scopeHeader + ": 0.0.0.0:8080"}, {"X-Weir-Scope: x", "x-weir-scope: 0.0.0.0:8080/a.test"}}[random.IntN(4)]
}

// expectedUnder is what "Matching" chooses among all services.
func expectedUnder(c *model.Configuration, host, method, path string, headers []string, query string) string {
	best, specific := "", -1
	for _, s := range c.Services {
		for _, d := range domainsOf(s) {
			if n := fitsDomain(d, host); n > specific {
				best, specific = d, n
			}
		}
	}
	all := &model.Service{APIs: map[string]*model.API{}}
	for _, s := range c.Services {
		for _, d := range domainsOf(s) {
			if specific < 0 || d != best {
				continue
			}
			for name, api := range s.APIs {
				named := *api
				named.Name = s.Name + "/" + name
				all.APIs[named.Name] = &named
			}
		}
	}
	return strings.TrimPrefix(expected(all, method, path, headers, query), "/")
}

// fitsDomain is how specific a domain is for the host; -1 where it does not fit.
func fitsDomain(domain, host string) int {
	suffix, wildcard := strings.CutPrefix(domain, "*")
	switch {
	case domain == host:
		return math.MaxInt
	case wildcard && len(host) > len(suffix) && strings.HasSuffix(host, suffix):
		return len(suffix)
	}
	return -1
}

// compareOddRequests holds that what no API takes as it stands is answered alike.
func compareOddRequests(t *testing.T, random *rand.Rand, whole, cut *client) {
	t.Helper()
	long := "/" + strings.Repeat("a/", 5000)
	paths := []string{"//a", "/a//b", "/./a", "/a/../b", "/%61", "/a%2f", "/a%2Fb", "/%zz", "/\xff\xfe/a", "/a/\x80", "/é", "*", "/a;b", "/a?b#c", "/'\"%28)", "/%", "/a/%2e%2e/b",
		"http://b.test/a", "http://B.TEST:80/a/b", "https://a.test/", "http://a.test", long, long + "?" + long, "/a?" + strings.Repeat("q", 20000)}
	for _, path := range paths {
		for range 20 {
			host := disguisedHost(random, randomHost(random))
			method := []string{"GET", "POST", "OPTIONS", "HEAD"}[random.IntN(4)]
			want, got := whole.again(method, host, path), cut.again(method, host, path)
			if got != want {
				t.Fatalf("%s %s%.40q: cut %q, whole %q", method, host, path, got, want)
			}
		}
	}
}

// again is do on a connection of its own, which Envoy may close after it.
func (c *client) again(method, host, target string) string {
	c.t.Helper()
	fresh := c.gateway.dial("http", nil)
	defer fresh.conn.Close()
	a := fresh.do(method, host, target)
	return fmt.Sprintf("%d %s %s", a.Status, http.StatusText(a.Status), a.Body)
}

// cutUp is the instance "edge" with each of its sockets cut into parts. Tests that send requests use it: what works there
// works on one that is whole, while settings that Envoy takes from the first route that it finds (scope.go) fail.
func cutUp(c *model.Configuration) []Resource { return instanceOf(c, "edge", 0) }
