package translate

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/weirproxy/weir/model"
)

// TestTranslatorProperty walks through random configurations, in which nouns that do not change are the same ones, and
// holds after each step that what a Translator told is what Instance says from scratch; with sockets whole and cut.
func TestTranslatorProperty(t *testing.T) {
	for _, size := range []int{1, 3, 8, partSize} {
		t.Run(fmt.Sprintf("parts of %d", size), func(t *testing.T) { walkRandomly(t, size) })
	}
}

func walkRandomly(t *testing.T, size int) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	w := &walk{random: rand.New(rand.NewPCG(seed, 0))}
	translator := NewTranslator()
	told := map[string]map[Key]Resource{}
	c := w.start()
	for step := range 300 {
		changed, gone := translator.update(c, size)
		follow(t, told, changed, gone)
		for name := range c.Instances {
			if difference := compareTold(told[name], instanceOf(c, name, size)); difference != "" {
				t.Fatalf("step %d, instance %s: %s", step, name, difference)
			}
		}
		if len(told) != len(c.Instances) {
			t.Fatalf("step %d: %d instances are told of, there are %d", step, len(told), len(c.Instances))
		}
		for range 1 + w.random.IntN(3) {
			c = w.step(c)
		}
	}
}

// follow applies what a Translator tells to what it told.
func follow(t *testing.T, told map[string]map[Key]Resource, changed map[string]Delta, gone []string) {
	t.Helper()
	for _, name := range gone {
		delete(told, name)
	}
	for name, d := range changed {
		if told[name] == nil {
			told[name] = map[Key]Resource{}
		}
		if !slices.IsSortedFunc(d.Changed, func(a, b Resource) int { return compareKeys(Key{a.Type, a.Name}, Key{b.Type, b.Name}) }) {
			t.Fatalf("instance %s: what changed is not sorted", name)
		}
		for _, r := range d.Changed {
			told[name][Key{r.Type, r.Name}] = r
		}
		for _, k := range d.Removed {
			if _, ok := told[name][k]; !ok {
				t.Fatalf("instance %s: %v is removed and was never told", name, k)
			}
			delete(told[name], k)
		}
	}
}

// compareTold says what differs.
func compareTold(told map[Key]Resource, want []Resource) string {
	if len(told) != len(want) {
		names := map[Key]bool{}
		for _, r := range want {
			names[Key{r.Type, r.Name}] = true
		}
		for k := range told {
			if !names[k] {
				return fmt.Sprintf("%v should be gone", k)
			}
		}
	}
	for _, r := range want {
		got, ok := told[Key{r.Type, r.Name}]
		switch {
		case !ok:
			return fmt.Sprintf("%s %s was not told", r.Type, r.Name)
		case !bytes.Equal(bytesOf(got.Message), bytesOf(r.Message)):
			return fmt.Sprintf("%s %s: told\n%v\nwant\n%v", r.Type, r.Name, got.Message, r.Message)
		case got.Place.String() != r.Place.String():
			return fmt.Sprintf("%s %s: place %s, want %s", r.Type, r.Name, got.Place, r.Place)
		}
	}
	return ""
}

func bytesOf(m proto.Message) []byte {
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		panic(err)
	}
	return data
}

// walk makes one valid configuration out of another.
type walk struct {
	random *rand.Rand
	line   int
}

func (w *walk) n(n int) int { return w.random.IntN(n) }

// place is one that no other noun has.
func (w *walk) place() model.Place {
	w.line++
	return model.PlaceAt("weir.hcl", w.line, 1)
}

func (w *walk) start() *model.Configuration {
	c := edge()
	c.Instances["edge"] = w.instance("edge")
	for i := range 4 {
		name := fmt.Sprintf("u%d", i)
		c.Upstreams[name] = w.upstream(name)
	}
	return c
}

// step is a copy of the configuration with one edit. Maps are copied, nouns are shared.
func (w *walk) step(c *model.Configuration) *model.Configuration {
	next := &model.Configuration{Instances: maps.Clone(c.Instances), Upstreams: maps.Clone(c.Upstreams), Services: maps.Clone(c.Services)}
	switch w.n(12) {
	case 0:
		name := []string{"edge", "side"}[w.n(2)]
		next.Instances[name] = w.instance(name)
		w.remount(next)
	case 1:
		if len(next.Instances) > 1 {
			delete(next.Instances, "side")
			w.remount(next)
		}
	case 2, 3, 4:
		name := fmt.Sprintf("u%d", w.n(6))
		next.Upstreams[name] = w.upstream(name)
	case 5:
		name := fmt.Sprintf("s%d", w.n(8))
		delete(next.Services, name)
	case 6, 7:
		if s := next.Services[fmt.Sprintf("s%d", w.n(8))]; s != nil {
			moved := *s
			moved.Domains, moved.Place = w.domains(), w.place()
			next.Services[s.Name] = &moved
		}
	case 8, 9:
		if s := next.Services[fmt.Sprintf("s%d", w.n(8))]; s != nil {
			next.Services[s.Name] = w.edited(next, s)
		}
	default:
		name := fmt.Sprintf("s%d", w.n(8))
		next.Services[name] = w.service(next, name)
	}
	return next
}

