package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Ports are taken from below the range out of which systems give ports to outgoing connections, so that nothing takes
// one between its choice here and its use by a child.
const (
	firstPort = 30000
	portCount = 2000
)

// manyFiles is over how many files a configuration is spread, one upstream in each at least.
const manyFiles = 100

// bench is one run.
type bench struct {
	options
	progress io.Writer
	dir      string // everything that is written is below it
	backends backends
	nodes    [2]string // their addresses
	port     int       // the next one to try
	began    time.Time
	probes   int // requests of all probes, and how long they took
	probing  time.Duration
}

func newBench(o options, progress io.Writer) (*bench, error) {
	dir, err := os.MkdirTemp("", "weir-bench-")
	if err != nil {
		return nil, err
	}
	b := &bench{options: o, progress: progress, dir: dir, port: os.Getpid() * 37 % portCount, began: time.Now()}
	if b.backends, b.nodes, err = startBackends(); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func (b *bench) close() {
	b.backends.close()
	_ = os.RemoveAll(b.dir) // a temporary directory that stays is no reason to fail
}

// say tells what is being done.
func (b *bench) say(format string, arguments ...any) {
	fmt.Fprintf(b.progress, "bench: %4.0f s: %s\n", time.Since(b.began).Seconds(), fmt.Sprintf(format, arguments...))
}

// free is an address on which nothing listens.
func (b *bench) free() (string, error) {
	for range portCount {
		b.port = (b.port + 1) % portCount
		address := fmt.Sprintf("127.0.0.1:%d", firstPort+b.port)
		if listener, err := net.Listen("tcp", address); err == nil {
			return address, listener.Close()
		}
	}
	return "", fmt.Errorf("no free port from %d on", firstPort)
}

// file is a path below the run's directory.
func (b *bench) file(name string) string { return filepath.Join(b.dir, name) }

// measureAll measures every part that is asked for.
func (b *bench) measureAll(ctx context.Context) (*report, error) {
	r := &report{Machine: b.machine(ctx)}
	if b.wants("edit") || b.wants("start") {
		files, err := b.measureEnvoyFiles(ctx)
		if err != nil {
			return nil, err
		}
		for i, n := range b.sizes {
			if err := b.measureSize(ctx, r, n, i == len(b.sizes)-1, files); err != nil {
				return nil, fmt.Errorf("%d upstreams: %w", n, err)
			}
		}
	}
	if b.wants("throughput") {
		var err error
		if r.Throughput, err = b.measureThroughput(ctx); err != nil {
			return nil, fmt.Errorf("throughput: %w", err)
		}
	}
	if b.wants("fleet") {
		if err := b.measureFleet(ctx, r); err != nil {
			return nil, fmt.Errorf("fleet: %w", err)
		}
	}
	if b.probes > 0 {
		r.Machine.Resolution = milliseconds(b.probing) / float64(b.probes)
	}
	r.Machine.Seconds = time.Since(b.began).Round(time.Second).Seconds()
	r.judge()
	b.say("done")
	return r, nil
}

// measureSize measures weir and the floors with a number of upstreams, and weir with all of them in one file for the
// last number.
func (b *bench) measureSize(ctx context.Context, r *report, n int, last bool, files measured) error {
	l := layout{upstreams: n, files: min(n, manyFiles), backends: b.nodes, oneDomain: b.domains == "one"}
	layouts := []layout{l}
	if last && l.files > 1 {
		l.files = 1
		layouts = append(layouts, l)
	}
	all := make([]measured, len(layouts))
	for i := range layouts {
		var err error
		if layouts[i].listener, err = b.free(); err != nil {
			return err
		}
		if all[i], err = b.measureWeir(ctx, layouts[i]); err != nil {
			return fmt.Errorf("in %d files: %w", layouts[i].files, err)
		}
	}
	floor, stock, err := b.measureFloors(ctx, layouts[0])
	if err != nil {
		return err
	}
	for i, l := range layouts {
		r.add(l, all[i], floor, stock, files)
	}
	return nil
}

// measureFloors hands what weir makes of a configuration to the two control planes that are not weir.
func (b *bench) measureFloors(ctx context.Context, l layout) (floor, stock measured, err error) {
	b.say("%d upstreams: weir renders them for the floors", l.upstreams)
	all, err := b.render(ctx, l)
	if err != nil {
		return floor, stock, err
	}
	small, err := newFloor(all)
	if err != nil {
		return floor, stock, err
	}
	defer small.close()
	if floor, err = b.measureServer(ctx, "the floor", small, l); err != nil {
		return floor, stock, fmt.Errorf("the floor: %w", err)
	}
	small.close()
	other, err := newStock(all)
	if err != nil {
		return floor, stock, err
	}
	defer other.close()
	if stock, err = b.measureServer(ctx, "SnapshotCache", other, l); err != nil {
		return floor, stock, fmt.Errorf("SnapshotCache: %w", err)
	}
	return floor, stock, nil
}

// machine is what the figures depend on.
func (b *bench) machine(ctx context.Context) machine {
	m := machine{Cores: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(), At: time.Now().UTC()}
	if text, err := output(ctx, b.envoy, "--version"); err == nil {
		_, after, _ := strings.Cut(string(text), "version: ")
		if fields := strings.Split(after, "/"); len(fields) > 1 {
			m.Envoy = fields[1]
		}
	}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.Load, _, _ = strings.Cut(string(text), " ")
	}
	m.Domains = b.domains
	return m
}
