package source

import (
	"testing"
	"time"
)

func TestJudge(t *testing.T) {
	const ms = time.Millisecond
	tests := map[string]struct {
		changes []change
		since   time.Duration
		want    verdict
		again   time.Duration
	}{
		"no change":                         {nil, 0, nothing, 0},
		"a rename":                          {[]change{{whole: true}}, 0, take, 0},
		"a rename that loses blocks":        {[]change{{whole: true, loses: true}}, 0, take, 0},
		"just written in place":             {[]change{{}}, 0, wait, 50 * ms},
		"written 30 ms ago":                 {[]change{{quiet: 30 * ms}}, 30 * ms, wait, 20 * ms},
		"written 50 ms ago":                 {[]change{{quiet: 50 * ms}}, 50 * ms, take, 0},
		"blocks disappear":                  {[]change{{loses: true, quiet: 50 * ms}}, 50 * ms, wait, 450 * ms},
		"blocks have disappeared":           {[]change{{loses: true, quiet: 500 * ms}}, 500 * ms, take, 0},
		"the slowest decides":               {[]change{{whole: true}, {quiet: 40 * ms}, {loses: true, quiet: 400 * ms}}, 400 * ms, wait, 100 * ms},
		"near the longest wait":             {[]change{{loses: true}}, 4900 * ms, wait, 100 * ms},
		"a constant writer":                 {[]change{{}}, 5000 * ms, takeSome, 50 * ms},
		"all settled after a long time":     {[]change{{quiet: 60 * ms}}, 9000 * ms, take, 0},
		"one settled beside one that never": {[]change{{quiet: 60 * ms}, {loses: true}}, 5000 * ms, takeSome, 500 * ms},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, again := judge(test.changes, test.since)
			if got != test.want || again != test.again {
				t.Errorf("got %d, %s; want %d, %s", got, again, test.want, test.again)
			}
		})
	}
}
