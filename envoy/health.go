package envoy

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
)

// Health is what an Endpoint is to an Envoy.
type Health int

// The healths of an endpoint.
const (
	Healthy   Health = iota // it gets requests
	Unhealthy               // a check failed, or too many requests did
	Pending                 // it has not been checked yet
)

// Endpoint is one address of a cluster, as an Envoy has it.
type Endpoint struct {
	Address  string // host:port, IPv6 in brackets
	Hostname string // of a cluster that resolves names: the name that it comes from
	Port     int
	Health   Health
}

// ClusterHealth asks the admin API at "host:port" about the endpoints of a cluster. A cluster that this Envoy does not
// have has none.
func ClusterHealth(ctx context.Context, address, cluster string) ([]Endpoint, error) {
	// Without the filter an Envoy of 10,000 clusters answers 78 MB in 3 s; with it, in some milliseconds.
	query := url.Values{"format": {"json"}, "filter": {"^" + regexp.QuoteMeta(cluster) + "$"}}
	text, err := newAdminClient(address).ask(ctx, http.MethodGet, "/clusters?"+query.Encode())
	if err != nil {
		return nil, fmt.Errorf("ask Envoy's admin API: %w", err)
	}
	var document clusters
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		return nil, fmt.Errorf("%s does not answer as Envoy's admin API does: %w", address, err)
	}
	var out []Endpoint
	for _, c := range document.Statuses {
		for _, h := range c.Hosts {
			if c.Name == cluster {
				out = append(out, h.endpoint())
			}
		}
	}
	return out, nil
}

// clusters is the part of /clusters?format=json that we look at.
type clusters struct {
	Statuses []struct {
		Name  string       `json:"name"`
		Hosts []hostStatus `json:"host_statuses"`
	} `json:"cluster_statuses"`
}

type hostStatus struct {
	Address struct {
		Socket struct {
			Address string `json:"address"`
			Port    int    `json:"port_value"`
		} `json:"socket_address"`
	} `json:"address"`
	Hostname string `json:"hostname"`
	Health   struct {
		Pending        bool   `json:"pending_active_hc"`
		FailedCheck    bool   `json:"failed_active_health_check"`
		FailedOutlier  bool   `json:"failed_outlier_check"`
		ImmediatelyOut bool   `json:"excluded_via_immediate_hc_fail"`
		EDS            string `json:"eds_health_status"`
	} `json:"health_status"`
}

func (h hostStatus) endpoint() Endpoint {
	socket, health := h.Address.Socket, h.Health
	out := Endpoint{
		Address: net.JoinHostPort(socket.Address, strconv.Itoa(socket.Port)), Hostname: h.Hostname, Port: socket.Port,
	}
	switch {
	case health.Pending: // Envoy calls it failed too
		out.Health = Pending
	case health.FailedCheck || health.FailedOutlier || health.ImmediatelyOut || health.EDS != "" && health.EDS != "HEALTHY" && health.EDS != "UNKNOWN":
		out.Health = Unhealthy
	}
	return out
}
