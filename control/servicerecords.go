package control

import (
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/scheduler/serving"
	"runnel/store"
)

// serviceNote is what a service's resource does not tell.
type serviceNote struct {
	// Routes is how the service's requests are shared now.
	Routes []route `json:"routes,omitempty"`
	// Tagged is when each of its tags came first.
	Tagged map[string]time.Time `json:"tagged,omitempty"`
}

// route is what one revision gets of a service's requests.
type route struct {
	// Revision is the short name.
	Revision string `json:"revision"`
	// Latest says that the latest ready revision was meant.
	Latest  bool   `json:"latest,omitempty"`
	Percent int    `json:"percent,omitempty"`
	Tag     string `json:"tag,omitempty"`
}

// revisionNote is what a revision's resource does not tell.
type revisionNote struct {
	// Generation is the service's that the revision was made for.
	Generation int64 `json:"generation"`
	// References are the images of its containers as the template has them, and
	// Digests what they mean; empty while that is not known.
	References []string `json:"references"`
	Digests    []string `json:"digests,omitempty"`
	// Unchecked revisions are ready without having been tried.
	Unchecked bool `json:"unchecked,omitempty"`
	// Deleted is when that was asked for.
	Deleted time.Time `json:"deleted,omitzero"`
}

func getServiceNote(tx *store.Tx, service string) (n serviceNote) {
	read(tx, kindServiceNotes, service, &n)
	return n
}

func putServiceNote(tx *store.Tx, s *runpb.Service, n serviceNote) {
	write(tx, kindServiceNotes, s.GetName(), s.GetCreateTime().AsTime(), n)
}

func getRevision(tx *store.Tx, name string) *runpb.Revision {
	return get[runpb.Revision](tx, kindRevisions, name)
}

func putRevision(tx *store.Tx, r *runpb.Revision) {
	tx.Put(kindRevisions, r.GetName(), r.GetCreateTime().AsTime(), marshal(r))
}

func getRevisionNote(tx *store.Tx, revision string) (n revisionNote) {
	read(tx, kindRevisionNotes, revision, &n)
	return n
}

func putRevisionNote(tx *store.Tx, r *runpb.Revision, n revisionNote) {
	write(tx, kindRevisionNotes, r.GetName(), r.GetCreateTime().AsTime(), n)
}

// instanceRecord is the name of the record of an instance.
func instanceRecord(revision, id string) string { return revision + "/instances/" + id }

// instancesOf are the records of the instances of what is called name, a
// revision or a service, by name.
func instancesOf(tx *store.Tx, name string) (all []serving.Record) {
	for e := range tx.Under(kindInstances, name+"/") {
		var r serving.Record
		if unmarshalJSON(e.Value(), &r) {
			all = append(all, r)
		}
	}
	return all
}

// pastOf are the records of the instances of a revision that have not ended.
func pastOf(tx *store.Tx, revision string) (past []serving.Record) {
	for _, r := range instancesOf(tx, revision) {
		if r.Ended.IsZero() {
			past = append(past, r)
		}
	}
	return past
}
