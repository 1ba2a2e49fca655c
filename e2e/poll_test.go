package e2e

import (
	"testing"
	"time"
)

// Bounds of waiting. They are no measurements: a loaded machine with two cores must keep them too.
const (
	startBound = 30 * time.Second // a new gateway answers
	editBound  = 20 * time.Second // a save is seen in the next requests, or its refusal in status and log
)

// eventually asks until there is no error any more, and fails the test when that takes longer than the bound.
func eventually(t *testing.T, bound time.Duration, what string, ask func() error) {
	t.Helper()
	if err := poll(bound, ask); err != nil {
		t.Fatalf("%s: not within %v: %v", what, bound, err)
	}
}

// poll asks until there is no error any more, and returns the last one when the bound has passed.
func poll(bound time.Duration, ask func() error) error {
	deadline := time.Now().Add(bound)
	pause := time.NewTicker(10 * time.Millisecond)
	defer pause.Stop()
	for {
		err := ask()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		<-pause.C
	}
}
