package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/weirproxy/weir/model"
)

// AssociatedAPI is an API whose backend is a given upstream, splits over it or sends it copies, as the reference page's tab of that name shows it.
type AssociatedAPI struct {
	Service  string      `json:"service"`
	API      string      `json:"api"`
	Instance string      `json:"instance"`
	Domains  []string    `json:"domains"` // never nil; none: every host
	Methods  []string    `json:"methods"` // never nil; none: any
	Path     string      `json:"path"`    // "/orders/{id}", "/orders/*" for a prefix, "/*" for every path
	Place    model.Place `json:"-"`
}

// Associated are the APIs that use an upstream, by service and name.
func Associated(c *model.Configuration, upstream string) []AssociatedAPI {
	out := []AssociatedAPI{}
	for _, serviceName := range slices.Sorted(maps.Keys(c.Services)) {
		service := c.Services[serviceName]
		for _, name := range slices.Sorted(maps.Keys(service.APIs)) {
			api := service.APIs[name]
			if !slices.Contains(api.Backend.Upstreams(), upstream) {
				continue
			}
			out = append(out, AssociatedAPI{
				Service: serviceName, API: name, Instance: service.Instance,
				Domains: append([]string{}, service.Domains...),
				Methods: append([]string{}, api.Methods...),
				Path:    pathPattern(api.Path),
				Place:   api.Place,
			})
		}
	}
	return out
}

func pathPattern(p model.Path) string {
	switch p.Kind {
	case model.AnyPath:
		return "/*"
	case model.PrefixPath:
		return strings.TrimSuffix(p.Text, "/") + "/*"
	}
	return p.Text
}
