package main

import (
	udpa "github.com/cncf/xds/go/udpa/annotations"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
)

// redacted stands where a secret stood.
const redacted = "[redacted]"

// redact replaces, in place, every field that Envoy's own definitions mark as sensitive, such as private keys, also
// inside of Any. It goes by the mark, so that a field that the translation starts to use tomorrow is covered.
func redact(m protoreflect.Message) error {
	if packed, ok := m.Interface().(*anypb.Any); ok {
		return redactAny(packed)
	}
	var err error
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case isSensitive(field):
			hide(m, field)
		case field.IsMap():
			if field.MapValue().Message() != nil {
				value.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
					err = redact(v.Message())
					return err == nil
				})
			}
		case field.Message() == nil:
		case field.IsList():
			for i := 0; i < value.List().Len() && err == nil; i++ {
				err = redact(value.List().Get(i).Message())
			}
		default:
			err = redact(value.Message())
		}
		return err == nil
	})
	return err
}

func redactAny(packed *anypb.Any) error {
	if packed.GetTypeUrl() == "" {
		return nil // "as the filter's own configuration has it" is said with an Any of nothing
	}
	inner, err := packed.UnmarshalNew()
	if err != nil {
		return err
	}
	if err := redact(inner.ProtoReflect()); err != nil {
		return err
	}
	return anypb.MarshalFrom(packed, inner, proto.MarshalOptions{Deterministic: true})
}

func isSensitive(field protoreflect.FieldDescriptor) bool {
	sensitive, ok := proto.GetExtension(field.Options(), udpa.E_Sensitive).(bool)
	return ok && sensitive
}

// hide says that there was something, where the field can say so, and clears it otherwise.
func hide(m protoreflect.Message, field protoreflect.FieldDescriptor) {
	source := &corev3.DataSource{Specifier: &corev3.DataSource_InlineString{InlineString: redacted}}
	single := !field.IsList() && !field.IsMap()
	switch {
	case single && field.Message() != nil && field.Message().FullName() == source.ProtoReflect().Descriptor().FullName():
		m.Set(field, protoreflect.ValueOfMessage(source.ProtoReflect()))
	case single && field.Kind() == protoreflect.StringKind:
		m.Set(field, protoreflect.ValueOfString(redacted))
	default:
		m.Clear(field)
	}
}
