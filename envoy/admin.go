package envoy

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// adminTimeout bounds one question to the admin API, which answers in a millisecond unless Envoy's main thread is busy.
const adminTimeout = 2 * time.Second

// maxAdminAnswer bounds what is read of an answer.
const maxAdminAnswer = 1 << 20

// adminClient asks one Envoy's admin API.
type adminClient struct {
	base string
	http *http.Client
}

// newAdminClient talks to the API at "host:port", never through a proxy.
func newAdminClient(address string) *adminClient {
	return &adminClient{
		base: "http://" + address,
		http: &http.Client{
			Timeout: adminTimeout, Transport: &http.Transport{DisableKeepAlives: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// ready says whether Envoy has its first configuration and takes requests.
func (c *adminClient) ready(ctx context.Context) bool {
	_, err := c.ask(ctx, http.MethodGet, "/ready")
	return err == nil
}

// drain has Envoy close its ports and tell the callers that it has to close their connections after the next answer.
func (c *adminClient) drain(ctx context.Context) error {
	if _, err := c.ask(ctx, http.MethodPost, "/healthcheck/fail"); err != nil {
		return err
	}
	_, err := c.ask(ctx, http.MethodPost, "/drain_listeners")
	return err
}

// activeRequests counts the requests that callers wait for, those of the admin API aside.
func (c *adminClient) activeRequests(ctx context.Context) (int, error) {
	text, err := c.ask(ctx, http.MethodGet, "/stats?type=Gauges&filter=downstream_rq_active$")
	if err != nil {
		return 0, err
	}
	return sumGauges(text, "http.admin.")
}

// sumGauges adds up the "name: value" lines of Envoy's statistics, without those under a prefix.
func sumGauges(text, without string) (int, error) {
	sum := 0
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok || strings.HasPrefix(name, without) {
			continue
		}
		n, err := strconv.Atoi(value)
		if err != nil {
			return 0, fmt.Errorf("statistic %s: %w", name, err)
		}
		sum += n
	}
	return sum, nil
}

// ask sends one request and returns the answer's text; every status but 200 is an error.
func (c *adminClient) ask(ctx context.Context, method, path string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, nil)
	if err != nil {
		return "", err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAdminAnswer))
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", method, path, err)
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s %s: %s: %s", method, path, response.Status, strings.TrimSpace(string(body)))
	}
	return string(body), nil
}
