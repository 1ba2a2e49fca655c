package config

import (
	"testing"
	"time"
)

func TestBackOff(t *testing.T) {
	for retries, want := range map[int]time.Duration{
		0:          0,
		1:          2500 * time.Microsecond,
		4:          37500 * time.Microsecond,
		5:          62500 * time.Microsecond,
		maxRetries: 2437500 * time.Microsecond,
	} {
		if got := backOff(retries); got != want {
			t.Errorf("%d retries wait %s, not %s", retries, got, want)
		}
	}
	if backOff(maxRetries) > defaultTimeout {
		t.Error("retries may not fit a timeout that is not said, and nothing warns")
	}
}
