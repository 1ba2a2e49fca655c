package model

import "time"

// HealthCheckType is how a node is asked whether it is well.
type HealthCheckType string

// The types of health check.
const (
	CheckHTTP HealthCheckType = "http" // a GET, whose answer has one of some statuses
	CheckTCP  HealthCheckType = "tcp"  // a connection
	CheckGRPC HealthCheckType = "grpc" // the call grpc.health.v1.Health/Check
)

// DefaultPanicThreshold has requests go to all nodes where none is healthy: as long as the nodes are not more than 100, one
// healthy node is 1 percent or more.
const DefaultPanicThreshold = 1

// HealthCheck asks each enabled node, from each Envoy, at regular times. A node is taken for unhealthy until it has been asked.
type HealthCheck struct {
	Type               HealthCheckType
	Path               string        // of CheckHTTP
	Host               string        // of CheckHTTP and CheckGRPC: the Host header; empty: each node's own address
	Service            string        // of CheckGRPC; empty: the server as a whole
	Statuses           []StatusRange // of CheckHTTP: those of a healthy node; at least one
	Interval           time.Duration
	Timeout            time.Duration
	HealthyThreshold   int // so many good answers in a row make an unhealthy node healthy
	UnhealthyThreshold int // so many bad ones a healthy node unhealthy
}

// StatusRange is the statuses from First to Last.
type StatusRange struct{ First, Last int }

// OutlierDetection takes nodes out for a while that fail requests. A count of 0 switches its condition off.
type OutlierDetection struct {
	Consecutive5xx                int // answers of 500 to 599
	ConsecutiveGatewayFailure     int // answers of 502, 503 and 504
	ConsecutiveLocalOriginFailure int // connections that fail or are cut, and timeouts
	Interval                      time.Duration
	BaseEjectionTime              time.Duration // multiplied by how often a node has been taken out
	MaxEjectionTime               time.Duration // not less than BaseEjectionTime
	MaxEjectionPercent            int           // of the nodes, at the same time
}
