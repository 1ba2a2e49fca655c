package admin

import (
	"cmp"
	"maps"
	"net"
	"slices"
	"strconv"

	"github.com/weirproxy/weir/model"
)

// Upstreams are all of them, by name. mask hides what came from sensitive variables; nil: there is none.
func Upstreams(c *model.Configuration, mask func(string) string) []Upstream {
	associated := associatedAPIs(c)
	all := make([]Upstream, 0, len(c.Upstreams))
	for _, name := range slices.Sorted(maps.Keys(c.Upstreams)) {
		u := newUpstream(c.Upstreams[name], associated[name])
		if mask != nil {
			u.mask(mask)
		}
		all = append(all, u)
	}
	return all
}

// NewUpstream is one upstream, which must exist, with nothing hidden.
func NewUpstream(c *model.Configuration, name string) Upstream {
	return newUpstream(c.Upstreams[name], associatedAPIs(c)[name])
}

func newUpstream(u *model.Upstream, associated []AssociatedAPI) Upstream {
	view := Upstream{
		Name: u.Name, Description: u.Description, VPC: u.VPC, Protocol: string(u.Protocol), HostHeader: u.HostHeader,
		LoadBalancing: string(u.LoadBalancing), HashKey: hashKey(u.HashKey), Retries: u.Retries,
		Nodes: nodes(u.Nodes), AssociatedAPIs: append([]AssociatedAPI{}, associated...), Place: NewPlace(u.Place),
	}
	if s := u.SlowStart; s != nil {
		view.SlowStart = &SlowStart{Window: Duration(s.Window), MinWeightPercent: s.MinWeightPercent}
	}
	if u.Retries > 0 {
		view.Retry = retry(u.Retry)
	}
	view.setConnections(u.Connections)
	view.setHealth(u)
	if u.Protocol.Secure() {
		view.TLS = upstreamTLS(u.TLS)
	}
	return view
}

func hashKey(k *model.HashKey) *HashKey {
	if k == nil {
		return nil
	}
	view := &HashKey{Header: k.Header, Cookie: k.Cookie, SourceAddress: k.SourceAddress}
	if ttl := Duration(k.CookieTTL); k.MakeCookie {
		view.TTL = &ttl
	}
	return view
}

func retry(r model.Retry) *Retry {
	view := &Retry{
		On: slices.Clone(r.On), PerTryTimeout: Duration(r.PerTryTimeout),
		BackOff: BackOff{Base: Duration(r.BackOff.Base), Max: Duration(r.BackOff.Max)},
	}
	for _, code := range r.StatusCodes {
		view.On = append(view.On, strconv.Itoa(code))
	}
	if r.Budget.Percent > 0 {
		view.Budget = &Budget{Percent: r.Budget.Percent, MinConcurrency: r.Budget.MinConcurrency}
	}
	return view
}

func (u *Upstream) setConnections(c model.Connections) {
	u.ConnectTimeout, u.IdleTimeout = Duration(c.ConnectTimeout), Duration(c.IdleTimeout)
	u.MaxConnectionDuration, u.MaxRequestsPerConnection = Duration(c.MaxDuration), c.MaxRequests
	if l := c.Limits; l != (model.CircuitBreaker{}) {
		u.CircuitBreaker = &CircuitBreaker{
			MaxConnections: l.MaxConnections, MaxPendingRequests: l.MaxPendingRequests, MaxRequests: l.MaxRequests, MaxRetries: l.MaxRetries,
		}
	}
	if k := c.Keepalive; k != nil {
		u.TCPKeepalive = &TCPKeepalive{Time: Duration(k.Time), Interval: Duration(k.Interval), Probes: k.Probes}
	}
	if p := c.Pings; p != nil {
		u.HTTP2Keepalive = &HTTP2Keepalive{Interval: Duration(p.Interval), Timeout: Duration(p.Timeout)}
	}
}

