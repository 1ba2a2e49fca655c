package model

import "time"

// Protocol is what Envoy speaks to nodes.
type Protocol string

// The protocols of an upstream.
const (
	HTTP  Protocol = "http"
	HTTPS Protocol = "https"
	GRPC  Protocol = "grpc"  // HTTP/2 in clear
	GRPCS Protocol = "grpcs" // HTTP/2 over TLS
)

// Secure tells whether nodes are called over TLS.
func (p Protocol) Secure() bool { return p == HTTPS || p == GRPCS }

// HTTP2 tells whether nodes are called with HTTP/2, else it is HTTP/1.1.
func (p Protocol) HTTP2() bool { return p == GRPC || p == GRPCS }

// Upstream is up to 200 nodes that do the same work.
type Upstream struct {
	Name          string
	Description   string
	VPC           string // name
	LoadBalancing LoadBalancing
	HashKey       *HashKey   // with RingHash and Maglev, else nil
	SlowStart     *SlowStart // nil: none; only with WeightedRoundRobin and LeastRequest
	Protocol      Protocol
	HostHeader    string // the Host that nodes see; empty: the caller's
	Retries       int    // further attempts, 1 to 100; 0: switched off
	Retry         Retry
	Connections   Connections
	HealthCheck   *HealthCheck      // nil: every node is taken for healthy
	Outliers      *OutlierDetection // nil: whatever it answers
	// PanicThreshold is the percentage of healthy nodes below which requests go to all of them. 0: never.
	PanicThreshold int
	TLS            *UpstreamTLS // nil unless said; only with HTTPS and GRPCS
	Nodes          []Node       // in the order of the text; at least one is enabled
	Place          Place
}

// Retry is when and how failed attempts are repeated.
type Retry struct {
	On            []string      // Envoy's conditions, sorted, with StatusCodes the only ones; both nil: those that suit the method; one empty: none
	StatusCodes   []int         // of answers that are repeated, sorted
	PerTryTimeout time.Duration // of one attempt; 0: none
	BackOff       BackOff
	Budget        Budget
}

// Said tells whether the operator has said the conditions. Else they are those that suit the method of the request.
func (r Retry) Said() bool { return r.On != nil || r.StatusCodes != nil }

// BackOff is the pause before a retry: before retry i, counted from 0, a random time between nothing and Base * 2^i, Max
// at most.
type BackOff struct{ Base, Max time.Duration }

// Budget bounds the retries of all requests together: those that are under way, and those that wait for their back-off,
// are at most Percent of the requests under way, or MinConcurrency if that is more.
type Budget struct {
	Percent        int // 0: no budget
	MinConcurrency int
}

// The retries of an upstream that says nothing, and of the server of a url.
const (
	DefaultRetries          = 5
	DefaultBackOffBase      = 5 * time.Millisecond
	DefaultBackOffMax       = 50 * time.Millisecond
	DefaultBudgetPercent    = 100
	DefaultBudgetConcurrent = 1024
)

// DefaultRetry is how failed attempts are repeated where nothing is said.
func DefaultRetry() Retry {
	return Retry{
		BackOff: BackOff{DefaultBackOffBase, DefaultBackOffMax},
		Budget:  Budget{DefaultBudgetPercent, DefaultBudgetConcurrent},
	}
}

// Connections are the limits of connections and requests to all nodes together, per Envoy.
type Connections struct {
	ConnectTimeout time.Duration
	IdleTimeout    time.Duration   // 0: none
	MaxDuration    time.Duration   // of a connection; 0: none
	MaxRequests    int             // per connection; 0: any number
	Keepalive      *TCPKeepalive   // nil: the system's own
	Pings          *HTTP2Keepalive // nil: none; only with GRPC and GRPCS
	Limits         CircuitBreaker
}

// TCPKeepalive asks for signs of life on idle connections. 0 is the system's own value.
type TCPKeepalive struct {
	Time, Interval time.Duration // whole seconds
	Probes         int
}

// HTTP2Keepalive asks nodes for signs of life by pings of HTTP/2, also while they are busy.
type HTTP2Keepalive struct{ Interval, Timeout time.Duration }

// CircuitBreaker are limits of what is under way to an upstream; 0 is none.
type CircuitBreaker struct {
	MaxConnections, MaxPendingRequests, MaxRequests, MaxRetries int
}

// The connections of an upstream that says nothing. A server that closes an idle connection first may do so just as a
// request is on its way. Gunicorn closes after 2 s, the shortest among common servers (Node.js, Apache httpd and
// Uvicorn 5 s, Puma and Tomcat 20 s, nginx 75 s).
const (
	DefaultConnectTimeout = 2 * time.Second
	DefaultIdleTimeout    = 1500 * time.Millisecond
)

// DefaultConnections are the connections of an upstream that says nothing about them.
func DefaultConnections() Connections {
	return Connections{ConnectTimeout: DefaultConnectTimeout, IdleTimeout: DefaultIdleTimeout}
}

// UpstreamTLS changes how nodes that are called over TLS are verified, and how Envoy proves who it is.
type UpstreamTLS struct {
	CAFile             string // as the operator wrote it; empty: the system's CAs, on Envoy's machine
	CA                 []byte // PEM; nil when CAFile is empty
	SNI                string // name to send and to check; empty: see the translation
	InsecureSkipVerify bool
	Client             *Certificate // what Envoy shows; nil: nothing
	MinVersion         TLSVersion   // the oldest
	Place              Place
}
