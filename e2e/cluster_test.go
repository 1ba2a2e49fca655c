package e2e

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	dockernetwork "github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go"
	"golang.org/x/sync/errgroup"
)

// The ports inside the containers, each of which has an address of its own.
const (
	xdsPort        = 18000
	adminPort      = 18001
	envoyAdminPort = 19000
	gatewayPort    = 8080
	backendPort    = 9000
)

// removalBound is how long containers and their network may take to go.
const removalBound = time.Minute

// cluster is containers on networks of their own, all removed with the test.
type cluster struct {
	networks map[string]string // the engine's names of networks, by those that the test gave them

	mu      sync.Mutex
	running map[string]*testcontainers.DockerContainer
}

// The images of this run: their tag, and whether there are any.
var (
	imageTag  = strings.ToLower(rand.Text())
	anyImages atomic.Bool
)

// buildImages makes them, once for all tests.
var buildImages = sync.OnceValues(func() ([]byte, error) {
	anyImages.Store(true)
	build := exec.Command(filepath.Join("setup", "images.sh"), imageTag)
	build.Env = append(os.Environ(), "WEIR_ENVOY_PATH="+findEnvoy())
	return build.CombinedOutput()
})

// image is what a container of "weir", "backend", "resolver" or "envoy" is made from.
func image(name string) string { return "weir-e2e/" + name + ":" + imageTag }

// removeImages takes them away again.
func removeImages() {
	if !anyImages.Load() {
		return
	}
	if output, err := exec.Command("docker", "image", "rm", image("weir"), image("backend"), image("resolver"), image("envoy")).CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "removing the images: %v\n%s", err, output)
	}
}

// prepareContainers makes the images, and fails where there is no engine to run them.
func prepareContainers(t *testing.T) {
	t.Helper()
	envoyPath(t)
	if output, err := exec.Command("docker", "info").CombinedOutput(); err != nil {
		t.Fatalf("no Docker engine: run \"make test\", which starts one where it may, or start it yourself: %v\n%s", err, output)
	}
	if output, err := buildImages(); err != nil {
		t.Fatalf("building the images: %v\n%s", err, output)
	}
}

// newCluster makes networks, of which no two reach each other. When the test fails, what the containers wrote is kept
// below build/e2e-logs.
func newCluster(t *testing.T, names ...string) *cluster {
	t.Helper()
	prepareContainers(t)
	c := &cluster{networks: make(map[string]string), running: make(map[string]*testcontainers.DockerContainer)}
	prefix := "weir-e2e-" + rand.Text()
	for i, name := range names {
		// A container's ports are published through the first of its networks, in the order of their names, and when that
		// changes, so do the ports outside: what is named first here stays the first.
		c.networks[name] = fmt.Sprintf("%s-%d-%s", prefix, i, name)
		docker(t, "network", "create", c.networks[name])
		t.Cleanup(func() {
			if output, err := exec.Command("docker", "network", "rm", c.networks[name]).CombinedOutput(); err != nil {
				t.Errorf("removing the network %s: %v\n%s", name, err, output)
			}
		})
	}
	return c
}

// docker runs a command of the client and returns its output.
func docker(t *testing.T, arguments ...string) string {
	t.Helper()
	output, err := exec.Command("docker", arguments...).CombinedOutput()
	if err != nil {
		t.Fatalf("docker %s: %v\n%s", strings.Join(arguments, " "), err, output)
	}
	return strings.TrimSpace(string(output))
}

// part is one container: what runs in it and how it is reached.
type part struct {
	name, image string
	arguments   []string
	networks    []string // none: "main"
	binds       []string // "/outside:/inside", and perhaps ":ro"
	publish     []int    // ports, each on a port of loopback that the engine chooses
	port        int      // of loopback, for the first of them, also when the container is started again; 0: the engine chooses
	memory      int64    // bytes that it may have; 0: no limit
	restarts    bool     // the engine starts it again when it ends by itself
}

// run starts containers, at once, each known on its networks by its name, and removes them with the test.
func (c *cluster) run(t *testing.T, parts ...part) {
	t.Helper()
	var all errgroup.Group
	for _, p := range parts {
		all.Go(func() error { return c.launch(t.Context(), p) })
	}
	err := all.Wait()
	t.Cleanup(func() {
		var all errgroup.Group
		for _, p := range parts {
			all.Go(func() error { c.remove(t, p.name); return nil })
		}
		_ = all.Wait()
	})
	if err != nil {
		t.Fatal(err)
	}
}

// launch starts one container.
func (c *cluster) launch(ctx context.Context, p part) error {
	exposed := make([]string, len(p.publish))
	bindings := make(dockernetwork.PortMap)
	for i, port := range p.publish {
		exposed[i] = fmt.Sprintf("%d/tcp", port)
		binding := dockernetwork.PortBinding{HostIP: netip.MustParseAddr("127.0.0.1")}
		if i == 0 && p.port != 0 {
			binding.HostPort = strconv.Itoa(p.port)
		}
		bindings[dockernetwork.MustParsePort(exposed[i])] = []dockernetwork.PortBinding{binding}
	}
	options := []testcontainers.ContainerCustomizer{
		testcontainers.WithCmd(p.arguments...),
		testcontainers.WithExposedPorts(exposed...),
		testcontainers.WithHostConfigModifier(func(h *container.HostConfig) {
			h.Binds, h.PortBindings = p.binds, bindings
			h.Memory, h.MemorySwap = p.memory, p.memory
			if p.restarts {
				h.RestartPolicy = container.RestartPolicy{Name: container.RestartPolicyOnFailure}
			}
		}),
	}
	one, err := testcontainers.Run(ctx, p.image, append(options, c.attached(p))...)
	if one != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.running[p.name] = one
	}
	if err != nil {
		return fmt.Errorf("starting %s: %w", p.name, err)
	}
	return nil
}

