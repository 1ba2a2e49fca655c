// Package envoy runs Envoy and says how it is started.
//
// It promises: a bootstrap that joins an Envoy to weir and holds nothing else; that what Validate accepts, Envoy's own
// start-up code accepts; that a Runner's Envoy is restarted whenever it ends, is drained before it is stopped, and on
// Linux never outlives the process that started it, however that ends. It knows Envoy's resources, none of weir's nouns.
package envoy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
)

// SystemCA is the name of the static secret that holds the CAs of Envoy's machine. Clusters refer to it by this name.
const SystemCA = "system_ca"

// xdsCluster is the name of the one static cluster: weir itself. Names of weir's resources hold a slash, so none is hidden.
const xdsCluster = "xds"

// BootstrapOptions says which Envoy of which instance a bootstrap is for.
type BootstrapOptions struct {
	Instance       string // becomes node.cluster
	NodeID         string // becomes node.id; each Envoy of an instance has its own
	XDSAddress     string // where weir serves: "host:port" or "unix:///path"
	StandbyAddress string // where a standby serves that is asked while weir is away, likewise; empty: nowhere
	AdminAddress   string // "host:port" of Envoy's admin API; empty: none
	CAFile         string // the CAs on Envoy's machine, see SystemCAFile; empty: no system_ca secret, and clusters that need it are refused
	MaxHeapSize    uint64 // bytes, before which Envoy sheds load; 0: no limit
}

// Bootstrap builds what an Envoy needs to fetch everything else from weir.
func Bootstrap(o BootstrapOptions) (*bootstrapv3.Bootstrap, error) {
	if o.Instance == "" || o.NodeID == "" {
		return nil, errors.New("bootstrap: the instance and the node id must be said")
	}
	cluster, err := controlPlane(o.XDSAddress)
	if err != nil {
		return nil, fmt.Errorf("bootstrap: xDS address %q: %w", o.XDSAddress, err)
	}
	if o.StandbyAddress != "" {
		if o.StandbyAddress == o.XDSAddress {
			return nil, fmt.Errorf("bootstrap: standby address %q: weir is there; the standby is another process", o.StandbyAddress)
		}
		if err := addStandby(cluster, o.StandbyAddress); err != nil {
			return nil, fmt.Errorf("bootstrap: standby address %q: %w", o.StandbyAddress, err)
		}
	}
	admin, err := adminListener(o.AdminAddress)
	if err != nil {
		return nil, fmt.Errorf("bootstrap: admin address %q: %w", o.AdminAddress, err)
	}
	b := &bootstrapv3.Bootstrap{
		Node:             &corev3.Node{Id: o.NodeID, Cluster: o.Instance, Metadata: metadata(admin)},
		Admin:            admin,
		DynamicResources: dynamicResources(o.StandbyAddress != ""),
		StaticResources: &bootstrapv3.Bootstrap_StaticResources{
			Clusters: []*clusterv3.Cluster{cluster},
			Secrets:  systemCA(o.CAFile),
		},
		LayeredRuntime: runtimeLayer(),
		StatsConfig:    fewerStats(),
		// Most clusters of a big configuration get no traffic on most Envoys; their statistics are made when they do.
		DeferredStatOptions: &bootstrapv3.Bootstrap_DeferredStatOptions{EnableDeferredCreationStats: true},
	}
	if err := overload(b, o.MaxHeapSize); err != nil {
		return nil, fmt.Errorf("bootstrap: %w", err)
	}
	return b, nil
}

// regexLimit is how many instructions a regular expression may compile to. Envoy's own limit is 100, which a path of 70
// characters with a variable reaches; it is there for control planes whose expressions come from strangers.
const regexLimit = 1 << 20

// runtimeLayer are the settings that Envoy has nowhere else.
func runtimeLayer() *bootstrapv3.LayeredRuntime {
	return &bootstrapv3.LayeredRuntime{Layers: []*bootstrapv3.RuntimeLayer{{
		Name: "weir",
		LayerSpecifier: &bootstrapv3.RuntimeLayer_StaticLayer{StaticLayer: &structpb.Struct{Fields: map[string]*structpb.Value{
			"re2.max_program_size.error_level": structpb.NewNumberValue(regexLimit),
		}}},
	}}}
}

// dynamicResources has every type come over one delta ADS stream.
func dynamicResources(standby bool) *bootstrapv3.Bootstrap_DynamicResources {
	return &bootstrapv3.Bootstrap_DynamicResources{
		AdsConfig: &corev3.ApiConfigSource{
			ApiType:             corev3.ApiConfigSource_DELTA_GRPC,
			TransportApiVersion: corev3.ApiVersion_V3,
			GrpcServices: []*corev3.GrpcService{{
				TargetSpecifier: &corev3.GrpcService_EnvoyGrpc_{EnvoyGrpc: &corev3.GrpcService_EnvoyGrpc{
					ClusterName: xdsCluster,
					RetryPolicy: reconnect(standby),
				}},
			}},
			// Otherwise every acknowledgement carries the whole node, 61 kB with its list of extensions.
			SetNodeOnFirstMessageOnly: true,
		},
		CdsConfig: overADS(),
		LdsConfig: overADS(),
	}
}

