package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// plane serves one configuration to Envoy and takes edits of it.
type plane interface {
	bootstrap() string // the file that joins an Envoy to it
	counted() *counter // nil: it has no stream
	// prepare does what may be done before the clock starts; what it returns hands the edit over.
	prepare(state) (handOver func() error, err error)
}

// measured is what was found out about one plane.
type measured struct {
	first  series // start of weir to its first load
	envoy  series // start of Envoy to the first answered request
	memory struct{ weir, envoy, after float64 }
	edits  map[string]series
}

// streamed is the Envoy's side of a plane over xDS: a bootstrap that leads through a counter.
type streamed struct {
	file    string
	counter *counter
}

func (s *streamed) bootstrap() string { return s.file }
func (s *streamed) counted() *counter { return s.counter }

// streamTo makes the way from an Envoy to a control plane.
func (b *bench) streamTo(ctx context.Context, address string) (*streamed, error) {
	c, err := newCounter(address)
	if err != nil {
		return nil, err
	}
	text, err := output(ctx, b.weir, "bootstrap", "--instance", "edge", "--node-id", "bench", "--xds-address", c.address())
	if err == nil {
		err = os.WriteFile(b.file("envoy.json"), text, 0o644)
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return &streamed{b.file("envoy.json"), c}, nil
}

// controlPlane is one that is not weir, in this process.
type controlPlane interface {
	address() string
	prepare(state) (func() error, error)
}

// measureServer measures one of them.
func (b *bench) measureServer(ctx context.Context, name string, s controlPlane, l layout) (measured, error) {
	stream, err := b.streamTo(ctx, s.address())
	if err != nil {
		return measured{}, err
	}
	defer stream.counter.close()
	var m measured
	err = b.measureEnvoy(ctx, name, struct {
		*streamed
		controlPlane
	}{stream, s}, l, &m, nil)
	return m, err
}

// measureEnvoyFiles measures the Envoy that watches files of its own.
func (b *bench) measureEnvoyFiles(ctx context.Context) (m measured, err error) {
	l := layout{upstreams: 1, files: 1, backends: b.nodes}
	if l.listener, err = b.free(); err != nil {
		return m, err
	}
	f, err := newEnvoyFiles(l, b.file("watched"))
	if err != nil {
		return m, err
	}
	return m, b.measureEnvoy(ctx, "Envoy's own files", f, l, &m, nil)
}

// weirPlane is weir over a directory of files; an edit is a rename.
type weirPlane struct {
	*streamed
	layout layout
	dir    string
	next   string // on the same file system and not beside the directory, so that writing it is no event for weir
}

func (p *weirPlane) prepare(s state) (func() error, error) {
	if err := os.WriteFile(p.next, p.layout.text(p.layout.files-1, s), 0o644); err != nil {
		return nil, err
	}
	return func() error { return os.Rename(p.next, filepath.Join(p.dir, p.layout.edited())) }, nil
}

// measureWeir measures weir with a configuration.
func (b *bench) measureWeir(ctx context.Context, l layout) (m measured, err error) {
	dir := b.file(fmt.Sprintf("conf/%d-%d", l.upstreams, l.files))
	if err := l.write(dir, state{}); err != nil {
		return m, err
	}
	what := fmt.Sprintf("weir, %d upstreams in %d files", l.upstreams, l.files)
	b.say("%s: starts", what)
	var w *child
	var address string
	var took []time.Duration
	for range b.startCount() {
		if w != nil {
			w.stop()
		}
		var d time.Duration
		if w, address, d, err = b.startWeir(ctx, dir); err != nil {
			return m, err
		}
		took = append(took, d)
	}
	defer func() { w.stop() }()
	m.first = seriesOf(took)
	stream, err := b.streamTo(ctx, address)
	if err != nil {
		return m, err
	}
	defer stream.counter.close()
	return m, b.measureEnvoy(ctx, what, &weirPlane{stream, l, dir, b.file("next.hcl")}, l, &m, w)
}

// startWeir starts weir over a directory and waits for its first load.
func (b *bench) startWeir(ctx context.Context, dir string) (w *child, xds string, took time.Duration, err error) {
	xds, err = b.free()
	if err != nil {
		return nil, "", 0, err
	}
	admin, err := b.free()
	if err != nil {
		return nil, "", 0, err
	}
	began := time.Now()
	w, err = start("weir", b.file("weir.log"), b.weir, "serve", "--xds-address", xds, "--admin-address", admin, dir)
	if err != nil {
		return nil, "", 0, err
	}
	for time.Since(began) < shownWithin {
		if response, err := http.Get("http://" + admin + "/readyz"); err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return w, xds, time.Since(began), nil
			}
		}
		if err = w.ended(); err == nil {
			err = pause(ctx, time.Millisecond)
		}
		if err != nil {
			w.kill()
			return nil, "", 0, err
		}
	}
	w.kill()
	return nil, "", 0, w.failed(fmt.Errorf("nothing is loaded after %v", shownWithin))
}

// measureEnvoy starts Envoys against a plane, and then has it take edits. weir is the program that is measured with it,
// if there is one.
func (b *bench) measureEnvoy(ctx context.Context, what string, p plane, l layout, m *measured, weir *child) error {
	b.say("%s: Envoy starts", what)
	ask := &probe{address: l.listener}
	defer func() {
		ask.close()
		b.probes, b.probing = b.probes+ask.requests, b.probing+ask.took
	}()
	var envoy *child
	defer func() {
		if envoy != nil {
			envoy.kill()
		}
	}()
	var took []time.Duration
	for range b.startCount() {
		if envoy != nil {
			ask.close()
			envoy.kill()
		}
		var d time.Duration
		var err error
		if envoy, d, err = b.startEnvoy(ctx, p.bootstrap(), ask, l.works()); err != nil {
			return err
		}
		took = append(took, d)
	}
	m.envoy = seriesOf(took)
	if b.wants("start") {
		if err := b.measureMemory(ctx, m, weir, envoy); err != nil {
			return err
		}
	}
	if !b.wants("edit") {
		return nil
	}
	if err := b.measureEdits(ctx, what, p, l, m, ask); err != nil {
		if weir != nil {
			err = weir.failed(err)
		}
		return envoy.failed(err)
	}
	if weir == nil || !b.wants("start") {
		return nil
	}
	after, err := b.settled(ctx, weir)
	if err == nil {
		m.memory.after = after[0]
	}
	return err
}

// startCount is how often programs are started: once where only what follows is of interest.
func (o *options) startCount() int {
	if !o.wants("start") {
		return 1
	}
	return o.starts
}

// startEnvoy starts an Envoy and waits for the first answer.
func (b *bench) startEnvoy(ctx context.Context, bootstrap string, ask *probe, works question) (*child, time.Duration, error) {
	began := time.Now()
	envoy, err := start("Envoy", b.file("envoy.log"), b.envoy, "-c", bootstrap,
		"--concurrency", "1", "--disable-hot-restart", "--log-level", "error")
	if err != nil {
		return nil, 0, err
	}
	if _, err := ask.until(ctx, works); err != nil {
		envoy.kill()
		return nil, 0, envoy.failed(err)
	}
	return envoy, time.Since(began), nil
}

func (b *bench) measureMemory(ctx context.Context, m *measured, weir, envoy *child) error {
	children := []*child{envoy}
	if weir != nil {
		children = append(children, weir)
	}
	memory, err := b.settled(ctx, children...)
	if err != nil {
		return err
	}
	m.memory.envoy = memory[0]
	if weir != nil {
		m.memory.weir = memory[1]
	}
	return nil
}
