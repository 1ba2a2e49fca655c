package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirproxy/weir/admin"
)

// defaultAdminAddress is where serve listens and where the commands that ask a running weir look for it.
const defaultAdminAddress = "127.0.0.1:18001"

// adminFlag is --admin-address of a command that asks.
func adminFlag(cmd *cobra.Command, address *string) {
	*address = defaultAdminAddress
	textFlag(cmd, address, "admin-address", "HOST:PORT", "where the running weir is")
}

// asker asks a running weir.
type asker struct {
	address string
	http    *http.Client
}

// newAsker takes the address as serve takes it, so that one WEIR_ADMIN_ADDRESS serves both.
func newAsker(address string) (*asker, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("--admin-address %q: %w", address, err)
	}
	if host == "" {
		host = "localhost"
	}
	// A proxy variable of the environment is meant for other traffic than the operator's own machine.
	transport := &http.Transport{Proxy: nil, DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext}
	return &asker{
		address: net.JoinHostPort(host, port),
		http:    &http.Client{Transport: transport, Timeout: admin.ReloadTimeout + 5*time.Second},
	}, nil
}

// call sends a request and decodes the answer into document. ok says whether the status was a good one; an error
// document is an error unless accept takes its status.
func (c *asker) call(ctx context.Context, method, path string, document any, accept ...int) error {
	u := url.URL{Scheme: "http", Host: c.address, Path: path}
	request, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return fmt.Errorf("ask weir at %s: %w", c.address, err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return c.unreachable(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("ask weir at %s: %w", c.address, err)
	}
	if !accepted(response.StatusCode, accept) {
		return c.refused(response.Status, body)
	}
	if err := json.Unmarshal(body, document); err != nil {
		return fmt.Errorf("%s does not answer as weir does: %w", c.address, err)
	}
	return nil
}

func accepted(status int, others []int) bool {
	for _, s := range others {
		if s == status {
			return true
		}
	}
	return status == http.StatusOK
}

func (c *asker) unreachable(err error) error {
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("no weir answers at %s: is it running? --admin-address or WEIR_ADMIN_ADDRESS says where", c.address)
	}
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err // without the method and the URL again
	}
	return fmt.Errorf("ask weir at %s: %w", c.address, err)
}

func (c *asker) refused(status string, body []byte) error {
	var document admin.Error
	if json.Unmarshal(body, &document) == nil && document.Error != "" {
		return fmt.Errorf("weir at %s: %s", c.address, document.Error)
	}
	return fmt.Errorf("%s does not answer as weir does: %s", c.address, status)
}
