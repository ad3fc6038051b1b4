package services

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/iam/apiv1/iampb"
	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	locationpb "google.golang.org/genproto/googleapis/cloud/location"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const (
	parent  = "projects/local/locations/us-central1"
	project = "local"
	region  = "us-central1"
)

// fakeDaemon is as much of one as the command line needs: it keeps what it is told,
// and revisions are ready or not as the test wants.
type fakeDaemon struct {
	runpb.UnimplementedServicesServer
	runpb.UnimplementedRevisionsServer
	longrunningpb.UnimplementedOperationsServer
	locationpb.UnimplementedLocationsServer

	t    *testing.T
	host string
	mux  *http.ServeMux

	mu         sync.Mutex // guards what follows
	services   map[string]*runpb.Service
	revisions  []*runpb.Revision
	policies   map[string]*iampb.Policy
	operations map[string]*longrunningpb.Operation
	fail       string                                // how the next revision fails
	refuse     *errdetails.BadRequest_FieldViolation // what the next change is refused for
	conflicts  int                                   // how many changes come too late
	denied     bool                                  // policies cannot be set
}

// newDaemon starts one on a unix socket; it ends with the test.
func newDaemon(t *testing.T) *fakeDaemon {
	t.Helper()
	dir, err := os.MkdirTemp("", "runnel")
	if err != nil {
		t.Fatal(err)
	}
	d := &fakeDaemon{
		t: t, host: "unix://" + filepath.Join(dir, "s"), mux: http.NewServeMux(),
		services: map[string]*runpb.Service{}, policies: map[string]*iampb.Policy{}, operations: map[string]*longrunningpb.Operation{},
	}
	calls := grpc.NewServer()
	runpb.RegisterServicesServer(calls, d)
	runpb.RegisterRevisionsServer(calls, d)
	longrunningpb.RegisterOperationsServer(calls, d)
	locationpb.RegisterLocationsServer(calls, d)
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Protocols: &protocols, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
			calls.ServeHTTP(w, r)
			return
		}
		d.mux.ServeHTTP(w, r)
	})}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		_ = server.Close()
		<-served
		_ = os.RemoveAll(dir)
	})
	return d
}

// with changes how the daemon behaves.
func (d *fakeDaemon) with(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
}

// service is a copy of what is kept.
func (d *fakeDaemon) service(id string) *runpb.Service {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, ok := d.services[parent+"/services/"+id]
	if !ok {
		d.t.Fatalf("there is no service %s", id)
	}
	return proto.Clone(s).(*runpb.Service)
}

func (d *fakeDaemon) GetLocation(context.Context, *locationpb.GetLocationRequest) (*locationpb.Location, error) {
	return &locationpb.Location{Name: parent}, nil
}

func (d *fakeDaemon) CreateService(_ context.Context, r *runpb.CreateServiceRequest) (*longrunningpb.Operation, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	name := r.GetParent() + "/services/" + r.GetServiceId()
	if d.services[name] != nil {
		return nil, status.Errorf(codes.AlreadyExists, "service %s exists already", name)
	}
	return d.store(name, r.GetService())
}

func (d *fakeDaemon) UpdateService(_ context.Context, r *runpb.UpdateServiceRequest) (*longrunningpb.Operation, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	name := r.GetService().GetName()
	if d.services[name] == nil && !r.GetAllowMissing() {
		return nil, status.Errorf(codes.NotFound, "service %s is not there", name)
	}
	if d.conflicts > 0 {
		d.conflicts--
		return nil, status.Error(codes.Aborted, "somebody else was faster")
	}
	return d.store(name, r.GetService())
}

