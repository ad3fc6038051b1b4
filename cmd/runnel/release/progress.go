package release

import (
	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/sheet"
	"runnel/cmd/runnel/stages"
)

// Types of the conditions that say how far a resource has come.
const (
	// ConfigurationsReady is true once the latest revision is ready.
	ConfigurationsReady = "ConfigurationsReady"
	// RoutesReady is true once the revisions have the shares they should.
	RoutesReady = "RoutesReady"
	// Ready is true once all is as it should be: the terminal one.
	Ready = "Ready"
)

// Stage is one of the stages that a resource goes through. It is over when the
// condition of a type is true.
type Stage struct{ Name, Condition string }

// Progress shows how far a resource has come.
type Progress struct {
	// Tracker shows the stages, which the caller must Close; those that no
	// condition ends come last.
	Tracker *stages.Tracker

	conditions []string // of the first stages
}

// NewProgress shows the stages, and more that only the caller moves, under a
// header.
func NewProgress(e cli.Env, header string, of []Stage, more ...string) *Progress {
	p := &Progress{}
	var names []string
	for _, s := range of {
		names = append(names, s.Name)
		p.conditions = append(p.conditions, s.Condition)
	}
	p.Tracker = stages.New(e, header, append(names, more...)...)
	return p
}

// Show shows how far a resource has come. A stage runs once those before it are
// done.
func (p *Progress) Show(resource Resource) {
	all := append([]*runpb.Condition{resource.GetTerminalCondition()}, resource.GetConditions()...)
	stale := resource.GetObservedGeneration() != resource.GetGeneration()
	for i, kind := range p.conditions {
		c := sheet.Condition(all, kind)
		state := c.GetState()
		if stale && state == runpb.Condition_CONDITION_SUCCEEDED {
			state = runpb.Condition_CONDITION_PENDING // that of the revision before
		}
		switch state {
		case runpb.Condition_CONDITION_SUCCEEDED:
			p.Tracker.Set(i, stages.Done, "")
		case runpb.Condition_CONDITION_FAILED:
			p.Tracker.Set(i, stages.Failed, "")
			return
		default:
			p.Tracker.Set(i, stages.Running, c.GetMessage())
			return
		}
	}
}
