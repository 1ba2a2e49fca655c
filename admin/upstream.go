package admin

// Upstream is /api/v1/upstreams/NAME. Its attributes and blocks are those of the language, with the values that hold: where
// the files say nothing, the defaults. What is absent is not there, or has no limit.
type Upstream struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	VPC         string `json:"vpc"`
	Protocol    string `json:"protocol"`
	HostHeader  string `json:"host_header,omitempty"`

	LoadBalancing string     `json:"load_balancing"`
	HashKey       *HashKey   `json:"hash_key,omitempty"`
	SlowStart     *SlowStart `json:"slow_start,omitempty"`

	Retries int    `json:"retries"` // 0: switched off
	Retry   *Retry `json:"retry,omitempty"`

	ConnectTimeout           Duration        `json:"connect_timeout"`
	IdleTimeout              Duration        `json:"idle_timeout"` // "0s": for ever
	MaxConnectionDuration    Duration        `json:"max_connection_duration,omitempty"`
	MaxRequestsPerConnection int             `json:"max_requests_per_connection,omitempty"`
	CircuitBreaker           *CircuitBreaker `json:"circuit_breaker,omitempty"`
	TCPKeepalive             *TCPKeepalive   `json:"tcp_keepalive,omitempty"`
	HTTP2Keepalive           *HTTP2Keepalive `json:"http2_keepalive,omitempty"`

	HealthCheck      *HealthCheck      `json:"health_check,omitempty"`
	OutlierDetection *OutlierDetection `json:"outlier_detection,omitempty"`
	PanicThreshold   *int              `json:"panic_threshold,omitempty"` // absent where nothing checks the nodes

	TLS *UpstreamTLS `json:"tls,omitempty"` // with https and grpcs

	Nodes          []Node          `json:"nodes"`
	Witnesses      []Witness       `json:"proxies,omitempty"` // whose word the states of the nodes rest on
	AssociatedAPIs []AssociatedAPI `json:"associated_apis"`
	Place          *Place          `json:"place,omitempty"`
}

// UpstreamList is /api/v1/upstreams.
type UpstreamList struct {
	Upstreams []Upstream `json:"upstreams"`
}

// HashKey is what of a request chooses its node.
type HashKey struct {
	Header        string    `json:"header,omitempty"`
	Cookie        string    `json:"cookie,omitempty"`
	TTL           *Duration `json:"ttl,omitempty"` // of the cookie that callers are given; absent: they are given none
	SourceAddress bool      `json:"source_address,omitempty"`
}

// SlowStart is how the share of a new node grows.
type SlowStart struct {
	Window           Duration `json:"window"`
	MinWeightPercent int      `json:"min_weight_percent"`
}

// Retry is when and how failed attempts are repeated.
type Retry struct {
	On            []string `json:"on,omitempty"` // absent: what suits the method of the request
	PerTryTimeout Duration `json:"per_try_timeout,omitempty"`
	BackOff       BackOff  `json:"back_off"`
	Budget        *Budget  `json:"budget,omitempty"` // absent: circuit_breaker says max_retries
}

// BackOff are the pauses between attempts.
type BackOff struct {
	Base Duration `json:"base"`
	Max  Duration `json:"max"`
}

// Budget bounds the retries of all requests together.
type Budget struct {
	Percent        int `json:"percent"`
	MinConcurrency int `json:"min_concurrency"`
}

// CircuitBreaker are limits of what is under way, per Envoy.
type CircuitBreaker struct {
	MaxConnections     int `json:"max_connections,omitempty"`
	MaxPendingRequests int `json:"max_pending_requests,omitempty"`
	MaxRequests        int `json:"max_requests,omitempty"`
	MaxRetries         int `json:"max_retries,omitempty"`
}

// TCPKeepalive are the probes of idle connections; what is absent is the system's own.
type TCPKeepalive struct {
	Time     Duration `json:"time,omitempty"`
	Interval Duration `json:"interval,omitempty"`
	Probes   int      `json:"probes,omitempty"`
}

// HTTP2Keepalive are the pings of connections.
type HTTP2Keepalive struct {
	Interval Duration `json:"interval"`
	Timeout  Duration `json:"timeout"`
}

// HealthCheck is how each Envoy asks the nodes.
type HealthCheck struct {
	Type               string   `json:"type"`
	Path               string   `json:"path,omitempty"`
	Host               string   `json:"host,omitempty"` // absent: each node's own address
	Service            string   `json:"service,omitempty"`
	ExpectedStatuses   []string `json:"expected_statuses,omitempty"`
	Interval           Duration `json:"interval"`
	Timeout            Duration `json:"timeout"`
	HealthyThreshold   int      `json:"healthy_threshold"`
	UnhealthyThreshold int      `json:"unhealthy_threshold"`
}

// OutlierDetection is when a node is taken out; a count of 0 is off.
type OutlierDetection struct {
	Consecutive5xx                int      `json:"consecutive_5xx"`
	ConsecutiveGatewayFailure     int      `json:"consecutive_gateway_failure"`
	ConsecutiveLocalOriginFailure int      `json:"consecutive_local_origin_failure"`
	Interval                      Duration `json:"interval"`
	BaseEjectionTime              Duration `json:"base_ejection_time"`
	MaxEjectionTime               Duration `json:"max_ejection_time"`
	MaxEjectionPercent            int      `json:"max_ejection_percent"`
}

// UpstreamTLS is how the nodes are verified, and what Envoy shows to them. Files are named, never shown.
type UpstreamTLS struct {
	CAFile                string `json:"ca_file,omitempty"` // absent: the CAs of Envoy's machine
	SNI                   string `json:"sni,omitempty"`
	ClientCertificateFile string `json:"client_certificate_file,omitempty"`
	ClientKeyFile         string `json:"client_key_file,omitempty"`
	MinVersion            string `json:"min_version"`
	InsecureSkipVerify    bool   `json:"insecure_skip_verify"`
}

// Node is one address of an upstream.
type Node struct {
	Address     string  `json:"address"` // host:port, IPv6 in brackets
	Host        string  `json:"host"`
	Port        int     `json:"port"`
	Description string  `json:"description,omitempty"`
	Weight      int     `json:"weight"`  // 0: listed but disabled
	Percent     float64 `json:"percent"` // the node's share of the upstream's requests while all nodes answer
	Place       *Place  `json:"place,omitempty"`

	State  NodeState   `json:"state,omitempty"`  // over all proxies; absent where nobody was asked
	States []Statement `json:"states,omitempty"` // of each proxy that could be asked
}

// AssociatedAPI is an API whose backend is the upstream.
type AssociatedAPI struct {
	Service  string   `json:"service"`
	API      string   `json:"api"`
	Instance string   `json:"instance"`
	Domains  []string `json:"domains"` // none: every host that no other service's domain fits
	Methods  []string `json:"methods"` // none: any
	Path     string   `json:"path"`    // as the language has it; a prefix ends with "/*", and "/*" is every path
	Place    *Place   `json:"place,omitempty"`
}
