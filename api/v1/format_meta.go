package v1

import (
	"maps"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"runnel/api"
)

// Labels that a server writes.
const (
	locationKey    = "cloud.googleapis.com/location"
	jobKey         = domain + "job"
	executionKey   = domain + "execution"
	lastUpdatedKey = domain + "lastUpdatedTime"
)

// resourceMeta is what all kinds have in common.
type resourceMeta interface {
	GetName() string
	GetUid() string
	GetGeneration() int64
	GetLabels() map[string]string
	GetAnnotations() map[string]string
	GetCreateTime() *timestamppb.Timestamp
	GetUpdateTime() *timestamppb.Timestamp
	GetDeleteTime() *timestamppb.Timestamp
}

// objectMeta is the metadata of r, an object of a kind that paths call plural.
// What it has more of is in annotations; labels are those of the server.
func (o Options) objectMeta(r resourceMeta, plural string, more, labels texts) ObjectMeta {
	name := split(r.GetName())
	own, annotations := restored(r.GetLabels(), r.GetAnnotations())
	maps.Copy(annotations, more)
	meta := ObjectMeta{Name: name.name, Labels: own, Annotations: annotations}
	if o.Export || name.project == "" {
		return meta
	}
	labels.set(locationKey, name.location)
	maps.Copy(meta.Labels, labels)
	meta.Namespace = o.namespace(name)
	meta.SelfLink = link(meta.Namespace, plural, name.name)
	meta.UID = r.GetUid()
	meta.Generation = r.GetGeneration()
	if t := r.GetUpdateTime(); t != nil {
		meta.ResourceVersion = ResourceVersion(t.AsTime())
	}
	meta.CreationTimestamp = timestamp(r.GetCreateTime())
	meta.DeletionTimestamp = timestamp(r.GetDeleteTime())
	return meta
}

// namespace is the project of a resource as v1 writes it.
func (o Options) namespace(r resource) Project {
	if o.Namespace != "" {
		return Project(o.Namespace)
	}
	return Project(r.project)
}

// link is the path of an object, or without a name that of all of its kind.
func link(namespace Project, plural, name string) string {
	return strings.TrimSuffix("/apis/"+versionOf(plural)+"/namespaces/"+string(namespace)+"/"+plural+"/"+name, "/")
}

// timestamp writes t as v1 does. What has not happened is empty.
func timestamp(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	return t.AsTime().Format(timeLayout)
}

// timeLayout is RFC 3339 in UTC with microseconds.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// labelTime is t in the characters that a label may have.
func labelTime(t time.Time) string {
	return strings.ReplaceAll(t.UTC().Format(timeLayout), ":", "_")
}

// Beginnings of the annotations in which v2, where the platform's own domains
// are closed, carries the labels and annotations of v1 that have no field
// there. They keep what a newer client says.
const (
	carriedLabel      = "v1.runnel/labels/"
	carriedAnnotation = "v1.runnel/annotations/"
)

// carried takes the keys of v1 that v2 has no place for out of labels and
// annotations, and returns what v2 has in their stead: nil for none.
func carried(labels, annotations map[string]string) (_, _ map[string]string) {
	keep, extra := texts{}, texts{}
	for k, v := range labels {
		switch {
		case !api.ReservedKey(k):
			keep[k] = v
		case !labelOfServer(k):
			extra[carriedLabel+k] = v
		}
	}
	for k, v := range annotations {
		switch {
		case !api.ReservedKey(k):
			extra[k] = v
		case !annotationOfServer(k):
			extra[carriedAnnotation+k] = v
		}
	}
	return keep.orNil(), extra.orNil()
}

// restored is the inverse of carried. The maps are the caller's.
func restored(labels, annotations map[string]string) (own, extra texts) {
	own, extra = texts{}, texts{}
	maps.Copy(own, labels)
	for k, v := range annotations {
		if label, ok := strings.CutPrefix(k, carriedLabel); ok && api.ReservedKey(label) {
			own[label] = v
		} else if annotation, ok := strings.CutPrefix(k, carriedAnnotation); ok && api.ReservedKey(annotation) {
			extra[annotation] = v
		} else {
			extra[k] = v
		}
	}
	return own, extra
}