func (u *Upstream) setHealth(m *model.Upstream) {
	if h := m.HealthCheck; h != nil {
		u.HealthCheck = &HealthCheck{
			Type: string(h.Type), Path: h.Path, Host: h.Host, Service: h.Service, ExpectedStatuses: statuses(h.Statuses),
			Interval: Duration(h.Interval), Timeout: Duration(h.Timeout),
			HealthyThreshold: h.HealthyThreshold, UnhealthyThreshold: h.UnhealthyThreshold,
		}
	}
	if o := m.Outliers; o != nil {
		u.OutlierDetection = &OutlierDetection{
			Consecutive5xx: o.Consecutive5xx, ConsecutiveGatewayFailure: o.ConsecutiveGatewayFailure,
			ConsecutiveLocalOriginFailure: o.ConsecutiveLocalOriginFailure, Interval: Duration(o.Interval),
			BaseEjectionTime: Duration(o.BaseEjectionTime), MaxEjectionTime: Duration(o.MaxEjectionTime),
			MaxEjectionPercent: o.MaxEjectionPercent,
		}
	}
	if m.HealthCheck != nil || m.Outliers != nil {
		u.PanicThreshold = &m.PanicThreshold
	}
}

// statuses are as the language has them: "204", "200-299".
func statuses(of []model.StatusRange) []string {
	var all []string
	for _, s := range of {
		text := strconv.Itoa(s.First)
		if s.Last != s.First {
			text += "-" + strconv.Itoa(s.Last)
		}
		all = append(all, text)
	}
	return all
}

// upstreamTLS is what holds for an upstream over TLS, which may say nothing of it.
func upstreamTLS(t *model.UpstreamTLS) *UpstreamTLS {
	if t == nil {
		return &UpstreamTLS{MinVersion: string(model.TLS12)}
	}
	view := &UpstreamTLS{CAFile: t.CAFile, SNI: t.SNI, MinVersion: string(t.MinVersion), InsecureSkipVerify: t.InsecureSkipVerify}
	if c := t.Client; c != nil {
		view.ClientCertificateFile, view.ClientKeyFile = c.CertificateFile, c.PrivateKeyFile
	}
	return view
}

// mask has nothing that came from a sensitive variable shown: names and the words of the language cannot.
func (u *Upstream) mask(mask func(string) string) {
	texts := []*string{&u.Description, &u.HostHeader}
	if k := u.HashKey; k != nil {
		texts = append(texts, &k.Header, &k.Cookie)
	}
	if h := u.HealthCheck; h != nil {
		texts = append(texts, &h.Path, &h.Host, &h.Service)
	}
	if t := u.TLS; t != nil {
		texts = append(texts, &t.CAFile, &t.SNI, &t.ClientCertificateFile, &t.ClientKeyFile)
	}
	for i := range u.Nodes {
		n := &u.Nodes[i]
		texts = append(texts, &n.Address, &n.Host, &n.Description)
	}
	for i := range u.AssociatedAPIs {
		texts = append(texts, &u.AssociatedAPIs[i].Path)
	}
	for _, text := range texts {
		*text = mask(*text)
	}
}

func nodes(of []model.Node) []Node {
	var total uint64
	for _, n := range of {
		total += uint64(n.Weight)
	}
	all := make([]Node, 0, len(of))
	for _, n := range of {
		node := Node{
			Address: net.JoinHostPort(n.Host, strconv.Itoa(int(n.Port))), Host: n.Host, Port: int(n.Port),
			Description: n.Description, Weight: int(n.Weight), Place: NewPlace(n.Place),
		}
		if total > 0 {
			node.Percent = 100 * float64(n.Weight) / float64(total)
		}
		all = append(all, node)
	}
	return all
}

// associatedAPIs are the APIs of every upstream that has any, by service and name.
func associatedAPIs(c *model.Configuration) map[string][]AssociatedAPI {
	all := map[string][]AssociatedAPI{}
	for _, s := range c.Services {
		for _, a := range s.APIs {
			for _, upstream := range a.Backend.Upstreams() {
				all[upstream] = append(all[upstream], AssociatedAPI{
					Service: s.Name, API: a.Name, Instance: s.Instance,
					Domains: append([]string{}, s.Domains...), Methods: append([]string{}, a.Methods...),
					Path: pathText(a.Path), Place: NewPlace(a.Place),
				})
			}
		}
	}
	for _, apis := range all {
		slices.SortFunc(apis, func(a, b AssociatedAPI) int {
			return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.API, b.API))
		})
	}
	return all
}
