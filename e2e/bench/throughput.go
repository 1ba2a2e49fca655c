package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// shape is a way in which the paths of many APIs differ. Their answers come from a node; or Envoy gives them by itself, so
// that what is measured is little else than how it finds the API.
type shape struct {
	name      string
	pattern   string // of the API's path, with its number
	request   string
	forwarded bool
	most      int // at most so many APIs; 0: no limit
}

var shapes = []shape{
	{"exact", "/shop/%05d/items", "/shop/%05d/items", true, 0},
	{"template", "/shop/%05d/items/{id}", "/shop/%05d/items/4711", true, 0},
	{"exact", "/shop/%05d/items", "/shop/%05d/items", false, 0},
	{"template", "/shop/%05d/items/{id}", "/shop/%05d/items/4711", false, 0},
	// Templates that begin with the same literals are matched one after the other.
	{"template, one literal start", "/shop/{id}/items/%05d", "/shop/4711/items/%05d", false, 1000},
}

// what says what the APIs are and who answers.
func (s shape) what() string {
	if s.forwarded {
		return s.name + " paths, forwarded"
	}
	return s.name + " paths, answered by Envoy"
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
			return nil, fmt.Errorf("%s: %w", s.what(), err)
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
	b.say("throughput: %s, %d and %d APIs", s.what(), counts[0], counts[1])
	node, err := startNode()
	if err != nil {
		return throughputRow{}, err
	}
	defer node.Close()
	var loads [2]*load
	var envoys [2]*child
	for i, count := range counts {
		var address string
		var err error
		if envoys[i], address, err = b.startLoaded(ctx, s, node.Addr().String(), count, i); err != nil {
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
		Shape: s.what(), Few: counts[0], Many: counts[1],
		FewRate: best[0].perSecond, ManyRate: best[1].perSecond, Ratio: best[1].perSecond / best[0].perSecond,
		FewBusy: best[0].busy, ManyBusy: best[1].busy,
	}, nil
}

// startLoaded starts an Envoy that has got its routes from a weir, which is gone then: Envoy keeps what it has.
func (b *bench) startLoaded(ctx context.Context, s shape, node string, count, number int) (*child, string, error) {
	address, err := b.free()
	if err != nil {
		return nil, "", err
	}
	dir := b.file(fmt.Sprintf("load/%d", number))
	if err := s.write(dir, address, node, count); err != nil {
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
func (s shape) write(dir, listener, node string, count int) error {
	var b strings.Builder
	l := layout{upstreams: 0, files: 2, listener: listener}
	b.Write(l.text(0, state{}))
	backend := fmt.Sprintf("mock {\n        body = %q\n      }", loadBody)
	if s.forwarded {
		fmt.Fprintf(&b, "\nupstream \"node\" {\n  vpc      = vpc.main\n  protocol = \"http\"\n  node %q {}\n}\n", node)
		backend = "upstream = upstream.node"
	}
	for i := range count {
		if i%apisEach == 0 {
			fmt.Fprintf(&b, "\nservice \"s%d\" {\n  instance = instance.edge\n  domains  = [%q]\n", i/apisEach, loadDomain)
		}
		fmt.Fprintf(&b, "\n  api \"a%d\" {\n    path = %q\n    backend {\n      %s\n    }\n  }\n", i, fmt.Sprintf(s.pattern, i), backend)
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

// startNode answers each request at once, for as long as it is not closed. It reads no more of a request than where it ends.
func startNode() (net.Listener, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	answer := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s", len(loadBody), loadBody)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for scanner := bufio.NewScanner(conn); scanner.Scan(); {
					if len(scanner.Bytes()) > 0 {
						continue
					}
					if _, err := conn.Write(answer); err != nil {
						return
					}
				}
			}()
		}
	}()
	return listener, nil
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
