package v1

import (
	"strconv"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	apipb "google.golang.org/genproto/googleapis/api"
)

// serviceAnnotations are the fields of s that v1 keeps in its annotations.
func (o Options) serviceAnnotations(s *runpb.Service) texts {
	a := texts{}
	a.header(s)
	a.set(ingressKey, ingresses[s.GetIngress()])
	a.set(descriptionKey, s.GetDescription())
	if audiences := s.GetCustomAudiences(); len(audiences) > 0 {
		a[audiencesKey] = jsonText(audiences)
	}
	a.flag(openKey, s.GetInvokerIamDisabled())
	a.flag(noURLKey, s.GetDefaultUriDisabled())
	a.flag(iapKey, s.GetIapEnabled())
	a.scaling(s.GetScaling())
	if o.Export {
		return a
	}
	a.set(ingressStatusKey, ingresses[s.GetIngress()])
	if urls := s.GetUrls(); len(urls) > 0 {
		a[urlsKey] = jsonText(urls)
	}
	a.set(clientNameKey, s.GetClient())
	a.set(clientVersionKey, s.GetClientVersion())
	a.set(servingCreatorKey, s.GetCreator())
	a.set(servingModifierKey, s.GetLastModifier())
	a.set(operationKey, o.operation)
	return a
}

// scaling adds how many instances a service has over all its revisions.
func (t texts) scaling(s *runpb.ServiceScaling) {
	t.count(minTotalKey, s.GetMinInstanceCount())
	t.count(maxTotalKey, s.GetMaxInstanceCount())
	switch s.GetScalingMode() {
	case runpb.ServiceScaling_AUTOMATIC:
		t[modeKey] = "automatic"
	case runpb.ServiceScaling_MANUAL:
		t[modeKey] = "manual"
	}
	if s != nil && s.ManualInstanceCount != nil {
		t[manualKey] = strconv.Itoa(int(s.GetManualInstanceCount()))
	}
}

// revisionAnnotations are the fields of t that v1 keeps in the annotations of
// the revision, or of its template.
func revisionAnnotations(t *runpb.RevisionTemplate) texts {
	a := texts{}
	a.place(t)
	if t != nil && t.GpuZonalRedundancyDisabled != nil {
		a[zonalKey] = strconv.FormatBool(t.GetGpuZonalRedundancyDisabled())
	}
	a.count(minScaleKey, t.GetScaling().GetMinInstanceCount())
	a.count(maxScaleKey, t.GetScaling().GetMaxInstanceCount())
	a.flag(affinityKey, t.GetSessionAffinity())
	a.flag(unprobedKey, t.GetHealthCheckDisabled())
	a.set(meshKey, t.GetServiceMesh().GetMesh())
	a.cpu(t.GetContainers())
	dependencies := map[string][]string{}
	for _, c := range t.GetContainers() {
		if len(c.GetDependsOn()) > 0 {
			dependencies[c.GetName()] = c.GetDependsOn()
		}
	}
	if len(dependencies) > 0 {
		a[dependenciesKey] = jsonText(dependencies)
	}
	switch t.GetEncryptionKeyRevocationAction() {
	case runpb.EncryptionKeyRevocationAction_PREVENT_NEW:
		a[revocationKey] = "prevent-new"
	case runpb.EncryptionKeyRevocationAction_SHUTDOWN:
		a[revocationKey] = "shut-down"
	}
	if d := t.GetEncryptionKeyShutdownDuration(); d != nil {
		a[shutdownKey] = strconv.Itoa(int(d.AsDuration() / time.Hour))
	}
	return a
}

// header adds what jobs and services both have about themselves.
func (t texts) header(r interface {
	GetLaunchStage() apipb.LaunchStage
	GetBinaryAuthorization() *runpb.BinaryAuthorization
}) {
	if r.GetLaunchStage() != apipb.LaunchStage_LAUNCH_STAGE_UNSPECIFIED {
		t[launchStageKey] = r.GetLaunchStage().String()
	}
	b := r.GetBinaryAuthorization()
	t.set(breakglassKey, b.GetBreakglassJustification())
	t.set(binauthzKey, b.GetPolicy())
	if b.GetUseDefault() {
		t[binauthzKey] = "default"
	}
}

// place adds what the templates of tasks and revisions both have about where
// instances run.
func (t texts) place(r interface {
	GetExecutionEnvironment() runpb.ExecutionEnvironment
	GetEncryptionKey() string
	GetVpcAccess() *runpb.VpcAccess
}) {
	switch r.GetExecutionEnvironment() {
	case runpb.ExecutionEnvironment_EXECUTION_ENVIRONMENT_GEN1:
		t[environmentKey] = "gen1"
	case runpb.ExecutionEnvironment_EXECUTION_ENVIRONMENT_GEN2:
		t[environmentKey] = "gen2"
	}
	t.set(encryptionKey, r.GetEncryptionKey())
	t.vpc(r.GetVpcAccess())
}

// flag adds what holds.
func (t texts) flag(k string, holds bool) {
	if holds {
		t[k] = "true"
	}
}

// count adds a number other than 0.
func (t texts) count(k string, n int32) {
	if n != 0 {
		t[k] = strconv.Itoa(int(n))
	}
}