// reconnect keeps the time short in which an Envoy is without weir, after a restart of weir or before its instance is
// written: the default back-off grows to 30 s. Where there is a standby, every second attempt goes there.
func reconnect(standby bool) *corev3.RetryPolicy {
	longest := 2 * time.Second
	if standby {
		longest = setAside
	}
	return &corev3.RetryPolicy{RetryBackOff: &corev3.BackoffStrategy{
		BaseInterval: durationpb.New(100 * time.Millisecond),
		MaxInterval:  durationpb.New(longest),
	}}
}

// overADS waits for the first answer as long as it takes. With the default of 15 s an Envoy that cannot reach weir
// reports itself ready without a single listener, and a load balancer or a rolling update would take it for a gateway.
func overADS() *corev3.ConfigSource {
	return &corev3.ConfigSource{
		ResourceApiVersion:    corev3.ApiVersion_V3,
		ConfigSourceSpecifier: &corev3.ConfigSource_Ads{Ads: &corev3.AggregatedConfigSource{}},
		InitialFetchTimeout:   durationpb.New(0),
	}
}

// systemCA is the static secret: the path is a fact of Envoy's machine, so it cannot come from weir.
func systemCA(file string) []*tlsv3.Secret {
	if file == "" {
		return nil
	}
	return []*tlsv3.Secret{{
		Name: SystemCA,
		Type: &tlsv3.Secret_ValidationContext{ValidationContext: &tlsv3.CertificateValidationContext{
			TrustedCa: &corev3.DataSource{Specifier: &corev3.DataSource_Filename{Filename: file}},
		}},
	}}
}

// adminListener is where Envoy's admin API listens, nil for an empty address.
func adminListener(address string) (*bootstrapv3.Admin, error) {
	if address == "" {
		return nil, nil
	}
	host, port, err := splitAddress(address)
	if err != nil {
		return nil, err
	}
	if _, err := netip.ParseAddr(host); err != nil {
		return nil, fmt.Errorf("%q is not an IP address: Envoy listens on addresses, not on names", host)
	}
	return &bootstrapv3.Admin{Address: socketAddress(host, port), IgnoreGlobalConnLimit: true}, nil
}

// AdminMetadata is the field of node.metadata by which an Envoy tells weir where its admin API is, so that weir can ask
// it how the nodes are.
const AdminMetadata = "weir.admin_address"

// metadata tells of an admin API whose port is known beforehand.
func metadata(admin *bootstrapv3.Admin) *structpb.Struct {
	socket := admin.GetAddress().GetSocketAddress()
	if socket.GetPortValue() == 0 {
		return nil
	}
	address := net.JoinHostPort(socket.GetAddress(), strconv.Itoa(int(socket.GetPortValue())))
	return &structpb.Struct{Fields: map[string]*structpb.Value{AdminMetadata: structpb.NewStringValue(address)}}
}

// parseXDSAddress turns "host:port" and "unix:///path" into Envoy's address; isName says that it must be resolved.
func parseXDSAddress(address string) (target *corev3.Address, isName bool, err error) {
	if path, ok := strings.CutPrefix(address, "unix://"); ok {
		if !strings.HasPrefix(path, "/") {
			return nil, false, errors.New("a socket is unix:// and an absolute path, unix:///run/weir.sock")
		}
		return &corev3.Address{Address: &corev3.Address_Pipe{Pipe: &corev3.Pipe{Path: path}}}, false, nil
	}
	host, port, err := splitAddress(address)
	if err != nil {
		return nil, false, err
	}
	if host == "" || port == 0 {
		return nil, false, errors.New("the address to connect to needs a host and a port")
	}
	_, notIP := netip.ParseAddr(host)
	return socketAddress(host, port), notIP != nil, nil
}

// splitAddress reads "host:port"; port 0 is the system's choice.
func splitAddress(address string) (host string, port uint32, err error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("port %q is not a number from 0 to 65535", text)
	}
	return host, uint32(n), nil
}

// socketAddress is Envoy's form of a TCP address.
func socketAddress(host string, port uint32) *corev3.Address {
	return &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
		Address:       host,
		PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: port},
	}}}
}

// MarshalJSON renders a bootstrap for Envoy's -c flag, the same bytes for the same bootstrap. protojson varies its white
// space on purpose, so it is indented again.
func MarshalJSON(b *bootstrapv3.Bootstrap) ([]byte, error) {
	data, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(b)
	if err != nil {
		return nil, fmt.Errorf("bootstrap: %w", err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, data, "", "  "); err != nil {
		return nil, fmt.Errorf("bootstrap: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}
