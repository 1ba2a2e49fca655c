package translate

import (
	"fmt"
	"maps"
	"testing"

	"github.com/weirproxy/weir/model"
)

// BenchmarkUpdate is what an edit costs at 10,000 upstreams with an API each: 100 services of 100 APIs, each service under a
// domain of its own, or all under one; and 10,000 services of one API, each under a domain of its own.
func BenchmarkUpdate(b *testing.B) {
	for _, form := range []struct {
		name     string
		services int
		domain   string
	}{
		{"100 domains", 100, "d%d.test"},
		{"one domain", 100, "one.test"},
		{"10000 domains", 10000, "d%d.test"},
	} {
		c := many(10000, form.services, form.domain)
		b.Run(form.name+"/first", func(b *testing.B) {
			for b.Loop() {
				NewTranslator().Update(c)
			}
		})
		for name, edit := range map[string]func(*model.Configuration, int){"nothing": func(*model.Configuration, int) {}, "node": editNode, "route": editRoute, "new": addOne} {
			b.Run(form.name+"/"+name, func(b *testing.B) {
				t := NewTranslator()
				t.Update(c)
				now, i := c, 0
				for b.Loop() {
					b.StopTimer()
					now = &model.Configuration{Instances: maps.Clone(now.Instances), Upstreams: maps.Clone(now.Upstreams), Services: maps.Clone(now.Services)}
					edit(now, i)
					i++
					b.StartTimer()
					t.Update(now)
				}
			})
		}
	}
}

// many is a configuration of n upstreams of ten nodes, each with an API.
func many(n, services int, domain string) *model.Configuration {
	c := edge()
	for i := range services {
		name := domain
		if services > 1 && domain != "one.test" {
			name = fmt.Sprintf(domain, i)
		}
		addService(c, fmt.Sprintf("s%d", i), name)
	}
	for i := range n {
		u := addUpstream(c, fmt.Sprintf("u%05d", i), model.HTTP)
		for node := range 10 {
			u.Nodes = append(u.Nodes, model.Node{Host: fmt.Sprintf("10.%d.%d.%d", i/250, i%250, node+1), Port: 80, Weight: 1})
		}
		api := forwardAPI(fmt.Sprintf("a%05d", i), fmt.Sprintf("/r%05d/*", i), u.Name, "")
		c.Services[fmt.Sprintf("s%d", i%services)].APIs[api.Name] = api
	}
	return c
}

func editNode(c *model.Configuration, i int) {
	u := *c.Upstreams["u00123"]
	u.Nodes = append([]model.Node(nil), u.Nodes...)
	u.Nodes[0].Weight = uint32(i + 2)
	c.Upstreams[u.Name] = &u
}

func editRoute(c *model.Configuration, i int) {
	s := *c.Services["s23"]
	s.APIs = maps.Clone(s.APIs)
	for name := range s.APIs {
		api := *s.APIs[name]
		api.Backend.Path = fmt.Sprintf("/p%d", i)
		s.APIs[name] = &api
		break
	}
	c.Services[s.Name] = &s
}

func addOne(c *model.Configuration, i int) {
	u := addUpstream(c, fmt.Sprintf("new%05d", i), model.HTTP, "10.0.0.1:80")
	s := *c.Services["s23"]
	s.APIs = maps.Clone(s.APIs)
	api := forwardAPI(fmt.Sprintf("n%05d", i), fmt.Sprintf("/n%05d/*", i), u.Name, "")
	s.APIs[api.Name] = api
	c.Services[s.Name] = &s
}