// store keeps a service and, if its template is another, makes a revision. The
// operation is done once somebody has waited for it. d.mu is held.
func (d *fakeDaemon) store(name string, wanted *runpb.Service) (*longrunningpb.Operation, error) {
	if d.refuse != nil {
		s, err := status.New(codes.InvalidArgument, "bad").WithDetails(&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{d.refuse}})
		if err != nil {
			d.t.Error(err)
		}
		d.refuse = nil
		return nil, s.Err()
	}
	now := timestamppb.New(time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC))
	before := d.services[name]
	s := proto.Clone(wanted).(*runpb.Service)
	s.Name, s.Generation, s.LastModifier, s.Creator = name, before.GetGeneration()+1, "ann", "ann"
	id := name[strings.LastIndexByte(name, '/')+1:]
	s.Uri, s.UpdateTime, s.CreateTime, s.Etag = "http://"+id+".run.localhost:8080", now, now, fmt.Sprint(s.Generation)
	s.ObservedGeneration, s.LatestReadyRevision, s.LatestCreatedRevision = before.GetObservedGeneration(), before.GetLatestReadyRevision(), before.GetLatestCreatedRevision()
	fail := ""
	if !proto.Equal(before.GetTemplate(), s.GetTemplate()) {
		fail, d.fail = d.fail, ""
		s.LatestCreatedRevision = d.addRevision(s, id, fail, now)
	}
	pending := proto.Clone(s).(*runpb.Service)
	pending.Reconciling = true
	pending.Conditions = conditions(now, runpb.Condition_CONDITION_RECONCILING, "")
	done := &longrunningpb.Operation{Done: true}
	state := runpb.Condition_CONDITION_SUCCEEDED
	if fail != "" {
		state = runpb.Condition_CONDITION_FAILED
		done.Result = &longrunningpb.Operation_Error{Error: status.New(codes.Internal, fail).Proto()}
	} else {
		s.ObservedGeneration, s.LatestReadyRevision = s.Generation, s.LatestCreatedRevision
		s.TrafficStatuses = d.route(s, id)
	}
	s.Conditions = conditions(now, state, fail)
	s.TerminalCondition = &runpb.Condition{Type: "Ready", State: state, Message: fail, LastTransitionTime: now}
	d.services[name] = s
	done.Name = fmt.Sprintf("%s/operations/%d", parent, len(d.operations))
	done.Metadata = d.pack(s)
	if fail == "" {
		done.Result = &longrunningpb.Operation_Response{Response: d.pack(s)}
	}
	d.operations[done.GetName()] = done
	return &longrunningpb.Operation{Name: done.GetName(), Metadata: d.pack(pending)}, nil
}

// conditions are those of a service whose revision is in a state.
func conditions(now *timestamppb.Timestamp, state runpb.Condition_State, message string) []*runpb.Condition {
	return []*runpb.Condition{
		{Type: configurationsReady, State: state, Message: message, LastTransitionTime: now},
		{Type: routesReady, State: state, Message: message, LastTransitionTime: now},
	}
}

// addRevision makes the revision that a template stands for. d.mu is held.
func (d *fakeDaemon) addRevision(s *runpb.Service, id, fail string, now *timestamppb.Timestamp) string {
	short := s.GetTemplate().GetRevision()
	if short == "" {
		short = fmt.Sprintf("%s-%05d-abc", id, s.GetGeneration())
	}
	state := runpb.Condition_CONDITION_SUCCEEDED
	if fail != "" {
		state = runpb.Condition_CONDITION_FAILED
	}
	t := s.GetTemplate()
	r := &runpb.Revision{
		Name: s.GetName() + "/revisions/" + short, Service: id, Containers: t.GetContainers(), Timeout: t.GetTimeout(), Labels: t.GetLabels(),
		Scaling: t.GetScaling(), MaxInstanceRequestConcurrency: t.GetMaxInstanceRequestConcurrency(), CreateTime: now, Creator: "ann",
		Conditions: []*runpb.Condition{{Type: "Ready", State: state, Message: fail}, {Type: conditionActive, State: state}},
	}
	d.revisions = slices.Insert(d.revisions, 0, r)
	return r.GetName()
}

// route is where the requests of s go. d.mu is held.
func (d *fakeDaemon) route(s *runpb.Service, id string) (is []*runpb.TrafficTargetStatus) {
	wanted := s.GetTraffic()
	if len(wanted) == 0 {
		wanted = []*runpb.TrafficTarget{{Type: runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST, Percent: 100}}
		s.Traffic = wanted
	}
	for _, t := range wanted {
		target := &runpb.TrafficTargetStatus{Type: t.GetType(), Revision: t.GetRevision(), Percent: t.GetPercent(), Tag: t.GetTag()}
		if t.GetTag() != "" {
			target.Uri = "http://" + t.GetTag() + "---" + id + ".run.localhost:8080"
		}
		is = append(is, target)
	}
	return is
}

// pack is s in an operation.
func (d *fakeDaemon) pack(s proto.Message) *anypb.Any {
	packed, err := anypb.New(s)
	if err != nil {
		d.t.Error(err)
	}
	return packed
}

func (d *fakeDaemon) WaitOperation(_ context.Context, r *longrunningpb.WaitOperationRequest) (*longrunningpb.Operation, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.operations[r.GetName()], nil
}

func (d *fakeDaemon) GetService(_ context.Context, r *runpb.GetServiceRequest) (*runpb.Service, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, ok := d.services[r.GetName()]
	if !ok {
		return nil, status.Errorf(codes.NotFound, "service %s is not there", r.GetName())
	}
	return proto.Clone(s).(*runpb.Service), nil
}

func (d *fakeDaemon) ListServices(context.Context, *runpb.ListServicesRequest) (*runpb.ListServicesResponse, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	page := &runpb.ListServicesResponse{}
	for _, s := range d.services {
		page.Services = append(page.Services, s)
	}
	return page, nil
}
