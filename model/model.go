// Package model is what the operator asked for, as plain values.
//
// A Configuration that reaches a reader of this package is whole and valid: every name that it holds resolves,
// every default is filled in, every file that it names has been read. Each noun knows its Place in the files, which
// follows its block when that is moved.
// The words are those of the reference page (upstream, node, service, API) and of Envoy.
package model

import (
	"net/netip"
	"slices"
	"time"
)

// Secret holds bytes that no log line, message, page or dump may show.
type Secret []byte

// String hides the bytes from every fmt verb that would print them.
func (Secret) String() string { return "[redacted]" }

// GoString hides the bytes from %#v.
func (Secret) GoString() string { return "[redacted]" }

// MarshalText hides the bytes from encoders.
func (Secret) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }

// Configuration is everything that a set of files asks for. The maps are keyed by name and never nil.
type Configuration struct {
	VPCs      map[string]*VPC
	CCNs      map[string]*CCN
	Instances map[string]*Instance
	Upstreams map[string]*Upstream
	Services  map[string]*Service
}

// VPC is a private network in which nodes and gateways live.
type VPC struct {
	Name        string
	Description string
	CIDRBlocks  []netip.Prefix // masked; none: any address
	Place       Place
}

// CCN is a Cloud Connect Network: each of its VPCs can reach the others. It is not transitive over two CCNs.
type CCN struct {
	Name        string
	Description string
	VPCs        []string // names, sorted
	Place       Place
}

// InstanceType says where an instance lives.
type InstanceType string

// The types of instance.
const (
	Dedicated InstanceType = "dedicated" // in one VPC
	Shared    InstanceType = "shared"    // in none: it cannot use VPC upstreams
)

// Instance is a gateway: a fleet of Envoys whose node.cluster is its name.
type Instance struct {
	Name        string
	Description string
	Type        InstanceType
	VPC         string // name; empty on a shared instance
	Listeners   map[string]*Listener
	AccessLog   *AccessLog // nil: none
	Tracing     *Tracing   // nil: none
	Place       Place
}

// Tracing sends spans of requests to a collector, by OTLP over gRPC.
type Tracing struct {
	Host     string  // of the collector: an IP address without brackets, or a DNS name in lower case
	Port     uint16  // of the collector
	Sampling float64 // share of the requests, 0 to 1
	Place    Place
}

// AccessLog is a line per request, written by Envoy.
type AccessLog struct {
	Format LogFormat
	Path   string // absolute, on Envoy's machine
	Place  Place
}

// LogFormat is the form of a line.
type LogFormat string

// The forms of an access log.
const (
	JSONLog LogFormat = "json"
	TextLog LogFormat = "text"
)

// Listener is a port of an instance, plain or TLS.
type Listener struct {
	Name         string
	Description  string
	Address      netip.Addr
	Port         uint16
	Certificates []Certificate // in the order of the text, the first is the default; none: plain HTTP
	TLS          ListenerTLS   // means something only with Certificates
	HTTP3        *HTTP3        // nil: TCP only; only with Certificates
	Limits       ListenerLimits

	XFFNumTrustedHops int  // proxies in front whose X-Forwarded-For entries are believed
	ProxyProtocol     bool // each connection starts with a PROXY protocol header
	Place             Place
}

// ListenerTLS is what a TLS listener asks of callers.
type ListenerTLS struct {
	MinVersion   TLSVersion
	ClientCAFile string // as the operator wrote it; empty: callers show no certificate
	ClientCA     []byte // PEM; nil when ClientCAFile is empty
}

// TLSVersion is a version of TLS.
type TLSVersion string

// The versions that a listener can begin with.
const (
	TLS12 TLSVersion = "1.2"
	TLS13 TLSVersion = "1.3"
)

// HTTP3 has a listener speak HTTP/3 too, on UDP.
type HTTP3 struct {
	AdvertisedPort uint16 // at which callers reach it
	Place          Place
}

// ListenerLimits bound what one caller may take.
type ListenerLimits struct {
	MaxRequestHeadersKB int           // KiB, 1 to 8192
	IdleTimeout         time.Duration // of a connection without a request; 0: none
	RequestTimeout      time.Duration // of receiving a whole request; 0: none
}

// Certificate is one tls block of a listener: a chain with its key, read and checked at load.
type Certificate struct {
	CertificateFile string    // as the operator wrote it
	PrivateKeyFile  string    // as the operator wrote it
	Chain           []byte    // PEM
	PrivateKey      Secret    // PEM
	ServerNames     []string  // DNS names of the leaf, lower case, sorted; "*.example.com" as it is
	NotAfter        time.Time // until when the whole chain is valid
	Place           Place
}

