package envoy

import (
	"fmt"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	overloadv3 "github.com/envoyproxy/go-control-plane/envoy/config/overload/v3"
	connectionsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/resource_monitors/downstream_connections/v3"
	heapv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/resource_monitors/fixed_heap/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
)

// maxDownstreamConnections is what Envoy's guide for edge proxies advises. Without any limit a flood of connections
// ends in a process without memory or file descriptors, and Envoy warns at each start.
const maxDownstreamConnections = 50_000

// What happens as the heap fills, in parts of its limit: memory that is free goes back to the system, then new requests are
// answered 503. Those that are on their way go on filling it, so each step comes earlier than in Envoy's guide.
const (
	heapShrinks = 0.80
	heapRefuses = 0.90
)

// heapLooks is how often Envoy looks. It does so once a second unless told otherwise.
const heapLooks = 100 * time.Millisecond

// heapMonitor is the name by which actions know the monitor of the heap.
const heapMonitor = "envoy.resource_monitors.fixed_heap"

// overload bounds the connections of callers, beyond which the admin API stays reachable, and the heap where it has a limit.
func overload(b *bootstrapv3.Bootstrap, maxHeapSize uint64) error {
	b.OverloadManager = &overloadv3.OverloadManager{}
	err := monitor(b.OverloadManager, "envoy.resource_monitors.global_downstream_max_connections",
		&connectionsv3.DownstreamConnectionsConfig{MaxActiveDownstreamConnections: maxDownstreamConnections})
	if err != nil || maxHeapSize == 0 {
		return err
	}
	b.OverloadManager.RefreshInterval = durationpb.New(heapLooks)
	b.OverloadManager.Actions = []*overloadv3.OverloadAction{
		{Name: "envoy.overload_actions.shrink_heap", Triggers: beyond(heapShrinks)},
		{Name: "envoy.overload_actions.stop_accepting_requests", Triggers: beyond(heapRefuses)},
	}
	return monitor(b.OverloadManager, heapMonitor, &heapv3.FixedHeapConfig{MaxHeapSizeBytes: maxHeapSize})
}

// monitor adds a resource to those that are watched.
func monitor(m *overloadv3.OverloadManager, name string, config proto.Message) error {
	packed, err := anypb.New(config)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	m.ResourceMonitors = append(m.ResourceMonitors, &overloadv3.ResourceMonitor{
		Name: name, ConfigType: &overloadv3.ResourceMonitor_TypedConfig{TypedConfig: packed},
	})
	return nil
}

// beyond acts when the heap is as full as that.
func beyond(part float64) []*overloadv3.Trigger {
	return []*overloadv3.Trigger{{Name: heapMonitor, TriggerOneof: &overloadv3.Trigger_Threshold{
		Threshold: &overloadv3.ThresholdTrigger{Value: part},
	}}}
}
