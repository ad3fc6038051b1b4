package control

import (
	"slices"
	"strconv"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// containerPath is where a container of a template stands, as errors name it.
func containerPath(i int) string { return "template.containers[" + strconv.Itoa(i) + "]" }

// targetPath is where a request for what is called n says which revisions have
// which share.
func targetPath(n name, i int) string {
	if n.at == atWorkerPool {
		return "workerPool.instanceSplits[" + strconv.Itoa(i) + "]"
	}
	return "service.traffic[" + strconv.Itoa(i) + "]"
}

// maskPaths are the paths of an update mask: nil if it means everything.
func maskPaths(paths []string) []string {
	if len(paths) == 0 || slices.Contains(paths, "*") {
		return nil
	}
	return paths
}

// coversRevisionName reports whether a path of a mask has the revision's name in
// it.
func coversRevisionName(path string) bool { return path == "template" || path == "template.revision" }

// merged is what a request that says from wants of old, which exists or not: the
// fields in the mask as they are in from, the others as they are in old; all as in
// from, without a mask. Of both the part counts that a client may set: the wanted
// one.
func merged[M proto.Message](old, from M, exists bool, mask []string, wanted func(M) M) (M, error) {
	next := wanted(proto.CloneOf(from))
	if !exists || mask == nil {
		return next, nil
	}
	kept := wanted(proto.CloneOf(old))
	return kept, mergeMask(kept, next, mask, wanted)
}

// mergeMask copies into what the paths name of from, cleared where from has
// nothing there. Names of fields are as in JSON or as in the protos; a part of a
// map is named by its key.
func mergeMask[M proto.Message](into, from M, paths []string, wanted func(M) M) error {
	settable := into.ProtoReflect().Descriptor().Fields()
	for _, path := range paths {
		if path == "etag" || path == "name" {
			continue // they say which version of which service is meant
		}
		first, _, _ := strings.Cut(path, ".")
		field := fieldOf(settable, first)
		if field == nil {
			return violation("updateMask", "%q is no field of %s", path, nounOf(into))
		}
		if !isWanted(field, wanted) {
			return violation("updateMask", "%q is not for clients to set", path)
		}
		if !mergePath(into.ProtoReflect(), from.ProtoReflect(), path) {
			return violation("updateMask", "%q is no field of %s", path, nounOf(into))
		}
	}
	return nil
}

// nounOf is what errors call a message.
func nounOf(m proto.Message) string {
	if _, pool := m.(*runpb.WorkerPool); pool {
		return "a worker pool"
	}
	return "a service"
}

// isWanted reports whether a client may set a field of a message: one that the
// wanted part keeps.
func isWanted[M proto.Message](field protoreflect.FieldDescriptor, wanted func(M) M) bool {
	var none M
	m := none.ProtoReflect().New()
	switch {
	case field.IsList():
		m.Mutable(field).List().Append(m.Mutable(field).List().NewElement())
	case field.IsMap():
		m.Mutable(field).Map().Set(protoreflect.ValueOfString("k").MapKey(), protoreflect.ValueOfString("v"))
	case field.Message() != nil:
		m.Mutable(field)
	case field.Kind() == protoreflect.BoolKind:
		m.Set(field, protoreflect.ValueOfBool(true))
	case field.Kind() == protoreflect.StringKind:
		m.Set(field, protoreflect.ValueOfString("x"))
	case field.Kind() == protoreflect.EnumKind:
		m.Set(field, protoreflect.ValueOfEnum(1))
	default:
		return false // numbers of a service are told, not set
	}
	return !proto.Equal(wanted(m.Interface().(M)), m.New().Interface())
}

// mergePath copies one field, and reports whether there is one of that path.
func mergePath(into, from protoreflect.Message, path string) bool {
	first, rest, more := strings.Cut(path, ".")
	field := fieldOf(into.Descriptor().Fields(), first)
	switch {
	case field == nil:
		return false
	case !more:
		if from.Has(field) {
			into.Set(field, from.Get(field))
		} else {
			into.Clear(field)
		}
		return true
	case field.IsMap():
		mergeKey(into, from, field, rest)
		return true
	case field.IsList() || field.Message() == nil:
		return false
	}
	if !from.Has(field) && !into.Has(field) {
		return hasPath(field.Message(), rest)
	}
	return mergePath(into.Mutable(field).Message(), from.Get(field).Message(), rest)
}

// mergeKey copies one entry of a map of texts.
func mergeKey(into, from protoreflect.Message, field protoreflect.FieldDescriptor, key string) {
	k := protoreflect.ValueOfString(key).MapKey()
	if m := from.Get(field).Map(); m.Has(k) {
		into.Mutable(field).Map().Set(k, m.Get(k))
	} else if into.Has(field) {
		into.Mutable(field).Map().Clear(k)
	}
}

// hasPath reports whether messages have a field of that path.
func hasPath(m protoreflect.MessageDescriptor, path string) bool {
	first, rest, more := strings.Cut(path, ".")
	field := fieldOf(m.Fields(), first)
	switch {
	case field == nil:
		return false
	case !more || field.IsMap():
		return true
	}
	return !field.IsList() && field.Message() != nil && hasPath(field.Message(), rest)
}

// fieldOf finds a field by its name in JSON or in the protos.
func fieldOf(fields protoreflect.FieldDescriptors, name string) protoreflect.FieldDescriptor {
	if f := fields.ByJSONName(name); f != nil {
		return f
	}
	return fields.ByTextName(name)
}
