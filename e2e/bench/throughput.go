package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// shape is a way in which the paths of many APIs differ. Envoy answers all of them by itself, so that what is measured is
// how it finds the API.
type shape struct {
	name    string
	pattern string // of the API's path, with its number
	request string
	most    int // at most so many APIs; 0: no limit
}

var shapes = []shape{
	{"exact", "/shop/%05d/items", "/shop/%05d/items", 0},
	{"template", "/shop/%05d/items/{id}", "/shop/%05d/items/4711", 0},
	// Templates that begin with the same literals are matched one after the other.
	{"template, one literal start", "/shop/{id}/items/%05d", "/shop/4711/items/%05d", 1000},
}

// throughputRow compares few APIs with many.
type throughputRow struct {
	Shape    string  `json:"shape"`
	Few      int     `json:"few_apis"`
	Many     int     `json:"many_apis"`
	FewRate  float64 `json:"few_requests_per_second"`
	ManyRate float64 `json:"many_requests_per_second"`
	Ratio    float64 `json:"ratio"`
	FewBusy  float64 `json:"few_worker_busy"`
	ManyBusy float64 `json:"many_worker_busy"`
}

// measureThroughput loads Envoys that have few APIs and many, in turns.
func (b *bench) measureThroughput(ctx context.Context) ([]throughputRow, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // more threads of ours would take turns with Envoy's worker
	var rows []throughputRow
	for _, s := range shapes {
		row, err := b.measureShape(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("%s paths: %w", s.name, err)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func (b *bench) measureShape(ctx context.Context, s shape) (throughputRow, error) {
	counts := [2]int{b.apis[0], b.apis[1]}
	if s.most > 0 {
		counts[1] = min(counts[1], s.most)
	}
	b.say("throughput: %s paths, %d and %d APIs", s.name, counts[0], counts[1])
	var loads [2]*load
	var envoys [2]*child
	for i, count := range counts {
		var address string
		var err error
		if envoys[i], address, err = b.startLoaded(ctx, s, count, i); err != nil {
			return throughputRow{}, err
		}
		defer envoys[i].kill()
		loads[i] = newLoad(address, s, count)
	}
	var best [2]rate
	for round := range b.rounds {
		for i := range loads {
			i = (i + round) % 2 // who comes first changes, as what else the machine does changes
			got, err := loads[i].run(ctx, b.round, envoys[i])
			if err != nil {
				return throughputRow{}, envoys[i].failed(err)
			}
			if got.perSecond > best[i].perSecond {
				best[i] = got
			}
		}
	}
	return throughputRow{
		Shape: s.name, Few: counts[0], Many: counts[1],
		FewRate: best[0].perSecond, ManyRate: best[1].perSecond, Ratio: best[1].perSecond / best[0].perSecond,
		FewBusy: best[0].busy, ManyBusy: best[1].busy,
	}, nil
}

// startLoaded starts an Envoy that has got its routes from a weir, which is gone then: Envoy keeps what it has.
func (b *bench) startLoaded(ctx context.Context, s shape, count, number int) (*child, string, error) {
	address, err := b.free()
	if err != nil {
		return nil, "", err
	}
	dir := b.file(fmt.Sprintf("load/%d", number))
	if err := s.write(dir, address, count); err != nil {
		return nil, "", err
	}
	w, xds, _, err := b.startWeir(ctx, dir)
	if err != nil {
		return nil, "", err
	}
	defer w.stop()
	stream, err := b.streamTo(ctx, xds)
	if err != nil {
		return nil, "", err
	}
	defer stream.counter.close()
	ask := &probe{address: address}
	defer ask.close()
	last := question{host: loadDomain, path: fmt.Sprintf(s.request, count-1), after: answer{200, loadBody[0]}}
	envoy, _, err := b.startEnvoy(ctx, stream.bootstrap(), ask, last)
	return envoy, address, err
}

const (
	loadDomain = "bench.example.com"
	loadBody   = "ok"
	// apisEach is how many APIs a service has; all services share the domain.
	apisEach = 100
)

// write writes a configuration with some APIs of this shape under one domain.
func (s shape) write(dir, listener string, count int) error {
	var b strings.Builder
	l := layout{upstreams: 0, files: 2, listener: listener}
	b.Write(l.text(0, state{}))
	for i := range count {
		if i%apisEach == 0 {
			fmt.Fprintf(&b, "\nservice \"s%d\" {\n  instance = instance.edge\n  domains  = [%q]\n", i/apisEach, loadDomain)
		}
		fmt.Fprintf(&b, "\n  api \"a%d\" {\n    path = %q\n    backend {\n      mock {\n        body = %q\n      }\n    }\n  }\n", i, fmt.Sprintf(s.pattern, i), loadBody)
		if i%apisEach == apisEach-1 || i == count-1 {
			b.WriteString("}\n")
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "load.hcl"), []byte(b.String()), 0o644)
}

// rate is what a round of load came to.
type rate struct {
	perSecond float64
	busy      float64 // the processor time of Envoy over the time of the round; 0 where it is not known
}

// rateOf a number of requests that took some time.
func rateOf(requests int, took, used time.Duration) rate {
	return rate{float64(requests) / took.Seconds(), used.Seconds() / took.Seconds()}
}
