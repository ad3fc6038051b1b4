package services

import (
	"context"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/cmd/runnel/release"
	"runnel/cmd/runnel/services/traffic"
	"runnel/cmd/runnel/shares"
	"runnel/cmd/runnel/stages"
	"runnel/cmd/runnel/verb"
)

// kind is how services are spoken of.
var kind = release.Kind{Title: "Service", Verbs: servicesOf}

// routing is the stage in which revisions get their shares.
var routing = release.Stage{Name: "Routing traffic...", Condition: release.RoutesReady}

// progress shows how far a service has come.
type progress struct {
	*release.Progress
	access int // the stage of the policy, -1 if there is none
}

// newProgress shows the stages of what the words are about.
func (s *submission) newProgress(w release.Words) *progress {
	var all []release.Stage
	if !w.Quiet {
		all = append(all, release.Stage{Name: "Creating Revision...", Condition: release.ConfigurationsReady})
		if s.changes == nil || !s.changes.NoTraffic() && followsLatest(s.existing) {
			all = append(all, routing)
		}
	}
	p := &progress{access: -1}
	var more []string
	if s.open != nil {
		p.access, more = len(all), []string{"Setting IAM Policy..."}
	}
	p.Progress = release.NewProgress(release.Surroundings(s.Env, s.async), w.Header, all, more...)
	return p
}

// newRouting shows the one stage of a change of traffic.
func (s *submission) newRouting(w release.Words) *progress {
	return &progress{release.NewProgress(release.Surroundings(s.Env, s.async), w.Header, []release.Stage{routing}), -1}
}

// followsLatest reports whether a new revision of a service gets traffic.
func followsLatest(service *runpb.Service) bool {
	if len(service.GetTraffic()) == 0 {
		return true
	}
	for _, t := range service.GetTraffic() {
		if traffic.Key(t) == shares.Latest && t.GetPercent() > 0 {
			return true
		}
	}
	return false
}

// policy shows how setting the policy has gone.
func (p *progress) policy(err error) {
	if err != nil {
		p.Tracker.Set(p.access, stages.Failed, "the policy stays as it was")
		return
	}
	p.Tracker.Set(p.access, stages.Done, "")
}

// tell says what has been done and what can be done next.
func (s *submission) tell(ctx context.Context, r *verb.Remote, service *runpb.Service, w release.Words) {
	if w.Done != "" {
		s.Say("%s", w.Done)
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
		if key := traffic.Key(&runpb.TrafficTarget{Type: t.GetType(), Revision: t.GetRevision()}); key == shares.Latest || key == latest {
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
