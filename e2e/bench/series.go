package main

import (
	"slices"
	"time"
)

// series is many measurements of one thing: milliseconds, and for edits the bytes that the median edit has on the stream.
type series struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50_ms"`
	P95   float64 `json:"p95_ms"`
	Max   float64 `json:"max_ms"`
	Down  float64 `json:"bytes_to_envoy,omitempty"`
	Up    float64 `json:"bytes_from_envoy,omitempty"`
	Odd   int     `json:"odd_answers,omitempty"`
}

func seriesOf(took []time.Duration) series {
	all := make([]float64, len(took))
	for i, d := range took {
		all[i] = milliseconds(d)
	}
	return series{Count: len(all), P50: quantile(all, 0.5), P95: quantile(all, 0.95), Max: quantile(all, 1)}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// quantile is the smallest value that is not below this share of all; 0 of none.
func quantile(all []float64, share float64) float64 {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	at := int(share*float64(len(sorted))+0.999999) - 1
	return sorted[min(max(at, 0), len(sorted)-1)]
}
