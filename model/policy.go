package model

import (
	"net/netip"
	"time"
)

// Policies are what holds for the requests of an API whatever answers them. What its service says is in them already.
type Policies struct {
	RequestHeaders  HeaderChanges
	ResponseHeaders HeaderChanges
	CORS            *CORS      // nil: none
	RateLimit       *RateLimit // nil: none
	IPRules         *IPRules   // nil: none
}

// Header is one header line. The name is in lower case; the value is literal.
type Header struct{ Name, Value string }

// HeaderChanges are made to requests before they go on, or to answers. Each name stands in one of the lists only.
type HeaderChanges struct {
	Set    []Header // in place of what is there; by name
	Add    []Header // besides what is there; by name
	Remove []string // sorted
}

// CORS says which pages of other origins may call an API.
type CORS struct {
	AnyOrigin        bool
	AllowOrigins     []string // sorted, "https://shop.example.com" or "https://*.example.com"; none with AnyOrigin
	AllowMethods     []string // sorted, never empty
	AllowHeaders     []string // lower case, sorted; may be "*"
	ExposeHeaders    []string // lower case, sorted; may be "*"
	AllowCredentials bool
	MaxAge           time.Duration // whole seconds; negative: not said
}

// RateLimit bounds the requests of an API on each Envoy.
type RateLimit struct {
	Requests int           // 1 or more, in each Per
	Per      time.Duration // a second or more
	Burst    int           // how many may come at once, 1 or more
}

// IPRules say which callers are let in. Who is denied is not, and where anybody is allowed, nobody else is.
type IPRules struct {
	Allow []netip.Prefix // masked, in order
	Deny  []netip.Prefix // masked, in order
}
