package xds

import (
	"google.golang.org/grpc/encoding"
	protocodec "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
)

// Numbers of the fields of envoy.service.discovery.v3.DeltaDiscoveryResponse and DiscoveryResponse; those that both have
// are the same.
const (
	responseVersion   = 1
	responseResources = 2
	responseTypeURL   = 4
	responseNonce     = 5
	responseRemoved   = 6 // delta only
)

// response is a marshalled response. The resources' bytes are those of the resources, and are not copied.
type response struct{ parts mem.BufferSlice }

// deltaResponse is o as a delta stream carries it.
func (o *offer) deltaResponse() *response {
	head := o.head()
	for _, name := range o.removed {
		head = appendString(head, responseRemoved, name)
	}
	parts := make(mem.BufferSlice, 1, 1+len(o.items))
	parts[0] = mem.SliceBuffer(head)
	for _, x := range o.items {
		parts = append(parts, mem.SliceBuffer(x.wire))
	}
	return &response{parts}
}

// stateResponse is o as a state-of-the-world stream carries it, with the given resources.
func (o *offer) stateResponse(list []*Resource) *response {
	parts := make(mem.BufferSlice, 1, 1+len(list))
	parts[0] = mem.SliceBuffer(o.head())
	for _, r := range list {
		parts = append(parts, mem.SliceBuffer(r.wire[r.state:]))
	}
	return &response{parts}
}

func (o *offer) head() []byte {
	head := appendString(nil, responseVersion, o.version)
	head = appendString(head, responseTypeURL, typeURLs[o.kind])
	return appendString(head, responseNonce, o.nonce)
}

// codec is the one of all gRPC messages of the server: protobuf, some of it marshalled before.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2(protocodec.Name)} }

// Marshal implements encoding.CodecV2.
func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	if r, ok := v.(*response); ok {
		return r.parts, nil
	}
	return c.CodecV2.Marshal(v)
}

// size is the number of bytes of a response.
func (r *response) size() int { return r.parts.Len() }
