package integration

import (
	"context"
	"errors"
	"net/http"
	"path"
	"slices"
	"testing"

	"cloud.google.com/go/iam/apiv1/iampb"
	run "cloud.google.com/go/run/apiv2"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/iterator"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"runnel/integration/rig"
)

// goClients are Google's clients for Go.
type goClients struct {
	*rig.Host
	d         *rig.Daemon
	ctx       context.Context
	services  *run.ServicesClient
	revisions *run.RevisionsClient
}

// contract: REV-1, REV-5, REV-8, TR-1, TR-2, URL-1, AUTH-3
// Google's client for Go, over REST and over gRPC, before and after a kill.
func TestGoClientOfServices(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.ServeRequests()
	for name, over := range map[string]func(ctx context.Context) (goClients, error){
		"rest": func(ctx context.Context) (c goClients, err error) {
			c.services, err = run.NewServicesRESTClient(ctx, d.REST()...)
			if err == nil {
				c.revisions, err = run.NewRevisionsRESTClient(ctx, d.REST()...)
			}
			return c, err
		},
		"grpc": func(ctx context.Context) (c goClients, err error) {
			c.services, err = run.NewServicesClient(ctx, d.GRPC()...)
			if err == nil {
				c.revisions, err = run.NewRevisionsClient(ctx, d.GRPC()...)
			}
			return c, err
		},
	} {
		ctx := h.Limit(3 * rig.Patience())
		c, err := over(ctx)
		if err != nil {
			t.Fatal(err)
		}
		c.Host, c.d, c.ctx = h, d, ctx
		h.Cleanup(func() { _ = c.services.Close() })  // grpc closes its connection with the options
		h.Cleanup(func() { _ = c.revisions.Close() }) // as above
		service := c.create(name + "-service")
		service = c.update(service)
		c.split(service)
		d.Kill()
		d.Start()
		c.remove(service)
	}
}

// create creates a service and opens it to everybody.
func (c goClients) create(id string) *runpb.Service {
	c.Helper()
	want := &runpb.Service{Template: &runpb.RevisionTemplate{Containers: []*runpb.Container{{
		Image: c.Server(), Env: greeting("one"), Resources: &runpb.ResourceRequirements{Limits: map[string]string{"memory": "256Mi"}, CpuIdle: true},
	}}}}
	name := rig.Parent + "/services/" + id
	if op, err := c.services.CreateService(c.ctx, &runpb.CreateServiceRequest{Parent: rig.Parent, ServiceId: id, Service: want, ValidateOnly: true}); err != nil {
		c.Fatal(err)
	} else if _, err := op.Wait(c.ctx); err != nil {
		c.Errorf("validate: %v", err)
	}
	if _, err := c.services.GetService(c.ctx, &runpb.GetServiceRequest{Name: name}); status.Code(err) != codes.NotFound {
		c.Errorf("a service that was only validated: %v", err)
	}
	op, err := c.services.CreateService(c.ctx, &runpb.CreateServiceRequest{Parent: rig.Parent, ServiceId: id, Service: want})
	if err != nil {
		c.Fatal(err)
	}
	service, err := op.Wait(c.ctx)
	if err != nil {
		c.Fatal(err)
	}
	if service.GetName() != name || service.GetTerminalCondition().GetState() != runpb.Condition_CONDITION_SUCCEEDED || service.GetReconciling() {
		c.Errorf("created: %v", service)
	}
	_, err = c.services.CreateService(c.ctx, &runpb.CreateServiceRequest{Parent: rig.Parent, ServiceId: id, Service: want})
	if !refused(err, codes.AlreadyExists, codes.Aborted) {
		c.Errorf("create again: %v", err)
	}
	c.answers(service, http.StatusForbidden, "")
	everybody := &iampb.Policy{Bindings: []*iampb.Binding{{Role: "roles/run.invoker", Members: []string{"allUsers"}}}}
	if _, err := c.services.SetIamPolicy(c.ctx, &iampb.SetIamPolicyRequest{Resource: name, Policy: everybody}); err != nil {
		c.Fatal(err)
	}
	policy, err := c.services.GetIamPolicy(c.ctx, &iampb.GetIamPolicyRequest{Resource: name})
	if err != nil || len(policy.GetBindings()) != 1 || !proto.Equal(policy.GetBindings()[0], everybody.GetBindings()[0]) {
		c.Errorf("the policy is %v, %v", policy, err)
	}
	may, err := c.services.TestIamPermissions(c.ctx, &iampb.TestIamPermissionsRequest{Resource: name, Permissions: []string{"run.routes.invoke"}})
	if err != nil || !slices.Equal(may.GetPermissions(), []string{"run.routes.invoke"}) {
		c.Errorf("permissions are %v, %v", may, err)
	}
	c.answers(service, http.StatusOK, `"GREETING":"one"`)
	return service
}

