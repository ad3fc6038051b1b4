package control

import (
	"context"
	"crypto/rand"
	"maps"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"runnel/contract"
	"runnel/store"
)

// Revision is a revision as it stands. Its location and its owner may be "-",
// if no other one has a revision of that id.
func (c *Control) Revision(_ context.Context, name string) (r *runpb.Revision, err error) {
	n, err := c.parse("name", name, revisionLevel(name))
	if err != nil {
		return nil, err
	}
	if n, err = c.only(kindRevisions, n); err != nil {
		return nil, err
	}
	r, _, err = c.readRevision(n)
	if err != nil {
		return nil, err
	}
	return c.showRevision(r), nil
}

// readRevision reads a revision as it is stored.
func (c *Control) readRevision(n name) (r *runpb.Revision, of revisionNote, err error) {
	err = c.view(func(tx *store.Tx) error {
		if r = getRevision(tx, n.String()); r == nil {
			return notFound(n)
		}
		of = getRevisionNote(tx, n.String())
		return nil
	})
	return r, of, err
}

// Revisions is a page of the revisions of a service or a worker pool, the newest
// first.
func (c *Control) Revisions(_ context.Context, q Query[*runpb.Revision]) (items []*runpb.Revision, next string, err error) {
	parent, err := c.parse("parent", q.Parent, ownerLevel(q.Parent))
	if err != nil {
		return nil, "", err
	}
	return page(c, kindRevisions, parent, q, func(f found) (*runpb.Revision, error) {
		r := &runpb.Revision{}
		if err := proto.Unmarshal(f.value, r); err != nil {
			return nil, notFound(split(f.name))
		}
		return c.showRevision(r), nil
	})
}

// showRevision adds to a revision, which is the caller's own, what is not stored
// with it.
func (c *Control) showRevision(r *runpb.Revision) *runpb.Revision {
	if c.config.LogURI != nil {
		r.LogUri = c.config.LogURI(r.GetName())
	}
	r.Etag = Etag(r.GetName(), r.GetUpdateTime().AsTime())
	return r
}

// newRevision makes the revision that the service s, as it is about to be, asks
// for, with a name that nobody has.
func newRevision(ctx context.Context, tx *store.Tx, s *runpb.Service) (*runpb.Revision, revisionNote, error) {
	t := proto.CloneOf(s.GetTemplate())
	n := split(s.GetName()).revision(t.GetRevision())
	if t.GetRevision() != "" && getRevision(tx, n.String()) != nil {
		return nil, revisionNote{}, status.Errorf(codes.AlreadyExists, "Revision named '%s' with different configuration already exists.", n.id())
	}
	for t.GetRevision() == "" && (n.id() == "" || getRevision(tx, n.String()) != nil) {
		var random [3]byte
		_, _ = rand.Read(random[:]) // never fails
		n = n.sibling(contract.RevisionName(n.owner().id(), s.GetGeneration(), random))
	}
	r := fromTemplate(t)
	if n.at == atPoolRevision {
		r.Labels = labelled(r.Labels, poolLabel, n.owner().id())
	}
	r.Name, r.Uid, r.Service = n.String(), newUID(), n.owner().id()
	r.Generation = 1
	r.LaunchStage = s.GetLaunchStage()
	r.Creator = caller(ctx)
	r.CreateTime, r.UpdateTime = s.GetUpdateTime(), s.GetUpdateTime()
	revisionPending(r)
	of := revisionNote{Generation: s.GetGeneration(), Unchecked: t.GetHealthCheckDisabled()}
	for _, k := range t.GetContainers() {
		of.References = append(of.References, k.GetImage())
	}
	return r, of, nil
}

// poolLabel is the label of a revision that tells its worker pool.
// Source: gcloud, which selects by it.
const poolLabel = "run.googleapis.com/workerPool"

// labelled are labels with one more.
func labelled(labels map[string]string, key, value string) map[string]string {
	all := map[string]string{key: value}
	maps.Copy(all, labels)
	return all
}

// fromTemplate is what a revision has of its template. It shares what it has
// with that.
func fromTemplate(t *runpb.RevisionTemplate) *runpb.Revision {
	return &runpb.Revision{
		Labels:                        t.GetLabels(),
		Annotations:                   t.GetAnnotations(),
		Scaling:                       t.GetScaling(),
		VpcAccess:                     t.GetVpcAccess(),
		MaxInstanceRequestConcurrency: t.GetMaxInstanceRequestConcurrency(),
		Timeout:                       t.GetTimeout(),
		ServiceAccount:                t.GetServiceAccount(),
		Containers:                    t.GetContainers(),
		Volumes:                       t.GetVolumes(),
		ExecutionEnvironment:          t.GetExecutionEnvironment(),
		EncryptionKey:                 t.GetEncryptionKey(),
		ServiceMesh:                   t.GetServiceMesh(),
		EncryptionKeyRevocationAction: t.GetEncryptionKeyRevocationAction(),
		EncryptionKeyShutdownDuration: t.GetEncryptionKeyShutdownDuration(),
		SessionAffinity:               t.GetSessionAffinity(),
		NodeSelector:                  t.GetNodeSelector(),
		GpuZonalRedundancyDisabled:    t.GpuZonalRedundancyDisabled,
	}
}
