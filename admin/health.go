package admin

// NodeState is how a node is, in the eyes of proxies.
type NodeState string

// The states of a node.
const (
	Off       NodeState = "off"       // its weight is 0
	Healthy   NodeState = "healthy"   // it gets requests
	Unhealthy NodeState = "unhealthy" // a proxy keeps requests from it
	Unknown   NodeState = "unknown"   // nothing checks it, it was not checked yet, or no proxy could be asked
)

// Witness is a proxy that was asked how the nodes of an upstream are.
type Witness struct {
	Node     string `json:"node"` // node.id
	Instance string `json:"instance"`
	Error    string `json:"error,omitempty"` // why it did not answer

	Says map[string]NodeState `json:"-"` // by the node's address; nil where it did not answer
}

// Statement is what one proxy says of a node.
type Statement struct {
	Proxy    string    `json:"proxy"` // node.id
	Instance string    `json:"instance"`
	State    NodeState `json:"state"`
}

// hear adds what the proxies said to the nodes.
func (u *Upstream) hear(witnesses []Witness) {
	u.Witnesses = witnesses
	for i := range u.Nodes {
		n := &u.Nodes[i]
		if n.Weight == 0 {
			n.State = Off
			continue
		}
		n.State = Unknown
		for _, w := range witnesses {
			state, ok := w.Says[n.Address]
			if !ok {
				if w.Says == nil {
					continue
				}
				state = Unknown
			}
			n.States = append(n.States, Statement{Proxy: w.Node, Instance: w.Instance, State: state})
			n.State = worse(n.State, state)
		}
	}
}

// worse is the state over two proxies: one that keeps requests from a node is what an operator has to know; and one
// that knows counts more than one that does not.
func worse(a, b NodeState) NodeState {
	for _, s := range []NodeState{Unhealthy, Healthy} {
		if a == s || b == s {
			return s
		}
	}
	return Unknown
}
