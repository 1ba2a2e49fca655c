package admin

import "time"

// Error is the document of every answer that is not what was asked for.
type Error struct {
	Error string `json:"error"`
}

// Place is where something stands in the operator's files.
type Place struct {
	File   string `json:"file"` // as messages print it: the path that weir was given and the file below it
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// Status is /api/v1/status.
type Status struct {
	Version       string     `json:"version"`
	StartedAt     time.Time  `json:"started_at"`
	Configuration string     `json:"configuration"` // the path that is watched
	XDSAddress    string     `json:"xds_address"`
	AdminAddress  string     `json:"admin_address"`
	Ready         bool       `json:"ready"`
	Generation    string     `json:"generation"` // that serves; empty until something was loaded
	LoadedAt      *time.Time `json:"loaded_at"`  // null until something was loaded
	LastAttempt   *Attempt   `json:"last_attempt"`
	Restored      *Restored  `json:"restored,omitempty"` // what serves comes from the state directory
	Counts        Counts     `json:"counts"`
	Instances     []Instance `json:"instances"`
	Strays        []Proxy    `json:"strays"`           // proxies whose node.cluster names no instance
	Envoys        []Envoy    `json:"envoys,omitempty"` // that this weir started
}

// Counts is how much of each noun the configuration that serves holds.
type Counts struct {
	VPCs      int `json:"vpcs"`
	CCNs      int `json:"ccns"`
	Instances int `json:"instances"`
	Listeners int `json:"listeners"`
	Upstreams int `json:"upstreams"`
	Nodes     int `json:"nodes"`
	Services  int `json:"services"`
	APIs      int `json:"apis"`
}

// Instance is a gateway with the proxies that are connected for it.
type Instance struct {
	Name        string     `json:"name"`
	Description string     `json:"description,omitempty"`
	Type        string     `json:"type"`
	VPC         string     `json:"vpc,omitempty"`
	Listeners   []Listener `json:"listeners"`
	Proxies     []Proxy    `json:"proxies"`
	Standbys    []Proxy    `json:"standbys"`            // that keep what is published, see "weir standby"
	Withdrawn   string     `json:"withdrawn,omitempty"` // what all of its Envoys refused: what they took before serves
	Place       *Place     `json:"place,omitempty"`
}

// InstanceList is /api/v1/instances.
type InstanceList struct {
	Instances []Instance `json:"instances"`
}

// Listener is a port of an instance.
type Listener struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	Port    int    `json:"port"`
	TLS     bool   `json:"tls"`
	HTTP3   bool   `json:"http3"`
	Place   *Place `json:"place,omitempty"`
}

// Proxy is a connected Envoy, or one that is refused because its node.cluster names no instance.
type Proxy struct {
	Node        string      `json:"node"`     // node.id
	Instance    string      `json:"instance"` // node.cluster, which may name no instance
	Address     string      `json:"address"`
	UserAgent   string      `json:"user_agent,omitempty"`
	Current     bool        `json:"current"`           // it took everything that is published for its instance
	Standby     bool        `json:"standby,omitempty"` // no Envoy, but one that keeps what is published for Envoys
	ConnectedAt time.Time   `json:"connected_at"`
	Types       []ProxyType `json:"types"`
}

// ProxyType is how far a proxy is with one type of resource.
type ProxyType struct {
	Type         string   `json:"type"`         // the message's name: Cluster, Listener, ...
	Sent         string   `json:"sent"`         // version
	Acknowledged string   `json:"acknowledged"` // version
	Refused      *Refusal `json:"refused,omitempty"`
}

// Refusal is what a proxy did not accept.
type Refusal struct {
	Version   string    `json:"version"`
	Message   string    `json:"message"`   // Envoy's words
	Resources []string  `json:"resources"` // those that the message names, else all that were sent together
	At        time.Time `json:"at"`
	Place     *Place    `json:"place,omitempty"` // of the block that it comes from, where it can be told
}

// ProxyList is /api/v1/proxies.
type ProxyList struct {
	Proxies []Proxy `json:"proxies"`
}

// Envoy is a process that this weir started and keeps running.
type Envoy struct {
	Instance     string     `json:"instance"`
	PID          int        `json:"pid,omitempty"` // absent: none runs at this moment
	Ready        bool       `json:"ready"`         // it has its configuration and takes requests
	AdminAddress string     `json:"admin_address,omitempty"`
	StartedAt    *time.Time `json:"started_at,omitempty"`
	Restarts     int        `json:"restarts"` // starts after the first
	LastExit     string     `json:"last_exit,omitempty"`
}
