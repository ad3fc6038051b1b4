package wire

import (
	"fmt"

	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"runnel/api/rest"
)

// codec is gRPC's own, but for messages that hold more values than a body of
// JSON may: two bytes can become a message of hundreds.
type codec struct{ encoding.CodecV2 }

// newCodec returns the codec of protocol buffers, which gRPC has registered.
func newCodec() codec { return codec{encoding.GetCodecV2(proto.Name)} }

// Unmarshal implements encoding.CodecV2. To the caller its errors are INTERNAL:
// gRPC leaves it no choice.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	if m, ok := v.(protoreflect.ProtoMessage); ok {
		text := data.MaterializeToBuffer(mem.DefaultBufferPool())
		defer text.Free()
		if countFields(text.ReadOnlyData(), m.ProtoReflect().Descriptor(), rest.MaxValues) < 0 {
			return fmt.Errorf("the message holds more than %d values", rest.MaxValues)
		}
		data = mem.BufferSlice{text} // in one piece already: not to be copied again
	}
	return c.CodecV2.Unmarshal(data, v)
}

// countFields returns how many of the fields that there may be are left after a
// message of a type, negative if it has more. What is no such message ends the
// count, for the decoder will say so.
func countFields(data []byte, t protoreflect.MessageDescriptor, left int) int {
	for len(data) > 0 {
		if left--; left < 0 {
			return left
		}
		number, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return left
		}
		data = data[n:]
		if n = protowire.ConsumeFieldValue(number, kind, data); n < 0 {
			return left
		}
		if field := t.Fields().ByNumber(number); kind == protowire.BytesType && field != nil && field.Message() != nil {
			inside, _ := protowire.ConsumeBytes(data)
			left = countFields(inside, field.Message(), left)
		}
		data = data[n:]
	}
	return left
}
