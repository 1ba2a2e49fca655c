package config

import (
	"time"

	"github.com/weirproxy/weir/config/lang"
)

// number is a whole number between two bounds, or its default where none is said, or a wrong one.
func (l *loader) number(v lang.Value[int], name string, def, least, most int) int {
	if v.Valid() && (v.V < least || v.V > most) {
		l.report(ruleValue, v.Range, "Invalid number", "%d is out of range. %s is a whole number, %d-%d.", v.V, name, least, most)
		return def
	}
	return v.Or(def)
}

// span is a duration that Envoy can hold, or its default where none is said, or a wrong one. Zero, which is "0s", stands
// for none where that is allowed.
func (l *loader) span(v lang.Value[time.Duration], name string, def time.Duration, zero bool) time.Duration {
	if !v.Valid() || zero && v.V == 0 {
		return v.Or(def)
	}
	if v.V < time.Millisecond || v.V > maxTimeout {
		none := ""
		if zero {
			none = ", or \"0s\" for none"
		}
		l.report(ruleValue, v.Range, "Invalid duration", "%s is out of range. %s is 1ms to %s%s.", v.V, name, "8760h", none)
		return def
	}
	return v.V
}

// seconds is span for what the system counts in whole seconds.
func (l *loader) seconds(v lang.Value[time.Duration], name string, most time.Duration) time.Duration {
	if v.Valid() && (v.V < time.Second || v.V > most || v.V%time.Second != 0) {
		l.report(ruleValue, v.Range, "Invalid duration", "%s is out of range. %s is a whole number of seconds, \"1s\" to \"%.0fs\".", v.V, name, most.Seconds())
		return 0
	}
	return v.Or(0)
}
