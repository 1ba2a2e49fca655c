package translate

import (
	"time"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/weirproxy/weir/model"
)

// webSocketIdle is how long nothing may move on a WebSocket connection.
const webSocketIdle = time.Hour

// setWebSocket lets requests of the API become WebSocket connections.
func setWebSocket(out *routev3.RouteAction, api *model.API) {
	if !api.WebSocket {
		return
	}
	out.UpgradeConfigs = []*routev3.RouteAction_UpgradeConfig{{UpgradeType: "websocket", Enabled: wrapperspb.Bool(true)}}
	if out.IdleTimeout == nil || out.IdleTimeout.AsDuration() > 0 && out.IdleTimeout.AsDuration() < webSocketIdle {
		out.IdleTimeout = durationpb.New(webSocketIdle)
	}
}
