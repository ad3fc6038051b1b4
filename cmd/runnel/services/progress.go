package services

import (
	"context"
	"io"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/services/traffic"
	"runnel/cmd/runnel/sheet"
	"runnel/cmd/runnel/stages"
	"runnel/cmd/runnel/verb"
)

// Types of the conditions of services and revisions.
const (
	configurationsReady = "ConfigurationsReady"
	routesReady         = "RoutesReady"
	conditionActive     = "Active"
)

// progress shows how far a service has come.
type progress struct {
	tracker *stages.Tracker
	kinds   []string // the conditions of the first stages
	access  int      // the stage of the policy, -1 if there is none
}

// newProgress shows the stages of what the words are about.
func (s *submission) newProgress(env cli.Env, w words) *progress {
	p := &progress{access: -1}
	var names []string
	add := func(name, kind string) {
		names = append(names, name)
		p.kinds = append(p.kinds, kind)
	}
	if !w.quiet {
		add("Creating Revision...", configurationsReady)
		if s.changes == nil || !s.changes.NoTraffic() && followsLatest(s.existing) {
			add("Routing traffic...", routesReady)
		}
	}
	if s.open != nil {
		p.access = len(names)
		names = append(names, "Setting IAM Policy...")
	}
	p.tracker = stages.New(env, w.header, names...)
	return p
}

// newRouting shows the one stage of a change of traffic.
func (s *submission) newRouting(w words) *progress {
	env := s.Env
	if s.async {
		env.Stderr, env.Screen = io.Discard, false
	}
	return &progress{tracker: stages.New(env, w.header, "Routing traffic..."), kinds: []string{routesReady}, access: -1}
}

// followsLatest reports whether a new revision of a service gets traffic.
func followsLatest(service *runpb.Service) bool {
	if len(service.GetTraffic()) == 0 {
		return true
	}
	for _, t := range service.GetTraffic() {
		if traffic.Key(t) == traffic.Latest && t.GetPercent() > 0 {
			return true
		}
	}
	return false
}

// show shows how far service has come. A stage runs once those before it are
// done.
func (p *progress) show(service *runpb.Service) {
	stale := service.GetObservedGeneration() != service.GetGeneration()
	for i, kind := range p.kinds {
		c := sheet.Condition(service.GetConditions(), kind)
		state := c.GetState()
		if stale && state == runpb.Condition_CONDITION_SUCCEEDED {
			state = runpb.Condition_CONDITION_PENDING // that of the revision before
		}
		switch state {
		case runpb.Condition_CONDITION_SUCCEEDED:
			p.tracker.Set(i, stages.Done, "")
		case runpb.Condition_CONDITION_FAILED:
			p.tracker.Set(i, stages.Failed, "")
			return
		default:
			p.tracker.Set(i, stages.Running, c.GetMessage())
			return
		}
	}
}

// policy shows how setting the policy has gone.
func (p *progress) policy(err error) {
	if err != nil {
		p.tracker.Set(p.access, stages.Failed, "the policy stays as it was")
		return
	}
	p.tracker.Set(p.access, stages.Done, "")
}

// tell says what has been done and what can be done next.
func (s *submission) tell(ctx context.Context, r *verb.Remote, service *runpb.Service, w words) {
	if w.done != "" {
		s.Say("%s", w.done)
		return
	}
	if s.applied {
		s.Say("New configuration has been applied to service [%s].\nURL: %s", verb.Short(service.GetName()), service.GetUri())
		return
	}
	revision := service.GetLatestReadyRevision()
	percent := latestPercent(service)
	if s.changes != nil && s.changes.NoTraffic() {
		revision, percent = service.GetLatestCreatedRevision(), 0
	}
	s.Say("Service [%s] revision [%s] has been deployed and is serving %d percent of traffic.", verb.Short(service.GetName()), verb.Short(revision), percent)
	if percent > 0 && service.GetUri() != "" {
		s.Say("Service URL: %s", service.GetUri())
	}
	if s.changes != nil {
		if url := tagURL(service, s.changes.Tag()); url != "" {
			s.Say("The revision can be reached directly at %s", url)
		}
	}
	if s.isPrivate(ctx, r, service) {
		s.Say("\nThe service is private. To call it with a token of your own, use:\nrunnel services proxy %s", verb.Short(service.GetName()))
		s.Say("\nTo let everybody call it, use:\nrunnel services add-iam-policy-binding %s --member allUsers --role %s", verb.Short(service.GetName()), invokerRole)
	}
}

// isPrivate reports whether callers from outside need a permission.
func (s *submission) isPrivate(ctx context.Context, r *verb.Remote, service *runpb.Service) bool {
	inside := service.GetIngress() == runpb.IngressTraffic_INGRESS_TRAFFIC_INTERNAL_ONLY || service.GetIngress() == runpb.IngressTraffic_INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER
	if service.GetInvokerIamDisabled() || service.GetDefaultUriDisabled() || inside {
		return false
	}
	p, err := fetchPolicy(ctx, r, service.GetName())
	return err == nil && !p.has(invokerRole, everybody)
}

// latestPercent is the share of the traffic that the latest ready revision has.
func latestPercent(service *runpb.Service) (percent int32) {
	latest := verb.Short(service.GetLatestReadyRevision())
	for _, t := range service.GetTrafficStatuses() {
		if key := traffic.Key(&runpb.TrafficTarget{Type: t.GetType(), Revision: t.GetRevision()}); key == traffic.Latest || key == latest {
			percent += t.GetPercent()
		}
	}
	return percent
}

// tagURL is the URL of a tag, "" if there is none.
func tagURL(service *runpb.Service, tag string) string {
	for _, t := range service.GetTrafficStatuses() {
		if tag != "" && t.GetTag() == tag {
			return t.GetUri()
		}
	}
	return ""
}
