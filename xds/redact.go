package xds

import (
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	statusv3 "github.com/envoyproxy/go-control-plane/envoy/service/status/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
)

// withoutKeys takes private keys out of what is told about a client, wherever they stand. What cannot be read is left out.
func withoutKeys(c *statusv3.ClientConfig) {
	for _, x := range c.GetGenericXdsConfigs() {
		if x.XdsConfig != nil && !redact(x.XdsConfig) {
			x.XdsConfig = nil
		}
	}
}

// redact takes private keys out of a packed message. It tells whether it could read all of it.
func redact(packed *anypb.Any) bool {
	if packed.GetTypeUrl() == "" && len(packed.GetValue()) == 0 {
		return true // which Envoy takes where a filter's own configuration is meant
	}
	m, err := packed.UnmarshalNew()
	if err != nil || !redactMessage(m.ProtoReflect()) {
		return false
	}
	packed.Value, err = proto.MarshalOptions{Deterministic: true}.Marshal(m)
	return err == nil
}

func redactMessage(m protoreflect.Message) bool {
	switch x := m.Interface().(type) {
	case *anypb.Any:
		return redact(x)
	case *tlsv3.TlsCertificate:
		x.PrivateKey, x.Password, x.Pkcs12, x.PrivateKeyProvider = nil, nil, nil, nil
	case *tlsv3.Secret:
		x.Type = nil
	}
	ok := true
	m.Range(func(field protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case field.IsMap() && field.MapValue().Message() != nil:
			v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
				ok = ok && redactMessage(v.Message())
				return ok
			})
		case field.IsMap() || field.Message() == nil:
		case field.IsList():
			for i := range v.List().Len() {
				ok = ok && redactMessage(v.List().Get(i).Message())
			}
		default:
			ok = ok && redactMessage(v.Message())
		}
		return ok
	})
	return ok
}
