package config

import (
	"fmt"
	"time"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/model"
)

// checkTimeout warns at an API whose timeout is over before its retries can have been made: even if every attempt
// failed at once, or, where attempts have a timeout of their own, if each used it up.
func (l *loader) checkTimeout(s *service, a *api) {
	timeout := a.model.Backend.Timeout
	retries, retry, of := l.mostRetries(a)
	if a.timeout.State == lang.Invalid || timeout == 0 || retries == 0 || retryTime(retries, retry) <= timeout {
		return
	}
	more := ""
	if a.model.Backend.URL == nil {
		more = fewer(retries, retry, timeout)
	}
	l.diags = append(l.diags, lang.Warning(ruleTimeout, a.timeout.Range, "Retries that do not fit the timeout", fmt.Sprintf(
		"API %q of service %q has a timeout of %s, retries included, and %s makes up to %s, %s. Raise the timeout well above %s%s.",
		a.model.Name, s.model.Name, timeout, of, retriesWord(retries), pauses(retries, retry), shortly(retryTime(retries, retry)), more)))
}

// mostRetries is the longest that the API's backend may go on with retries, and which it is.
func (l *loader) mostRetries(a *api) (retries int, retry model.Retry, of string) {
	if a.model.Backend.URL != nil {
		return model.DefaultRetries, model.DefaultRetry(), "a url"
	}
	for _, ref := range a.targets {
		up := l.known.upstreams[ref.V.Name]
		if ref.Valid() && up != nil && up.retries.State != lang.Invalid && retryTime(up.retries.V, up.model.Retry) > retryTime(retries, retry) {
			retries, retry, of = up.retries.V, up.model.Retry, fmt.Sprintf("upstream %q", up.model.Name)
		}
	}
	return retries, retry, of
}

// pauses says what takes the time.
func pauses(retries int, r model.Retry) string {
	wait := shortly(backOff(retries, r.BackOff))
	if r.PerTryTimeout == 0 {
		return fmt.Sprintf("with pauses of %s in all on average: even where every attempt fails at once, the timeout is over before the last ones are made", wait)
	}
	return fmt.Sprintf("each attempt of up to %s (per_try_timeout), with pauses of %s in all on average: where nodes do not answer, the timeout is over before the last attempts are", r.PerTryTimeout, wait)
}

// retryTime is how long all attempts of a request may take, pauses on average; attempts without a timeout of their own count
// nothing.
func retryTime(retries int, r model.Retry) time.Duration {
	return backOff(retries, r.BackOff) + time.Duration(retries+1)*r.PerTryTimeout
}

// fewer is the other remedy, where there is one: as many retries as fit. All of them do not.
func fewer(retries int, r model.Retry, timeout time.Duration) string {
	fit := 0
	for fit < retries && retryTime(fit+1, r) <= timeout {
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