// update changes a service with a mask, and then without.
func (c goClients) update(service *runpb.Service) *runpb.Service {
	c.Helper()
	stale := service.GetEtag()
	change := proto.Clone(service).(*runpb.Service)
	change.Labels = map[string]string{"team": "web"}
	change.Template.Containers[0].Env = greeting("not this one")
	masked := c.apply(&runpb.UpdateServiceRequest{Service: change, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"labels"}}})
	if masked.GetLabels()["team"] != "web" || masked.GetLatestReadyRevision() != service.GetLatestReadyRevision() {
		c.Errorf("after the update of labels: %v", masked)
	}
	c.answers(masked, http.StatusOK, `"GREETING":"one"`)

	change = proto.Clone(masked).(*runpb.Service)
	change.Template.Containers[0].Env = greeting("two")
	change.Labels = nil
	whole := c.apply(&runpb.UpdateServiceRequest{Service: change})
	if len(whole.GetLabels()) != 0 || whole.GetLatestReadyRevision() == service.GetLatestReadyRevision() {
		c.Errorf("after the update of everything: %v", whole)
	}
	c.answers(whole, http.StatusOK, `"GREETING":"two"`)

	change.Etag = stale
	if _, err := c.services.UpdateService(c.ctx, &runpb.UpdateServiceRequest{Service: change}); status.Code(err) != codes.Aborted {
		c.Errorf("an update of what was changed: %v", err)
	}
	return whole
}

// apply makes a change and waits for it.
func (c goClients) apply(r *runpb.UpdateServiceRequest) *runpb.Service {
	c.Helper()
	op, err := c.services.UpdateService(c.ctx, r)
	if err != nil {
		c.Fatal(err)
	}
	var service *runpb.Service
	c.d.Eventually("the change is made", func() bool { // Wait begins with a second
		if service, err = op.Poll(c.ctx); err != nil {
			c.Fatal(err)
		}
		return op.Done()
	})
	return service
}

// refused reports whether a call was refused with a code. Over REST, of codes
// that share a status of HTTP one stands for all.
func refused(err error, want, overREST codes.Code) bool {
	var rest *googleapi.Error
	if errors.As(err, &rest) {
		want = overREST
	}
	return status.Code(err) == want
}

// split gives all traffic to the first revision, and deletes the second.
func (c goClients) split(service *runpb.Service) {
	c.Helper()
	var names []string
	for it := c.revisions.ListRevisions(c.ctx, &runpb.ListRevisionsRequest{Parent: service.GetName()}); ; {
		r, err := it.Next()
		if errors.Is(err, iterator.Done) {
			break
		}
		if err != nil {
			c.Fatal(err)
		}
		names = append(names, r.GetName())
	}
	if len(names) != 2 || names[0] != service.GetLatestReadyRevision() {
		c.Fatalf("the revisions are %q, the latest of them %s", names, service.GetLatestReadyRevision())
	}
	first, err := c.revisions.GetRevision(c.ctx, &runpb.GetRevisionRequest{Name: names[1]})
	if err != nil || first.GetContainers()[0].GetEnv()[0].GetValue() != "one" || first.GetService() != path.Base(service.GetName()) {
		c.Errorf("the first revision is %v, %v", first, err)
	}
	if _, err := c.revisions.DeleteRevision(c.ctx, &runpb.DeleteRevisionRequest{Name: names[0]}); !refused(err, codes.FailedPrecondition, codes.InvalidArgument) {
		c.Errorf("delete the revision that serves: %v", err)
	}
	change := proto.Clone(service).(*runpb.Service)
	change.Traffic = []*runpb.TrafficTarget{{
		Type: runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION, Revision: path.Base(names[1]), Percent: 100, Tag: "first",
	}}
	change = c.apply(&runpb.UpdateServiceRequest{Service: change, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"traffic"}}})
	if s := change.GetTrafficStatuses(); len(s) != 1 || s[0].GetPercent() != 100 || s[0].GetUri() == "" {
		c.Errorf("traffic is %v", s)
	} else {
		c.answersAt(s[0].GetUri(), http.StatusOK, `"GREETING":"one"`)
	}
	c.answers(change, http.StatusOK, `"GREETING":"one"`)
}

// remove deletes a service that is there as it was.
func (c goClients) remove(service *runpb.Service) {
	c.Helper()
	c.answers(service, http.StatusOK, `"GREETING":"one"`)
	var names []string
	for it := c.services.ListServices(c.ctx, &runpb.ListServicesRequest{Parent: rig.Parent}); ; {
		s, err := it.Next()
		if errors.Is(err, iterator.Done) {
			break
		}
		if err != nil {
			c.Fatal(err)
		}
		names = append(names, s.GetName())
	}
	if !slices.Equal(names, []string{service.GetName()}) {
		c.Errorf("the services are %q", names)
	}
	op, err := c.services.DeleteService(c.ctx, &runpb.DeleteServiceRequest{Name: service.GetName()})
	if err != nil {
		c.Fatal(err)
	}
	if gone, err := op.Wait(c.ctx); err != nil || gone.GetName() != service.GetName() {
		c.Errorf("deleted %v, %v", gone, err)
	}
	if _, err := c.services.GetService(c.ctx, &runpb.GetServiceRequest{Name: service.GetName()}); status.Code(err) != codes.NotFound {
		c.Errorf("the deleted service: %v", err)
	}
	c.answers(service, http.StatusNotFound, "")
}

// answers checks what a service says of its environment.
func (c goClients) answers(service *runpb.Service, code int, part string) {
	c.Helper()
	c.answersAt(service.GetUri(), code, part)
}

func (c goClients) answersAt(uri string, code int, part string) {
	c.Helper()
	r, err := http.NewRequest(http.MethodGet, uri+"/env", nil)
	if err != nil {
		c.Fatal(err)
	}
	rig.Do(c.d.Requests(), r).Is(c.Host, code, part)
}

// greeting is an environment.
func greeting(text string) []*runpb.EnvVar {
	return []*runpb.EnvVar{{Name: "GREETING", Values: &runpb.EnvVar_Value{Value: text}}}
}
