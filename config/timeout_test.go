package config

import (
	"testing"
	"time"

	"github.com/weirproxy/weir/model"
)

func TestBackOff(t *testing.T) {
	usual := model.DefaultRetry().BackOff
	for retries, want := range map[int]time.Duration{
		0:          0,
		1:          2500 * time.Microsecond,
		4:          37500 * time.Microsecond,
		5:          62500 * time.Microsecond,
		maxRetries: 2437500 * time.Microsecond,
	} {
		if got := backOff(retries, usual); got != want {
			t.Errorf("%d retries wait %s, not %s", retries, got, want)
		}
	}
	if backOff(maxRetries, usual) > defaultTimeout {
		t.Error("retries may not fit a timeout that is not said, and nothing warns")
	}
}
