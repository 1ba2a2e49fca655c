package e2e

import (
	"net"
	"sync"
	"testing"
	"time"
)

// wire is a TCP proxy whose network the test breaks.
type wire struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	state wireState
	links map[*link]bool
	dials sync.WaitGroup
}

// wireState is how the network is; the zero value is a good one.
type wireState struct {
	cut    bool          // connections are closed, new ones at once
	silent bool          // nothing gets through, and nobody is told
	delay  time.Duration // of every piece of data
	rate   int           // bytes per second, each way; 0: as fast as it goes
}

// link is one connection through the wire. One that fell silent stays so: its packets are lost, and it has no others.
type link struct {
	near, far net.Conn
	deaf      chan struct{} // closed: nothing gets through any more
	once      sync.Once
}

// newWire leads to an address until the test ends.
func newWire(t *testing.T, target string) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	w := &wire{listener: listener, target: target, links: make(map[*link]bool)}
	w.dials.Go(w.accept)
	t.Cleanup(func() {
		listener.Close()
		w.set(wireState{cut: true})
		w.dials.Wait()
	})
	return w
}

// address is where the wire begins.
func (w *wire) address() string { return w.listener.Addr().String() }

// set changes the network.
func (w *wire) set(state wireState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state = state
	for l := range w.links {
		switch {
		case state.cut:
			l.close()
		case state.silent:
			l.once.Do(func() { close(l.deaf) })
		}
	}
}

func (w *wire) now() wireState {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state
}

func (w *wire) accept() {
	for {
		near, err := w.listener.Accept()
		if err != nil {
			return
		}
		w.dials.Go(func() { w.lead(near) })
	}
}

// lead carries one connection to its end.
func (w *wire) lead(near net.Conn) {
	defer near.Close()
	if w.now().cut {
		return
	}
	far, err := net.Dial("tcp", w.target)
	if err != nil {
		return
	}
	l := &link{near: near, far: far, deaf: make(chan struct{})}
	defer l.close()
	w.mu.Lock()
	w.links[l] = true
	if w.state.silent {
		l.once.Do(func() { close(l.deaf) })
	}
	w.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { w.carry(l, near, far) })
	both.Go(func() { w.carry(l, far, near) })
	both.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.links, l)
}

// carry copies one way. A connection that is deaf is read and not passed on, until one side gives up.
func (w *wire) carry(l *link, from, to net.Conn) {
	buffer := make([]byte, 4096)
	for {
		n, err := from.Read(buffer)
		select {
		case <-l.deaf:
			if err != nil {
				from.Close() // the other side is not told: its packets are lost too
				return
			}
			continue
		default:
		}
		if err != nil {
			l.close()
			return
		}
		state := w.now()
		time.Sleep(state.delay) // slowness is the subject
		if state.rate > 0 {
			time.Sleep(time.Duration(n) * time.Second / time.Duration(state.rate))
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			l.close()
			return
		}
	}
}

func (l *link) close() {
	l.near.Close()
	l.far.Close()
}