// attached has a container know its networks, and be known on them.
func (c *cluster) attached(p part) testcontainers.CustomizeRequestOption {
	if len(p.networks) == 0 {
		p.networks = []string{"main"}
	}
	return func(r *testcontainers.GenericContainerRequest) error {
		r.NetworkAliases = make(map[string][]string)
		for _, name := range p.networks {
			r.Networks = append(r.Networks, c.networks[name])
			r.NetworkAliases[c.networks[name]] = []string{p.name}
		}
		return nil
	}
}

// container is one that runs.
func (c *cluster) container(name string) *testcontainers.DockerContainer {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.running[name]
}

// remove ends a container; of a failed test its log is kept first.
func (c *cluster) remove(t *testing.T, name string) {
	ctx, cancel := context.WithTimeout(context.Background(), removalBound)
	defer cancel()
	one := c.container(name)
	if one == nil {
		return // it was never made
	}
	if t.Failed() {
		keep(t, name+".log", c.log(ctx, name))
	}
	if err := one.Terminate(ctx, testcontainers.StopTimeout(0)); err != nil {
		t.Errorf("removing %s: %v", name, err)
	}
}

// log is everything that a container has written, or why it could not be had.
func (c *cluster) log(ctx context.Context, name string) string {
	reader, err := c.container(name).Logs(ctx)
	if err != nil {
		return err.Error()
	}
	defer reader.Close()
	text, err := io.ReadAll(reader)
	if err != nil {
		return fmt.Sprintf("%s\n%v", text, err)
	}
	return string(text)
}

// awaitLog waits until a container has written every one of the words.
func (c *cluster) awaitLog(t *testing.T, name string, words ...string) {
	t.Helper()
	eventually(t, editBound, name+" says so", func() error { return containsAll(c.log(t.Context(), name), words...) })
}

// gateway starts weir over a path that is mounted from outside, and an Envoy. It returns the port of loopback on which
// the gateway listens.
func (c *cluster) gateway(t *testing.T, name, outside, inside string) int {
	t.Helper()
	c.run(t, weirPart(name+"-weir", outside, inside))
	return c.envoy(t, name+"-envoy", name+"-weir")
}

// weirPart is weir over a path that is mounted from outside.
func weirPart(name, outside, inside string) part {
	return part{name: name, image: image("weir"), binds: []string{outside + ":" + inside + ":ro"}, publish: []int{adminPort}, arguments: []string{
		"serve", inside, "--insecure", "--xds-address", fmt.Sprintf("0.0.0.0:%d", xdsPort), "--admin-address", fmt.Sprintf("0.0.0.0:%d", adminPort)}}
}

// backendPart is a node that answers with its name.
func backendPart(name string, networks ...string) part {
	return part{name: name, image: image("backend"), networks: networks,
		arguments: []string{"--name", name, "--address", fmt.Sprintf("0.0.0.0:%d", backendPort)}}
}

// envoy starts an Envoy of the instance "edge" and returns the port of loopback on which it listens.
func (c *cluster) envoy(t *testing.T, name, control string) int {
	t.Helper()
	c.run(t, envoyPart(t, "edge", name, control))
	return c.proxied(t, name)
}

// envoyPart is an Envoy of an instance, on the bootstrap that weir writes for it.
func envoyPart(t *testing.T, instance, name, control string, networks ...string) part {
	t.Helper()
	bootstrap := weir(t, "bootstrap", "--instance", instance, "--node-id", name, "--xds-address", fmt.Sprintf("%s:%d", control, xdsPort),
		"--envoy-admin-address", fmt.Sprintf("0.0.0.0:%d", envoyAdminPort)).must(t)
	return bareEnvoyPart(t, name, bootstrap.stdout, networks...)
}

// bareEnvoyPart is an Envoy on any bootstrap.
func bareEnvoyPart(t *testing.T, name, bootstrap string, networks ...string) part {
	t.Helper()
	file := filepath.Join(t.TempDir(), "bootstrap.json")
	writeFile(t, file, bootstrap)
	must(t, os.Chmod(filepath.Dir(file), 0o755)) // Envoy may run as another user than the test
	return part{name: name, image: image("envoy"), networks: networks, publish: []int{gatewayPort, envoyAdminPort},
		binds: []string{file + ":/bootstrap.json:ro"}, arguments: []string{"-c", "/bootstrap.json", "--log-level", "warning", "--concurrency", "2"}}
}

// proxied is the port of loopback on which an Envoy listens. Of a failed test its configuration is kept.
func (c *cluster) proxied(t *testing.T, name string) int {
	t.Helper()
	admin := published(t, c.container(name), envoyAdminPort)
	t.Cleanup(func() {
		if t.Failed() {
			keepDump(t, name, loopback(admin))
		}
	})
	return published(t, c.container(name), gatewayPort)
}

// signal sends a signal to the process of a container.
func (c *cluster) signal(t *testing.T, name, signal string) {
	t.Helper()
	docker(t, "kill", "--signal", signal, c.container(name).GetContainerID())
}

// address is the IP address of a container on a network.
func (c *cluster) address(t *testing.T, name, network string) string {
	t.Helper()
	return docker(t, "inspect", "--format", fmt.Sprintf("{{(index .NetworkSettings.Networks %q).IPAddress}}", c.networks[network]),
		c.container(name).GetContainerID())
}

// published is the port of loopback that leads to a container's port.
func published(t *testing.T, c *testcontainers.DockerContainer, port int) int {
	t.Helper()
	mapped, err := c.MappedPort(t.Context(), strconv.Itoa(port)+"/tcp")
	must(t, err)
	return int(mapped.Num())
}