func (w *walk) instance(name string) *model.Instance {
	i := &model.Instance{Name: name, Type: model.Dedicated, Listeners: map[string]*model.Listener{}, Place: w.place()}
	for port := range 1 + w.n(2) {
		l := &model.Listener{Name: fmt.Sprintf("l%d", port), Address: netip.IPv4Unspecified(), Port: 8080 + uint16(port), Place: w.place()}
		l.Limits.MaxRequestHeadersKB = 60 + w.n(2)
		if w.n(6) == 0 {
			l.Port += 100
		}
		i.Listeners[l.Name] = l
	}
	return i
}

// remount makes services fit the instances that there are.
func (w *walk) remount(c *model.Configuration) {
	for name, s := range c.Services {
		moved := *s
		if c.Instances[s.Instance] == nil {
			moved.Instance = "edge"
		}
		moved.Listeners = slices.Sorted(maps.Keys(c.Instances[moved.Instance].Listeners))
		if moved.Instance != s.Instance || !slices.Equal(moved.Listeners, s.Listeners) {
			c.Services[name] = &moved
		}
	}
}

func (w *walk) upstream(name string) *model.Upstream {
	u := &model.Upstream{Name: name, Protocol: []model.Protocol{model.HTTP, model.HTTPS}[w.n(2)], LoadBalancing: model.WeightedRoundRobin, Place: w.place(),
		Retries: 1 + w.n(2), Retry: model.DefaultRetry(), Connections: model.DefaultConnections()}
	u.HostHeader = []string{"", "", "h1", "h2"}[w.n(4)]
	for i := range 1 + w.n(3) {
		host := fmt.Sprintf("10.0.0.%d", i+1)
		if w.n(8) == 0 {
			host = "name"
		}
		u.Nodes = append(u.Nodes, model.Node{Host: host, Port: 80, Weight: 1 + uint32(w.n(3))})
	}
	return u
}

func (w *walk) domains() []string {
	all := []string{"a.test", "b.test", "c.test", "*.test", "*.b.test"}
	var out []string
	for _, d := range all {
		if w.n(4) == 0 {
			out = append(out, d)
		}
	}
	return out
}

func (w *walk) service(c *model.Configuration, name string) *model.Service {
	instance := slices.Sorted(maps.Keys(c.Instances))[w.n(len(c.Instances))]
	s := &model.Service{Name: name, Instance: instance, Domains: w.domains(), APIs: map[string]*model.API{}, Place: w.place()}
	for l := range c.Instances[instance].Listeners {
		if len(s.Listeners) == 0 || w.n(2) == 0 {
			s.Listeners = append(s.Listeners, l)
		}
	}
	slices.Sort(s.Listeners)
	for i := range w.n(8) {
		api := w.api(c, fmt.Sprintf("a%d", i))
		s.APIs[api.Name] = api
	}
	return s
}

// edited is a service one of whose APIs is another, and whose others are read anew.
func (w *walk) edited(c *model.Configuration, s *model.Service) *model.Service {
	next := *s
	next.APIs, next.Place = map[string]*model.API{}, w.place()
	for name, api := range s.APIs {
		again := *api
		again.Place, again.Backend.Place = w.place(), w.place()
		next.APIs[name] = &again
	}
	api := w.api(c, fmt.Sprintf("a%d", w.n(8)))
	next.APIs[api.Name] = api
	return &next
}

func (w *walk) api(c *model.Configuration, name string) *model.API {
	line := randomPattern(w.random)
	names := slices.Sorted(maps.Keys(c.Upstreams))
	var api *model.API
	switch w.n(5) {
	case 0:
		api = mockAPI("m", name, line)
	case 1:
		api = mockAPI("m", name, line)
		api.Backend = model.Backend{Split: []model.Target{{Upstream: names[0], Weight: 1}, {Upstream: names[w.n(len(names))], Weight: 2}}}
		if w.n(2) == 0 {
			api.Backend.Mirrors = []model.Mirror{{Upstream: names[w.n(len(names))], Percent: 10}}
		}
	case 2:
		api = mockAPI("m", name, line)
		api.Backend = model.Backend{URL: &model.URL{Protocol: model.HTTPS, Host: fmt.Sprintf("h%d.example", w.n(3)), Port: 443}}
	default:
		api = forwardAPI(name, line, names[w.n(len(names))], "")
	}
	api.WebSocket = w.n(12) == 0
	if w.n(6) == 0 {
		api.CORS = &model.CORS{AnyOrigin: true, AllowMethods: []string{"GET"}}
	}
	if w.n(6) == 0 {
		api.IPRules = &model.IPRules{Deny: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	}
	if w.n(12) == 0 {
		api.RateLimit = &model.RateLimit{Requests: 1, Per: time.Second, Burst: 1}
	}
	api.Place, api.Backend.Place = w.place(), w.place()
	return api
}
