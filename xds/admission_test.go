package xds

import (
	"context"
	"testing"
)

// TestAdmission lets as many in as there are places, the others in the order in which they came.
func TestAdmission(t *testing.T) {
	a := &admission{free: 1}
	leave, err := a.enter(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	in := make(chan int, 3)
	leaves := make([]func(), 3)
	gone, cancel := context.WithCancel(context.Background())
	failed := make(chan error)
	for i, ctx := range []context.Context{context.Background(), gone, context.Background()} {
		go func() {
			l, err := a.enter(ctx)
			if err != nil {
				failed <- err
				return
			}
			leaves[i] = l
			in <- i
		}()
		eventually(t, "it waits", func() bool { a.mu.Lock(); defer a.mu.Unlock(); return len(a.queue) == i+1 })
	}
	cancel()
	if err := <-failed; err == nil {
		t.Error("one that has gone is let in")
	}
	leave()
	leave() // once is enough
	if first := <-in; first != 0 {
		t.Errorf("%d came first", first)
	}
	leaves[0]()
	if next := <-in; next != 2 {
		t.Errorf("%d came next", next)
	}
	leaves[2]()
	if a.free != 1 || len(a.queue) != 0 {
		t.Errorf("%d places, %d waiting", a.free, len(a.queue))
	}
}

// TestAdmissionEnds: one that never has all that there is does not keep its place.
func TestAdmissionEnds(t *testing.T) {
	a := &admission{free: 1}
	for range 2 {
		if _, err := a.enter(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}
