package config

import (
	"fmt"
	"time"

	"github.com/weirproxy/weir/config/lang"
)

// The back-off that upstreams have: before its retry i, counted from 0, Envoy waits a random time between nothing and
// firstBackOff * 2^i, lastBackOff at most.
const (
	firstBackOff = 5 * time.Millisecond
	lastBackOff  = 50 * time.Millisecond
)

// backOff is how long retries wait in all, on average.
func backOff(retries int) time.Duration {
	var sum time.Duration
	for longest := firstBackOff; retries > 0; retries-- {
		sum += longest / 2
		longest = min(2*longest, lastBackOff)
	}
	return sum
}

// checkTimeouts warns at each API whose timeout is over before its retries can have been made, even if every attempt
// failed at once. The timeout of an API that says none is longer than the most retries wait.
func (l *loader) checkTimeouts() {
	l.eachAPI(func(s *service, a *api) {
		timeout := a.timeout
		retries, of, more := l.mostRetries(a)
		wait := backOff(retries)
		if !timeout.Valid() || timeout.V == 0 || wait <= timeout.V {
			return
		}
		if a.model.Backend.URL == nil {
			more = fewer(retries, timeout.V)
		}
		l.diags = append(l.diags, lang.Warning(ruleTimeout, timeout.Range, "Retries that do not fit the timeout", fmt.Sprintf(
			"API %q of service %q has a timeout of %s, retries included, and %s makes up to %s, with pauses of %s in all on average: even where every attempt fails at once, the timeout is over before the last ones are made. Raise the timeout well above %s%s.",
			a.model.Name, s.model.Name, timeout.V, of, retriesWord(retries), shortly(wait), shortly(wait), more)))
	})
}

// mostRetries is what the API's backend retries at most, and which it is.
func (l *loader) mostRetries(a *api) (retries int, of, more string) {
	if a.model.Backend.URL != nil {
		return defaultRetries, "a url", ""
	}
	for _, ref := range a.targets {
		up := l.upstreams[ref.V.Name]
		if ref.Valid() && up != nil && up.retries.State != lang.Invalid && up.retries.V > retries {
			retries, of = up.retries.V, fmt.Sprintf("upstream %q", up.model.Name)
		}
	}
	return retries, of, ""
}

// fewer is the other remedy, where there is one: as many retries as fit. All of them do not.
func fewer(retries int, timeout time.Duration) string {
	fit := 0
	for fit < retries && backOff(fit+1) <= timeout {
		fit++
	}
	if fit == 0 {
		return ""
	}
	return fmt.Sprintf(", or lower the upstream's retries to %d or less", fit)
}

func retriesWord(n int) string {
	if n == 1 {
		return "1 retry"
	}
	return fmt.Sprintf("%d retries", n)
}

// shortly is a duration without digits that mean nothing.
func shortly(d time.Duration) string {
	if d >= time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Millisecond).String()
}
