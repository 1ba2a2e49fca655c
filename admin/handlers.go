package admin

import (
	"context"
	"errors"
	"net/http"
)

const indexText = `weir: a control plane for Envoy

GET  /healthz                 whether weir runs
GET  /readyz                  whether it serves a configuration
GET  /metrics                 for Prometheus
GET  /api/v1/status           generation, last attempt to load, instances, proxies
GET  /api/v1/instances        gateways, their listeners and proxies
GET  /api/v1/proxies          connected Envoys: sent, acknowledged, refused
GET  /api/v1/upstreams        upstreams, their nodes and associated APIs
GET  /api/v1/upstreams/NAME   one of them, and how its nodes are
POST /api/v1/reload           load the files now and wait for the outcome
`

// noConfiguration is the reason of readyz and of the documents that need a configuration.
const noConfiguration = "no configuration has been loaded yet"

func index(w http.ResponseWriter, _ *http.Request) { text(w, http.StatusOK, indexText) }

func (o Options) ready(w http.ResponseWriter, _ *http.Request) {
	state := o.State()
	switch {
	case state.Restored != nil:
		text(w, http.StatusOK, "ready with the generation of the state directory: the files cannot be loaded\n")
		return
	case state.Configuration != nil:
		text(w, http.StatusOK, "ready\n")
		return
	}
	reason := noConfiguration
	if a := state.LastAttempt; a != nil {
		reason += ": the last attempt " + a.Outcome.Told()
		if a.Error != "" {
			reason += ": " + a.Error
		}
	}
	text(w, http.StatusServiceUnavailable, reason+"\n")
}

func (o Options) status(w http.ResponseWriter, _ *http.Request) {
	var envoys []Envoy
	if o.Envoys != nil {
		envoys = append([]Envoy{}, o.Envoys()...)
	}
	answer(w, http.StatusOK, NewStatus(o.State(), o.Proxies(), envoys))
}

func (o Options) instances(w http.ResponseWriter, _ *http.Request) {
	state := o.State()
	if state.Configuration == nil && state.Restored == nil {
		fail(w, http.StatusServiceUnavailable, noConfiguration)
		return
	}
	all, _ := instances(state, o.Proxies())
	answer(w, http.StatusOK, InstanceList{Instances: all})
}

func (o Options) proxies(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, ProxyList{Proxies: append([]Proxy{}, o.Proxies()...)})
}

func (o Options) upstreams(w http.ResponseWriter, _ *http.Request) {
	state := o.State()
	if state.Configuration == nil {
		fail(w, http.StatusServiceUnavailable, noConfiguration)
		return
	}
	answer(w, http.StatusOK, UpstreamList{Upstreams: Upstreams(state.Configuration, state.Mask)})
}

func (o Options) upstream(w http.ResponseWriter, r *http.Request) {
	state, name := o.State(), r.PathValue("name")
	if state.Configuration == nil {
		fail(w, http.StatusServiceUnavailable, noConfiguration)
		return
	}
	if _, ok := state.Configuration.Upstreams[name]; !ok {
		fail(w, http.StatusNotFound, "there is no upstream "+quote(name))
		return
	}
	view := NewUpstream(state.Configuration, name)
	if o.Health != nil {
		view.hear(o.Health(r.Context(), name))
	}
	if state.Mask != nil {
		view.mask(state.Mask)
	}
	answer(w, http.StatusOK, view)
}

// reload answers 200 where the configuration that serves is the one in the files, and an error status with the
// same document where it is not, so that `curl --fail` does what its user expects.
func (o Options) reload(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), ReloadTimeout)
	defer cancel()
	attempt, err := o.Reload(ctx)
	switch {
	case errors.Is(err, ErrStopping):
		fail(w, http.StatusServiceUnavailable, err.Error())
	case errors.Is(err, context.DeadlineExceeded):
		fail(w, http.StatusGatewayTimeout, "the attempt to load has not ended yet; /api/v1/status will show its outcome")
	case err != nil:
		fail(w, http.StatusInternalServerError, err.Error())
	default:
		answer(w, attempt.Outcome.httpStatus(), attempt)
	}
}
