package xds

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Bounds on clients that connect at once, as all do after a restart: so many get their first resources at a time, and the others
// wait in the order in which they came. A client that takes longer holds up nobody.
const (
	maxAdmitted    = 128
	admittedWithin = time.Second
)

// admission lets clients in.
type admission struct {
	mu    sync.Mutex // never held across anything that waits
	free  int
	queue []chan struct{}
}

// enter waits for a place. It must be left once, or more often.
func (a *admission) enter(ctx context.Context) (leave func(), err error) {
	turn := make(chan struct{})
	a.mu.Lock()
	if a.free > 0 {
		a.free--
		close(turn)
	} else {
		a.queue = append(a.queue, turn)
	}
	a.mu.Unlock()
	select {
	case <-turn:
	case <-ctx.Done():
		a.mu.Lock()
		i := slices.Index(a.queue, turn)
		if i >= 0 {
			a.queue = slices.Delete(a.queue, i, i+1)
		}
		a.mu.Unlock()
		if i < 0 {
			a.leave() // its turn had just come
		}
		return nil, ctx.Err()
	}
	once := sync.OnceFunc(a.leave)
	late := time.AfterFunc(admittedWithin, once)
	return func() { late.Stop(); once() }, nil
}

// leave gives a place to the next in the queue.
func (a *admission) leave() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.queue) == 0 {
		a.free++
		return
	}
	close(a.queue[0])
	a.queue = slices.Delete(a.queue, 0, 1)
}