// Node is one address of an upstream.
type Node struct {
	Host   string // an IP address without brackets, in canonical form, or a DNS name in lower case
	Port   uint16
	Weight uint32 // 0: listed but disabled; where no weights are said, 1

	Description string
	Place       Place
}

// IP is the node's address when it is not a name.
func (n Node) IP() (netip.Addr, bool) {
	addr, err := netip.ParseAddr(n.Host)
	return addr, err == nil
}

// Service is a set of APIs mounted on one instance under some domains.
type Service struct {
	Name        string
	Description string
	Instance    string   // name
	Domains     []string // lower case, sorted: exact or "*.suffix"; none: every host that no other service's domain fits
	Listeners   []string // names of the instance's listeners, sorted; never empty
	APIs        map[string]*API
	Place       Place
}

// API joins a frontend (methods and path) to a backend.
type API struct {
	Name        string
	Description string
	Methods     []string // upper case, sorted; none: any
	Path        Path
	Headers     []Condition // all hold; by name, in lower case
	Query       []Condition // all hold; by name
	WebSocket   bool        // requests that ask for it become WebSocket connections
	Backend     Backend
	Policies
	Place Place
}

// PathKind is how a Path matches.
type PathKind int

// The kinds of path, least specific first.
const (
	AnyPath      PathKind = iota // every path
	PrefixPath                   // whole segments from the start
	TemplatePath                 // the whole path, some segments of which are variables
	ExactPath                    // the whole path
)

// Path says which request paths an API takes. A query string is never part of it.
type Path struct {
	Kind PathKind
	Text string // "/orders/{id}"; a prefix has no trailing slash, unless it is "/"; empty for AnyPath
}

// Match is how a Condition compares.
type Match string

// The ways to compare.
const (
	MatchExact    Match = "exact"
	MatchPrefix   Match = "prefix"
	MatchSuffix   Match = "suffix"
	MatchContains Match = "contains"
	MatchRegex    Match = "regex"   // of the whole value; only of headers
	MatchPresent  Match = "present" // Text is empty
)

// Condition is what a header or a query parameter must be for an API to take a request.
type Condition struct {
	Name   string
	Match  Match
	Text   string
	Invert bool // holds where the comparison does not; an absent header counts as an empty one
}

// Backend is what answers an API. Exactly one of Upstream, URL, Split, Redirect and Mock is set.
type Backend struct {
	Upstream string        // name
	URL      *URL          // a public server
	Split    []Target      // several upstreams; in the order of the text, two or more
	Redirect *Redirect     // the gateway sends the caller elsewhere
	Mock     *Mock         // the gateway itself
	Mirrors  []Mirror      // get copies; only with Upstream, URL and Split; in the order of the text
	Path     string        // replaces the matched path, or the matched prefix; empty: the path goes on unchanged
	Timeout  time.Duration // of the whole answer, retries included; 0: none
	Place    Place
}

// Upstreams are the names of all upstreams that the backend refers to, sorted, each once.
func (b Backend) Upstreams() []string {
	var names []string
	if b.Upstream != "" {
		names = append(names, b.Upstream)
	}
	for _, t := range b.Split {
		names = append(names, t.Upstream)
	}
	for _, m := range b.Mirrors {
		names = append(names, m.Upstream)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Target is one upstream of a split.
type Target struct {
	Upstream string // name
	Weight   uint32 // its share is this of the sum; 0: no request; where no weights are said, 1
}

// Mirror is an upstream that gets copies of requests. Its answers are thrown away.
type Mirror struct {
	Upstream string // name
	Percent  int    // of the requests, 0 to 100
}

// Redirect is an answer that sends the caller to another URL. What is not said stays as the caller sent it.
type Redirect struct {
	Scheme     Protocol // http or https; empty: the caller's
	Host       string   // without a port, an IPv6 address without brackets; empty: the caller's
	Port       uint16   // 0: the caller's
	Path       string   // the whole new path, which may use the variables of the API's; empty: see PathPrefix
	PathPrefix string   // replaces the matched prefix, without a trailing slash unless it is "/"; empty: the path stays
	Status     int      // 301, 302, 303, 307 or 308
	StripQuery bool
}

// URL is a public backend, "https://api.example.com".
type URL struct {
	Protocol Protocol
	Host     string // DNS name in lower case, or IP address without brackets
	Port     uint16 // the scheme's own when the text has none
	Explicit bool   // the text has a port: it is part of the Host header
}

// Mock is a fixed answer that the gateway gives itself.
type Mock struct {
	Status  int // 200 to 599
	Body    string
	Headers []Header // by name
}
