package e2e

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"
)

// The load under which faults happen: constant, whatever comes back and however late, as callers do who know nothing of
// each other; bounded, so that a gateway that hangs does not take the machine with it.
const (
	pressureRate  = 250  // requests per second
	pressureBound = 1500 // requests on their way at once; what would be more counts as failed
)

// pressure sends requests at a constant rate until it is released.
type pressure struct {
	requests []request // in turn
	quit     chan struct{}
	finished chan struct{}
	flying   sync.WaitGroup
	slots    chan struct{}

	mu     sync.Mutex
	counts counts
}

// counts is what came of the requests.
type counts struct {
	sent, failed int
	at           []time.Time // when each was sent
	failures     []failure
	bodies       map[string]int // of those that did not fail
}

// failure is a request that was not answered with 200.
type failure struct {
	sent time.Time
	took time.Duration
	what string
}

// press starts the load. Every second request is a GET on a connection of its own, every other one a PUT on one of a few
// that are kept: net/http sends a GET again by itself when a kept connection breaks, and would hide a failure.
func press(t *testing.T, requests ...request) *pressure {
	t.Helper()
	p := &pressure{requests: requests, quit: make(chan struct{}), finished: make(chan struct{}), slots: make(chan struct{}, pressureBound)}
	p.counts.bodies = make(map[string]int)
	go p.run()
	t.Cleanup(p.halt)
	return p
}

func (p *pressure) run() {
	defer close(p.finished)
	fresh, kept := newClient(nil), newClient(nil)
	fresh.Transport.(*http.Transport).DisableKeepAlives = true
	defer kept.CloseIdleConnections()
	tick := time.NewTicker(time.Second / pressureRate)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-p.quit:
			p.flying.Wait()
			return
		case <-tick.C:
		}
		r, client := p.requests[n%len(p.requests)], fresh
		if r.method = http.MethodGet; n/len(p.requests)%2 == 1 {
			r.method, client = http.MethodPut, kept
		}
		select {
		case p.slots <- struct{}{}:
			p.flying.Go(func() {
				defer func() { <-p.slots }()
				p.send(r, client)
			})
		default:
			p.add(time.Now(), answer{}, fmt.Errorf("%d requests are waiting for their answers already", pressureBound))
		}
	}
}

func (p *pressure) send(r request, client *http.Client) {
	sent := time.Now()
	got, err := r.send(client, "http")
	p.add(sent, got, err)
}

func (p *pressure) add(sent time.Time, got answer, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts.sent++
	p.counts.at = append(p.counts.at, sent)
	if err == nil && got.status == http.StatusOK {
		p.counts.bodies[got.body]++
		return
	}
	what := got.String()
	if err != nil {
		what = err.Error()
	}
	p.counts.failed++
	p.counts.failures = append(p.counts.failures, failure{sent, time.Since(sent), what})
}

func (p *pressure) halt() {
	select {
	case <-p.quit:
	default:
		close(p.quit)
	}
}

// hold keeps the load on for a while: how long it lasts is the subject.
func (p *pressure) hold(d time.Duration) { time.Sleep(d) }

// release ends the load and returns what came of it.
func (p *pressure) release() counts {
	p.halt()
	<-p.finished
	return p.counts
}

// none holds that no request has failed.
func (c counts) none(t *testing.T) counts {
	t.Helper()
	return c.noneAfter(t, time.Time{})
}

// noneAfter holds that no request has failed of those that were sent after a moment.
func (c counts) noneAfter(t *testing.T, moment time.Time) counts {
	t.Helper()
	if c.sent < pressureRate/4 {
		t.Errorf("only %d requests were sent: that shows nothing", c.sent)
	}
	var late []failure
	for _, f := range c.failures {
		if f.sent.After(moment) {
			late = append(late, f)
		}
	}
	if len(late) > 0 {
		t.Errorf("%d of %d requests failed that must not, the first ones:%s", len(late), c.sent, describe(late))
	}
	return c
}

// sentDuring counts the requests that were sent between two moments.
func (c counts) sentDuring(from, to time.Time) (sent int) {
	for _, at := range c.at {
		if at.After(from) && at.Before(to) {
			sent++
		}
	}
	return sent
}

// describe shows the first failures.
func describe(failures []failure) string {
	text := ""
	for _, f := range failures[:min(len(failures), 10)] {
		text += fmt.Sprintf("\n  %s, after %v: %s", f.sent.Format("15:04:05.000"), f.took.Round(time.Millisecond), f.what)
	}
	return text
}
