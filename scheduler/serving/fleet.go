package serving

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/cgroups"
	"runnel/contract"
	rimage "runnel/image"
	"runnel/ingress"
	rruntime "runnel/runtime"
	"runnel/scheduler"
)

// Instance is what is needed of one instance beside what a task's needs.
type Instance interface {
	scheduler.Instance
	// Addr is its address in the instances' network.
	Addr() netip.Addr
	// StartContainer lets the entrypoint of one of its containers run, by its
	// place in the Spec.
	StartContainer(ctx context.Context, n int) error
	// SetCPU sets the CPU quota of each container, in the order of the Spec; 0
	// is the least that there is. It takes effect at once.
	SetCPU(cpu ...contract.MilliCPU) error
	// Usage is what its containers have used together.
	Usage() (cgroups.Usage, error)
}

// Record is what is remembered of an instance.
type Record struct {
	// ID is the instance's, Revision the full name of its revision.
	ID       string `json:"id"`
	Revision string `json:"revision"`
	// Created is when it was asked for, Started when its process was, Ready when
	// it took requests first, Ended when it had ended; zero if it never did.
	Created time.Time `json:"created"`
	Started time.Time `json:"started,omitzero"`
	Ready   time.Time `json:"ready,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	// Reason says why it was started.
	Reason string `json:"reason,omitempty"`
}

// Journal makes durable which instances there are. Its methods must not wait for
// the disk.
type Journal interface {
	// Instance keeps a record, in place of an earlier one of its ID.
	Instance(Record) scheduler.Ticket
}

// Line is something to be told of an instance, in the system log.
type Line struct {
	Time time.Time
	// Revision is the full name; Instance the ID, empty if it is about no
	// certain one; Container its name, if it is about one.
	Revision, Instance, Container string
	Severity                      string
	Text                          string
}

// Config says what a Fleet works with. Create, Budget, Server and ProjectNumber
// are required.
type Config struct {
	// Create makes instances, Adopt takes over those that another process has
	// left; as scheduler.Create and scheduler.Adopt.
	Create func(ctx context.Context, spec rruntime.Spec) (Instance, error)
	Adopt  func(ctx context.Context, spec rruntime.Spec) (Instance, error)
	// Journal; nil: instances end with this process.
	Journal Journal
	// Budget is what all instances of the host share.
	Budget *scheduler.Budget
	// Server takes the requests.
	Server *ingress.Server
	// ProjectNumber gives the number of a project.
	ProjectNumber func(project string) string
	// PIDs bounds the processes and threads of each container; 8,192 if 0.
	PIDs int64
	// Creating is how many instances are created at once; twice the number of
	// CPUs if 0.
	Creating int
	// IdleTime is how long an instance without requests is kept;
	// contract.IdleTime if 0.
	IdleTime time.Duration
	// Tell is told what there is to say about instances; it must not block for
	// long. Nil: nobody wants to know.
	Tell func(Line)
	// Changed is told, by its full name, that Status of a revision may say
	// something else; it must not call back. Nil: nobody wants to know.
	Changed func(revision string)
	// Logger gets state changes; nil discards them.
	Logger *slog.Logger
}

// Fleet is all instances of services. Safe for concurrent use.
type Fleet struct{}

// New makes a fleet without revisions.
func New(Config) *Fleet { panic("not built yet") }

// Scale is how many instances a revision may have, as its own settings, its
// service's and its share of the traffic have it.
type Scale struct {
	// Min and Max bound the instances. A Max of 0 stops them all.
	Min, Max int
	// Manual is how many there are to be, where it is not negative.
	Manual int
}

// Add begins to keep a revision, with the image of each of its containers in
// their order, which must stay until Remove has returned. past are the records
// of its instances that have not ended: those that live are taken over by the
// time Add returns. It starts nothing by itself but what scale has it start.
func (f *Fleet) Add(rev *runpb.Revision, images []*rimage.Image, scale Scale, past []Record) error {
	panic("not built yet")
}

// SetScale changes how many instances a revision may have.
func (f *Fleet) SetScale(revision string, scale Scale) { panic("not built yet") }

// Check returns when an instance of the revision is ready, and starts one if
// there is none: what a deployment is checked by. Errors: *StartError, the cause
// of ctx's end.
func (f *Fleet) Check(ctx context.Context, revision string) error { panic("not built yet") }

// Warm returns when as many instances are ready as the revision's minimum says.
// Errors: as Check.
func (f *Fleet) Warm(ctx context.Context, revision string) error { panic("not built yet") }

// Remove stops a revision's instances, as the contract has it, and returns when
// nothing is left of them.
func (f *Fleet) Remove(ctx context.Context, revision string) error { panic("not built yet") }

// Service is how the requests of a service are to be served.
type Service struct {
	// Name is the service's full resource name.
	Name string
	// Hosts are its own, as ingress.Route has them.
	Hosts []string
	// Traffic shares the requests. Revisions are ones that were added; percents
	// sum to 100 or there is none.
	Traffic []Traffic
	// Disabled services answer that they are; Internal ones are for internal
	// listeners alone.
	Disabled, Internal bool
	// Public services ask nobody who calls. Of others Audiences are those of
	// tokens beside the service's URLs, and Allows reports whether a caller, by
	// its email address, may call.
	Public    bool
	Audiences []string
	Allows    func(email string) bool
}

// Traffic is what one revision gets of a service's requests.
type Traffic struct {
	// Revision is the full name.
	Revision string
	// Percent is 0 to 100.
	Percent int
	// Tag names a target with hosts of its own, TagHosts; empty for none.
	Tag      string
	TagHosts []string
}

// Route has the requests of a service served so from now on; those under way go
// on as they are.
func (f *Fleet) Route(Service) { panic("not built yet") }

// Unroute has a service's hosts answered as unknown.
func (f *Fleet) Unroute(name string) { panic("not built yet") }

// Status is a revision's instances at one moment.
type Status struct {
	// Desired is how many there should be, Ready how many take requests,
	// Starting how many are on their way.
	Desired, Ready, Starting int
	// Active and Waiting are requests.
	Active, Waiting int
	// Failure is why the last start failed; nil if it did not.
	Failure *StartError
}

// Status looks at a revision; the zero value if it is not known.
func (f *Fleet) Status(revision string) Status { panic("not built yet") }

// Detach lets go of everything: no instance is touched any more, so that another
// process can go on with them. Wait returns when what was under way is over.
func (f *Fleet) Detach() { panic("not built yet") }

// Wait returns after Detach, or Remove of all, when nothing is under way.
func (f *Fleet) Wait() { panic("not built yet") }
