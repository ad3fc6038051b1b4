package api_test

import (
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"runnel/api"
)

// No field of a worker pool's template gets lost on the way, whichever there will
// be.
func TestTemplatesThereAndBack(t *testing.T) {
	t.Parallel()
	all := &runpb.WorkerPoolRevisionTemplate{}
	m := all.ProtoReflect()
	for i := range m.Descriptor().Fields().Len() {
		f := m.Descriptor().Fields().Get(i)
		switch {
		case f.IsMap():
			m.Mutable(f).Map().Set(protoreflect.ValueOfString("k").MapKey(), protoreflect.ValueOfString("v"))
		case f.IsList():
			m.Mutable(f).List().AppendMutable()
		case f.Kind() == protoreflect.MessageKind:
			m.Mutable(f)
		case f.Kind() == protoreflect.StringKind:
			m.Set(f, protoreflect.ValueOfString("x"))
		case f.Kind() == protoreflect.EnumKind:
			m.Set(f, protoreflect.ValueOfEnum(1))
		case f.Kind() == protoreflect.BoolKind:
			m.Set(f, protoreflect.ValueOfBool(true))
		default:
			t.Fatalf("%s: no value of a %v", f.Name(), f.Kind())
		}
	}
	if got := api.WorkerPoolTemplate(api.ServiceTemplate(all)); !proto.Equal(got, all) {
		t.Errorf("%v, want %v", got, all)
	}
	if api.ServiceTemplate(nil) != nil || api.WorkerPoolTemplate(nil) != nil {
		t.Error("of none comes one")
	}
}
