package model

import "time"

// LoadBalancing is the algorithm that chooses a node.
type LoadBalancing string

// The algorithms. The first is the reference page's "weighted polling".
const (
	WeightedRoundRobin LoadBalancing = "weighted_round_robin"
	LeastRequest       LoadBalancing = "least_request" // of two at random, the one with fewer requests under way
	Random             LoadBalancing = "random"
	RingHash           LoadBalancing = "ring_hash" // by HashKey
	Maglev             LoadBalancing = "maglev"    // by HashKey
)

// Hashes tells whether requests with one key go to one node.
func (b LoadBalancing) Hashes() bool { return b == RingHash || b == Maglev }

// HashKey is what of a request chooses its node. Exactly one of Header, Cookie and SourceAddress is set. A request without
// it goes to any node.
type HashKey struct {
	Header        string
	Cookie        string
	MakeCookie    bool          // give callers one who have none
	CookieTTL     time.Duration // of those; 0: until the browser ends
	SourceAddress bool          // of the caller, without the port
}

// SlowStart gives a new node, or one that is healthy again, a share that grows to its own.
type SlowStart struct {
	Window           time.Duration
	MinWeightPercent int // of its weight, at the start
}
