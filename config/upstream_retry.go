package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/model"
)

// retryWords are Envoy's conditions for a retry. Those about HTTP/3 and about headers are left out: the first is not
// spoken to nodes, and the others name headers that nothing here says.
var retryWords = []string{
	"connect-failure", "refused-stream", "reset", "reset-before-request", "gateway-error", "5xx", "retriable-4xx", "envoy-ratelimited",
}

func (l *loader) decodeRetries(v lang.Value[int]) lang.Value[int] {
	if !v.Valid() {
		v.V = model.DefaultRetries
		return v
	}
	if v.V < 1 || v.V > maxRetries {
		l.report(ruleRetries, v.Range, "Invalid number of retries",
			"%d is not a number of retries. Retries are the further attempts after a failed one: a whole number, 1-%d; 1 is the least, and %d is what an upstream has that says none. To switch retrying off, write retry { on = [] }.", v.V, maxRetries, model.DefaultRetries)
		v.State = lang.Invalid
	}
	return v
}

// grpcWords are conditions on the status of a gRPC call, for upstreams that speak it.
var grpcWords = []string{"cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable"}

// decodeRetry reads when and how attempts are repeated. Where a condition is wrong, out.retries is Invalid, and nothing
// is said about their time.
func (l *loader) decodeRetry(body *lang.Body, out *upstream) {
	retry := &out.model.Retry
	l.decodeConditions(body.StringList("on"), out)
	retry.PerTryTimeout = l.span(body.Duration("per_try_timeout"), "per_try_timeout", 0, false)
	for _, inner := range body.Blocks("back_off") {
		retry.BackOff = l.decodeBackOff(inner)
	}
	for _, inner := range body.Blocks("budget") {
		retry.Budget = model.Budget{
			Percent:        l.number(inner.Int("percent"), "percent", model.DefaultBudgetPercent, 1, 100),
			MinConcurrency: l.number(inner.Int("min_concurrency"), "min_concurrency", model.DefaultBudgetConcurrent, 1, math.MaxInt32),
		}
	}
}

// decodeConditions reads the list that takes the place of both default lists. An empty one switches retrying off.
func (l *loader) decodeConditions(on lang.Value[[]lang.Value[string]], out *upstream) {
	if !on.Valid() {
		return
	}
	retry := &out.model.Retry
	retry.On = []string{}
	if len(on.V) == 0 {
		if out.retries.Said() {
			l.report(ruleRetries, out.retries.Range, "Retries that are never made",
				"retry { on = [] } (%s) switches retrying off, so there is nothing to count. Remove retries, or say in on after which failures to try again.", place(on.Range))
		}
		out.retries.V, out.model.Retries = 0, 0
		return
	}
	words, known := l.words(on, "on", "", func(text string) (string, *fault) { return parseCondition(text, out.protocol) })
	if !known {
		out.retries.State = lang.Invalid
	}
	for _, word := range words {
		if code, err := strconv.Atoi(word); err == nil {
			retry.StatusCodes = append(retry.StatusCodes, code)
		} else {
			retry.On = append(retry.On, word)
		}
	}
}

// parseCondition judges one condition: a word, or the status of an answer.
func parseCondition(text string, protocol lang.Value[model.Protocol]) (string, *fault) {
	known := retryWords
	if !protocol.Valid() || protocol.V.HTTP2() {
		known = append(slices.Clone(retryWords), grpcWords...)
	}
	if code, err := strconv.Atoi(text); err == nil && code >= 400 && code <= 599 && text == strconv.Itoa(code) || slices.Contains(known, text) {
		return text, nil
	}
	if slices.Contains(grpcWords, text) {
		return "", &fault{ruleRetries, "Retry condition of gRPC", "is the status of a gRPC call, which nodes that speak HTTP/1.1 do not answer.",
			fmt.Sprintf("The protocol of this upstream is %q. Write protocol = \"grpc\" or \"grpcs\", or remove the condition.", protocol.V), ""}
	}
	return "", &fault{ruleRetries, "Unknown retry condition", "is no failure after which Envoy can try again.", retryHint(text, known),
		fmt.Sprintf("The conditions are %s, and the status of an answer, \"400\" to \"599\".", quotedList(known, "and"))}
}

// retryHint is what is most likely meant by a word that is no condition.
func retryHint(text string, known []string) string {
	switch words := strings.ToLower(strings.ReplaceAll(text, "_", "-")); {
	case words == "timeout":
		return "An attempt that per_try_timeout ends counts as \"reset\"."
	case words == "4xx", words == "non-idempotent":
		return "Name the statuses that may be repeated, \"429\" or \"409\" say."
	case strings.Trim(words, "0123456789-") == "" && strings.Contains(words, "-"):
		return "Name each status by itself, as in [\"502\", \"503\", \"504\"], which together are \"gateway-error\"."
	}
	return suggest(text, known)
}

// maxRatio is how many times the weight of a node the others may have, all together, for retries to reach it: a retry draws
// as requests do, until it has a node that was not tried, 2,000 times at most. Draws of round robin come in turn, those of
// hashes by chance, and least_request draws a node with 200 requests under way 200 times less often. Random knows no weights.
var maxRatio = map[model.LoadBalancing]int{model.WeightedRoundRobin: 1000, model.RingHash: 200, model.Maglev: 200, model.LeastRequest: 20}

// checkRare warns where a node's weight is so small beside the others' that retries do not find it.
func (l *loader) checkRare(up *upstream, nodes []node) {
	var rarest *node
	sum := 0
	for i, n := range nodes {
		if !n.weight.Valid() || n.weight.V == 0 {
			continue
		}
		sum += n.weight.V
		if rarest == nil || n.weight.V < rarest.weight.V {
			rarest = &nodes[i]
		}
	}
	ratio := maxRatio[up.model.LoadBalancing]
	if rarest == nil || up.model.Retries == 0 || ratio == 0 || sum-rarest.weight.V <= ratio*rarest.weight.V {
		return
	}
	l.diags = append(l.diags, lang.Warning(ruleWeight, rarest.weight.Range, "Weight too small for retries",
		fmt.Sprintf("The other nodes of upstream %q have %d times this weight, all together. A retry draws a node by weight until it has one that was not tried; beyond %d times it often ends before it comes to this one, and the request fails although this node is well. Write weights that are closer to each other.",
			up.model.Name, (sum-rarest.weight.V)/rarest.weight.V, ratio)))
}

func (l *loader) decodeBackOff(body *lang.Body) model.BackOff {
	base, most := body.Duration("base"), body.Duration("max")
	out := model.BackOff{Base: l.span(base, "base", model.DefaultBackOffBase, false)}
	out.Max = l.span(most, "max", min(out.Base*10, maxTimeout), false)
	if out.Max < out.Base && base.State != lang.Invalid {
		l.report(ruleValue, most.Range, "Back-off that shrinks",
			"max is %s, and base, the first pause, is %s. Pauses grow from base to max; max is not less. It is ten times base where it is not said.", out.Max, out.Base)
	}
	return out
}

// backOff is how long retries wait in all, on average: before retry i, counted from 0, Envoy waits a random time
// between nothing and base * 2^i, the longest at most.
func backOff(retries int, b model.BackOff) time.Duration {
	var sum time.Duration
	for longest := b.Base; retries > 0; retries-- {
		sum += longest / 2
		longest = min(2*longest, b.Max)
	}
	return sum
}
