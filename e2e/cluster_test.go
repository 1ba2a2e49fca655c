package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	dockernetwork "github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/network"
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

// cluster is a network of containers, removed with the test.
type cluster struct {
	network *testcontainers.DockerNetwork
	running map[string]*testcontainers.DockerContainer
}

// prepareContainers makes the images, and fails where there is no engine to run them. testcontainers' own cleaner is an
// image that may not be there, so everything is removed here; and ports are published on loopback, wherever the test
// itself runs.
func prepareContainers(t *testing.T) {
	t.Helper()
	t.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
	t.Setenv("TESTCONTAINERS_HOST_OVERRIDE", "127.0.0.1")
	if output, err := exec.Command("docker", "info").CombinedOutput(); err != nil {
		t.Fatalf("no Docker engine: run \"make test\", which starts one where it may, or start it yourself: %v\n%s", err, output)
	}
	build := exec.Command(filepath.Join("setup", "images.sh"))
	build.Env = append(os.Environ(), "WEIR_ENVOY_PATH="+envoyPath(t))
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the images: %v\n%s", err, output)
	}
}

// newCluster makes the network. When the test fails, what the containers wrote is kept below build/e2e-logs.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	n, err := network.New(t.Context())
	if err != nil {
		t.Fatalf("a network for the containers: %v", err)
	}
	c := &cluster{network: n, running: make(map[string]*testcontainers.DockerContainer)}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), removalBound)
		defer cancel()
		if err := n.Remove(ctx); err != nil {
			t.Errorf("removing the network: %v", err)
		}
	})
	return c
}

// part is one container: what runs in it and how it is reached.
type part struct {
	name, image string
	arguments   []string
	binds       []string // "/outside:/inside", and perhaps ":ro"
	publish     []int    // ports, each on a port of loopback that the engine chooses
}

// run starts a container, known on the network by its name, and removes it with the test.
func (c *cluster) run(t *testing.T, p part) *testcontainers.DockerContainer {
	t.Helper()
	exposed := make([]string, len(p.publish))
	bindings := make(dockernetwork.PortMap)
	for i, port := range p.publish {
		exposed[i] = fmt.Sprintf("%d/tcp", port)
		bindings[dockernetwork.MustParsePort(exposed[i])] = []dockernetwork.PortBinding{{HostIP: netip.MustParseAddr("127.0.0.1")}}
	}
	one, err := testcontainers.Run(t.Context(), p.image,
		network.WithNetwork([]string{p.name}, c.network),
		testcontainers.WithCmd(p.arguments...),
		testcontainers.WithExposedPorts(exposed...),
		testcontainers.WithHostConfigModifier(func(h *container.HostConfig) {
			h.Binds, h.PortBindings = p.binds, bindings
		}))
	if one != nil {
		c.running[p.name] = one
		t.Cleanup(func() { c.remove(t, p.name) })
	}
	if err != nil {
		t.Fatalf("starting %s: %v", p.name, err)
	}
	return one
}

// remove ends a container; of a failed test its log is kept first.
func (c *cluster) remove(t *testing.T, name string) {
	ctx, cancel := context.WithTimeout(context.Background(), removalBound)
	defer cancel()
	if t.Failed() {
		keep(t, name+".log", c.log(ctx, name))
	}
	if err := c.running[name].Terminate(ctx, testcontainers.StopTimeout(time.Second)); err != nil {
		t.Errorf("removing %s: %v", name, err)
	}
}

// log is everything that a container has written, or why it could not be had.
func (c *cluster) log(ctx context.Context, name string) string {
	reader, err := c.running[name].Logs(ctx)
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
	c.run(t, part{name: name + "-weir", image: "weir-e2e/weir", binds: []string{outside + ":" + inside + ":ro"}, arguments: []string{
		"serve", inside, "--insecure", "--xds-address", fmt.Sprintf("0.0.0.0:%d", xdsPort), "--admin-address", fmt.Sprintf("0.0.0.0:%d", adminPort)}})
	return published(t, c.envoy(t, name+"-envoy", name+"-weir"), gatewayPort)
}

// envoy starts an Envoy on the bootstrap that weir writes for it.
func (c *cluster) envoy(t *testing.T, name, control string) *testcontainers.DockerContainer {
	t.Helper()
	bootstrap := weir(t, "bootstrap", "--instance", "edge", "--node-id", name, "--xds-address", fmt.Sprintf("%s:%d", control, xdsPort),
		"--envoy-admin-address", fmt.Sprintf("0.0.0.0:%d", envoyAdminPort)).must(t)
	file := filepath.Join(t.TempDir(), "bootstrap.json")
	writeFile(t, file, bootstrap.stdout)
	must(t, os.Chmod(filepath.Dir(file), 0o755)) // Envoy may run as another user than the test
	proxy := c.run(t, part{name: name, image: "weir-e2e/envoy", publish: []int{gatewayPort, envoyAdminPort},
		binds: []string{file + ":/bootstrap.json:ro"}, arguments: []string{"-c", "/bootstrap.json", "--log-level", "warning"}})
	admin := published(t, proxy, envoyAdminPort)
	t.Cleanup(func() {
		if t.Failed() {
			keepDump(t, name, admin)
		}
	})
	return proxy
}

// signal sends a signal to the process of a container.
func (c *cluster) signal(t *testing.T, name, signal string) {
	t.Helper()
	output, err := exec.Command("docker", "kill", "--signal", signal, c.running[name].GetContainerID()).CombinedOutput()
	if err != nil {
		t.Fatalf("sending %s to %s: %v\n%s", signal, name, err, output)
	}
}

// published is the port of loopback that leads to a container's port.
func published(t *testing.T, c *testcontainers.DockerContainer, port int) int {
	t.Helper()
	mapped, err := c.MappedPort(t.Context(), strconv.Itoa(port)+"/tcp")
	must(t, err)
	return int(mapped.Num())
}

// keepDump writes down what a failed test's Envoy had been told.
func keepDump(t *testing.T, name string, admin int) {
	response, err := http.Get("http://" + loopback(admin) + "/config_dump?include_eds")
	if err != nil {
		keep(t, name+".json", err.Error())
		return
	}
	defer response.Body.Close()
	var dump bytes.Buffer
	_, err = dump.ReadFrom(response.Body)
	keep(t, name+".json", dump.String())
	if err != nil {
		t.Logf("the dump of %s is not whole: %v", name, err)
	}
}

// keep writes a file below build/e2e-logs, for whoever looks into a failed test.
func keep(t *testing.T, name, text string) {
	dir := filepath.Join(moduleRoot(), "build", "e2e-logs")
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
	}
	if err != nil {
		t.Logf("keeping %s: %v\n%s", name, err, text)
		return
	}
	t.Logf("kept %s", filepath.Join("build", "e2e-logs", name))
}
