package control

import (
	"context"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"cloud.google.com/go/iam/apiv1/iampb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"runnel/store"
)

// policyVersion is that of policies without conditions.
const policyVersion = 1

// Policy is the IAM policy of a job, a service or a worker pool. That of a service
// says who may call it. The rest is kept for the clients that write one: who may do what is
// decided at the door, where every caller is the administrator.
func (c *Control) Policy(_ context.Context, resource string) (p *iampb.Policy, err error) {
	n, err := c.parseOwner(resource)
	if err != nil {
		return nil, err
	}
	err = c.view(func(tx *store.Tx) error {
		p, err = getPolicy(tx, n)
		return err
	})
	return p, err
}

// parseOwner reads the name of what a policy belongs to.
func (c *Control) parseOwner(resource string) (name, error) {
	at := atJob
	for _, other := range []level{atService, atWorkerPool} {
		if goesThrough(resource, other) {
			at = other
		}
	}
	return c.parseOne("resource", resource, at)
}

// ownerCreated is when what a policy belongs to was created, if it exists.
func ownerCreated(tx *store.Tx, n name) (at time.Time, exists bool) {
	if n.at == atJob {
		job := getJob(tx, n.String())
		return job.GetCreateTime().AsTime(), job != nil
	}
	s := getService(tx, n.String())
	return s.GetCreateTime().AsTime(), s != nil
}

// getPolicy reads the policy of a job, a service or a worker pool, which must
// exist.
func getPolicy(tx *store.Tx, n name) (*iampb.Policy, error) {
	if _, exists := ownerCreated(tx, n); !exists {
		return nil, notFound(n)
	}
	if p := get[iampb.Policy](tx, kindPolicies, n.String()); p != nil {
		return p, nil
	}
	return &iampb.Policy{Etag: unwritten()}, nil
}

// unwritten is the etag of a policy that nobody has written: ACAB in base64.
// Source: observed policies of Cloud Run.
func unwritten() []byte { return []byte{0x00, 0x20, 0x01} }

// policyEtag is the etag of a policy written at t; in base64 it begins with Bw,
// as Google's do.
func policyEtag(t time.Time) []byte {
	return append([]byte{0x07}, binary.BigEndian.AppendUint64(nil, uint64(t.UnixMicro()))[1:]...)
}

// SetPolicy replaces the IAM policy of a job, a service or a worker pool, which is
// in force when it returns. A policy with an etag must be the one that was read
// last. The mask may name bindings and etag; nil means both.
func (c *Control) SetPolicy(ctx context.Context, resource string, p *iampb.Policy, mask *fieldmaskpb.FieldMask) (*iampb.Policy, error) {
	n, err := c.parseOwner(resource)
	if err != nil {
		return nil, err
	}
	if err := checkPolicy(p, mask); err != nil {
		return nil, err
	}
	var next *iampb.Policy
	err = c.update(ctx, func(tx *store.Tx) error {
		old, err := getPolicy(tx, n)
		if err != nil {
			return err
		}
		if given := p.GetEtag(); len(given) > 0 && !slices.Equal(given, old.GetEtag()) {
			return status.Errorf(codes.Aborted, "Conflict for the policy of resource '%s': it has been changed since it was read.", n.id())
		}
		next = proto.CloneOf(old)
		if len(mask.GetPaths()) == 0 || slices.Contains(mask.GetPaths(), "bindings") {
			next.Bindings = proto.CloneOf(p).GetBindings()
		}
		next.Version, next.Etag = policyVersion, nextPolicyEtag(old.GetEtag())
		created, _ := ownerCreated(tx, n)
		tx.Put(kindPolicies, n.String(), created, marshal(next))
		return nil
	}, func(err error) { c.enforce(n, err) })
	if err != nil {
		return nil, err
	}
	return proto.CloneOf(next), nil
}

// enforce has a service's new policy be in force, if it was stored.
func (c *Control) enforce(n name, err error) {
	if n.at == atService && c.config.Fleet != nil && c.stands(err, kindPolicies, n.String()) {
		_ = c.reroute(n.String()) // a store that cannot be read any more has been closed
	}
}

// nextPolicyEtag is the etag of a policy written now, other than the old one.
func nextPolicyEtag(old []byte) []byte {
	t := now()
	for slices.Equal(policyEtag(t), old) {
		t = t.Add(time.Microsecond)
	}
	return policyEtag(t)
}

// checkPolicy says what is wrong with a policy that is to be set.
func checkPolicy(p *iampb.Policy, mask *fieldmaskpb.FieldMask) error {
	for _, path := range mask.GetPaths() {
		if path != "bindings" && path != "etag" && path != "version" {
			return violation("updateMask", "%q is no field of a policy that can be set: want bindings, etag", path)
		}
	}
	if p == nil {
		return violation("policy", "is missing")
	}
	for _, b := range p.GetBindings() {
		switch {
		case b.GetRole() == "":
			return violation("policy.bindings.role", "is missing: want a role such as roles/run.invoker")
		case !strings.HasPrefix(b.GetRole(), "roles/") && !strings.Contains(b.GetRole(), "/roles/"):
			return violation("policy.bindings.role", "%q is not a role: want one such as roles/run.invoker", b.GetRole())
		case b.GetCondition() != nil:
			return violation("policy.bindings.condition", "conditions are not supported")
		}
		for _, m := range b.GetMembers() {
			if m != "allUsers" && m != "allAuthenticatedUsers" && !strings.Contains(m, ":") {
				return violation("policy.bindings.members", "%q is not a member: want user:EMAIL, serviceAccount:EMAIL, allUsers or the like", m)
			}
		}
	}
	return nil
}

// TestPermissions returns those of the permissions that the caller has on a job,
// a service or a worker pool: all of them.
func (c *Control) TestPermissions(_ context.Context, resource string, permissions []string) ([]string, error) {
	if _, err := c.parseOwner(resource); err != nil {
		return nil, err
	}
	for _, p := range permissions {
		if p == "" || strings.Contains(p, "*") {
			return nil, violation("permissions", "%q is not a permission: want one such as run.jobs.run", p)
		}
	}
	return permissions, nil
}
