package translate

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/weirproxy/weir/model"
)

// hashKeys are the three kinds, the cookie one that callers are given.
var hashKeys = map[string]*model.HashKey{
	"header": {Header: "x-user"}, "cookie": {Cookie: "user", MakeCookie: true}, "source": {SourceAddress: true},
}

// Copies of requests with one key go to one node, and a cookie that would be made for a copy is not given to the caller.
func TestMirrorToHashing(t *testing.T) {
	const users, requests = 8, 10
	c := edge()
	main := startNode(t, nil)
	addUpstream(c, "main", model.HTTP, main.address)
	var apis []*model.API
	copies := map[string][]*node{}
	for _, algorithm := range []model.LoadBalancing{model.RingHash, model.Maglev} {
		for kind, key := range hashKeys {
			if kind == "source" { // of which copies have none
				continue
			}
			name := string(algorithm) + "_" + kind
			nodes := []*node{startNode(t, nil), startNode(t, nil), startNode(t, nil)}
			u := addUpstream(c, name, model.HTTP, nodes[0].address, nodes[1].address, nodes[2].address)
			u.LoadBalancing, u.HashKey, copies[name] = algorithm, key, nodes
			api := forwardAPI(name, "/"+name, "main", "")
			api.Backend.Mirrors = []model.Mirror{{Upstream: name, Percent: 100}}
			apis = append(apis, api)
		}
	}
	addService(c, "shop", "", apis...)
	g := startEnvoy(t, cutUp(c), nil)
	caller := g.dial("http", nil)
	for name, nodes := range copies {
		var used []int
		for user := range users {
			for range requests {
				a := caller.do("GET", "shop.test", "/"+name, fmt.Sprint("x-user: ", user), fmt.Sprint("Cookie: user=", user))
				if a.Status != 200 || a.Header.Get("Set-Cookie") != "" {
					t.Fatalf("%s: %+v", name, a)
				}
			}
			arrived := func() (all int) {
				for _, n := range nodes {
					all += len(n.requests)
				}
				return all
			}
			eventually(t, "the copies of "+name+" arrive", func() bool { return arrived() >= requests })
			for i, n := range nodes {
				switch got := drain(t, n); got {
				case 0:
				case requests:
					used = append(used, i)
				default:
					t.Errorf("%s: of %d copies with one key, %d went to node %d", name, requests, got, i)
				}
			}
		}
		drain(t, main)
		slices.Sort(used)
		used = slices.Compact(used)
		if len(used) < 2 {
			t.Errorf("%s: the copies of %d users went to the nodes %v", name, users, used)
		}
		if a := caller.do("GET", "shop.test", "/"+name); a.Status != 200 || a.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: a caller without a key gets %+v", name, a)
		}
		eventually(t, "the last copy of "+name+" arrives", func() bool { return drain(t, nodes...) == 1 })
		drain(t, main)
	}
}

// Upstreams of a split hash by keys of their own: whichever a request goes to, its key decides the node there.
func TestSplitOfHashing(t *testing.T) {
	const users, requests = 10, 20
	c := edge()
	names := []string{"by_header", "by_cookie", "by_source", "by_turns"}
	var targets []model.Target
	for _, name := range names {
		nodes := []string{}
		for i := range 3 {
			nodes = append(nodes, named(t, fmt.Sprintf("%s/%d", name, i)).address)
		}
		addUpstream(c, name, model.HTTP, nodes...)
		targets = append(targets, model.Target{Upstream: name, Weight: 1})
	}
	for i, algorithm := range []model.LoadBalancing{model.RingHash, model.Maglev, model.RingHash} {
		u := c.Upstreams[names[i]]
		u.LoadBalancing, u.HashKey = algorithm, hashKeys[u.Name[len("by_"):]]
	}
	addService(c, "shop", "", splitAPI("split", "/", "", targets...))
	caller := startEnvoy(t, cutUp(c), nil).dial("http", nil)
	seen := map[string]map[string]bool{} // the nodes by upstream and key
	for i := range users * requests * len(names) {
		user, session := i%users, i/users%users
		a := caller.do("GET", "shop.test", "/", fmt.Sprint("x-user: ", user), fmt.Sprint("Cookie: user=", session))
		if a.Status != 200 || len(a.Body) < len("by_") {
			t.Fatalf("%+v", a)
		}
		upstream := a.Body[:len(a.Body)-2]
		key := map[string]string{"by_header": fmt.Sprint(user), "by_cookie": fmt.Sprint(session)}[upstream]
		if seen[upstream+" "+key] == nil {
			seen[upstream+" "+key] = map[string]bool{}
		}
		seen[upstream+" "+key][a.Body] = true
	}
	chosen := map[string]map[string]bool{}
	for at, nodes := range seen {
		var upstream, key string
		fmt.Sscan(at, &upstream, &key)
		if upstream != "by_turns" && len(nodes) != 1 {
			t.Errorf("%s: requests with the key %q went to %v", upstream, key, nodes)
		}
		if chosen[upstream] == nil {
			chosen[upstream] = map[string]bool{}
		}
		for n := range nodes {
			chosen[upstream][n] = true
		}
	}
	for _, name := range names {
		if want := map[string]int{"by_source": 1, "by_turns": 3}[name]; len(chosen[name]) < max(want, 1) || want == 0 && len(chosen[name]) < 2 || want == 1 && len(chosen[name]) > 1 {
			t.Errorf("%s: %d keys went to %v", name, users, chosen[name])
		}
	}
}

// The node of a key that fails its check loses the key to the other one, unless so few are healthy that it does not count.
func TestHashingHealth(t *testing.T) {
	c := edge()
	nodes := map[string][2]*checkedNode{}
	for _, algorithm := range []model.LoadBalancing{model.RingHash, model.Maglev} {
		for kind, threshold := range map[string]int{"moves": 1, "panics": 60} {
			name := string(algorithm) + "_" + kind
			nodes[name] = [2]*checkedNode{startCheckedNode(t, nil), startCheckedNode(t, nil)}
			u := addUpstream(c, name, model.HTTP, nodes[name][0].address, nodes[name][1].address)
			u.LoadBalancing, u.HashKey = algorithm, &model.HashKey{Header: "x-user"}
			u.HealthCheck, u.PanicThreshold = check(model.CheckHTTP), threshold
		}
	}
	g := eachUpstream(t, c)
	caller := g.dial("http", nil)
	for name, pair := range nodes {
		served := func() [2]int32 { return [2]int32{pair[0].served.Load(), pair[1].served.Load()} }
		ask := func() {
			if a := caller.do("GET", "shop.test", "/"+name, "x-user: anna"); a.Status != 200 {
				t.Fatalf("%s: %+v", name, a)
			}
		}
		eventually(t, name+": both are healthy", func() bool { return g.healthy(name) == "2" })
		ask()
		home := 0
		if served() == [2]int32{0, 1} {
			home = 1
		}
		pair[home].status.Store(500)
		eventually(t, name+": one is ill", func() bool { return g.healthy(name) == "1" })
		other := func() int32 { ask(); return served()[1-home] }
		if strings.HasSuffix(name, "moves") {
			eventually(t, name+": the key moves", func() bool { return other() > 0 })
			continue
		}
		for range 20 {
			if other() > 0 {
				t.Fatalf("%s: one of two healthy is less than 60 %%, and yet the other node is asked", name)
			}
		}
	}
}
