package v1

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"runnel/api"
)

// Annotations of services and of their revisions that are fields in v2.
// Source: run.v1 discovery document, ObjectMeta.annotations.
const (
	ingressKey     = domain + "ingress"
	descriptionKey = domain + "description"
	audiencesKey   = domain + "custom-audiences"
	openKey        = domain + "invoker-iam-disabled"
	noURLKey       = domain + "default-url-disabled"
	iapKey         = domain + "iap-enabled"
	minTotalKey    = domain + "minScale"
	maxTotalKey    = domain + "maxScale"
	modeKey        = domain + "scalingMode"
	manualKey      = domain + "manualInstanceCount"

	minScaleKey   = "autoscaling.knative.dev/minScale"
	maxScaleKey   = "autoscaling.knative.dev/maxScale"
	affinityKey   = domain + "sessionAffinity"
	unprobedKey   = domain + "health-check-disabled"
	meshKey       = domain + "mesh"
	revocationKey = domain + "post-key-revocation-action-type"
	shutdownKey   = domain + "encryption-key-shutdown-hours"

	// A server writes these.
	operationKey       = domain + "operation-id"
	ingressStatusKey   = domain + "ingress-status"
	urlsKey            = domain + "urls"
	servingCreatorKey  = "serving.knative.dev/creator"
	servingModifierKey = "serving.knative.dev/lastModifier"
)

// liftService moves what v1 says in annotations to the fields of service. What
// only a server sets is dropped later, what is not known is kept.
func liftService(service *runpb.Service) api.FieldErrors {
	var l lifter
	l.each("metadata.annotations", service.Annotations, func(k, v string) (bool, error) { return liftServiceKey(service, k, v) })
	if proto.Equal(service.Scaling, &runpb.ServiceScaling{}) {
		service.Scaling = nil
	}
	t := service.Template
	if t == nil {
		return l.errs
	}
	cpu := newCPUReader(t.GetContainers())
	l.each(templateMetadata+".annotations", t.Annotations, func(k, v string) (bool, error) {
		if known, err := cpu.lift(k, v); known {
			return true, err
		}
		return liftRevisionKey(t, k, v)
	})
	cpu.apply()
	if proto.Equal(t.Scaling, &runpb.RevisionScaling{}) {
		t.Scaling = nil
	}
	return l.errs
}

// liftServiceKey reads an annotation of the service itself.
func liftServiceKey(s *runpb.Service, k, v string) (known bool, err error) {
	h := header{&s.LaunchStage, &s.Client, &s.ClientVersion, &s.BinaryAuthorization}
	if known, err := h.lift(k, v); known {
		return true, err
	}
	switch k {
	case ingressKey:
		s.Ingress, err = parseIngress(v)
	case descriptionKey:
		s.Description = v
	case audiencesKey:
		if json.Unmarshal([]byte(v), &s.CustomAudiences) != nil {
			err = fmt.Errorf("%q is not a JSON list of texts", v)
		}
	case openKey:
		s.InvokerIamDisabled, err = parseBool(v)
	case noURLKey:
		s.DefaultUriDisabled, err = parseBool(v)
	case iapKey:
		s.IapEnabled, err = parseBool(v)
	case minTotalKey, maxTotalKey, modeKey, manualKey:
		if s.Scaling == nil {
			s.Scaling = &runpb.ServiceScaling{}
		}
		err = liftServiceScaling(s.Scaling, k, v)
	default:
		return false, nil
	}
	return true, err
}

// liftServiceScaling reads an annotation about how many instances a service
// has, over all its revisions.
func liftServiceScaling(scaling *runpb.ServiceScaling, k, v string) (err error) {
	switch k {
	case minTotalKey:
		scaling.MinInstanceCount, err = parseCount(v)
	case maxTotalKey:
		scaling.MaxInstanceCount, err = parseCount(v)
	case manualKey:
		var n int32
		if n, err = parseCount(v); err == nil {
			scaling.ManualInstanceCount = &n
		}
	default:
		switch strings.ToLower(v) {
		case "automatic":
			scaling.ScalingMode = runpb.ServiceScaling_AUTOMATIC
		case "manual":
			scaling.ScalingMode = runpb.ServiceScaling_MANUAL
		default:
			err = fmt.Errorf("%q is not a scaling mode: want automatic or manual", v)
		}
	}
	return err
}

// liftRevisionKey reads an annotation of the template.
func liftRevisionKey(t *runpb.RevisionTemplate, k, v string) (known bool, err error) {
	p := place{&t.ExecutionEnvironment, &t.EncryptionKey, &t.VpcAccess, &t.GpuZonalRedundancyDisabled}
	if known, err := p.lift(k, v); known {
		return true, err
	}
	switch k {
	case minScaleKey, maxScaleKey:
		if t.Scaling == nil {
			t.Scaling = &runpb.RevisionScaling{}
		}
		to := &t.Scaling.MinInstanceCount
		if k == maxScaleKey {
			to = &t.Scaling.MaxInstanceCount
		}
		*to, err = parseCount(v)
	case affinityKey:
		t.SessionAffinity, err = parseBool(v)
	case unprobedKey:
		t.HealthCheckDisabled, err = parseBool(v)
	case dependenciesKey:
		err = liftDependencies(t.GetContainers(), v)
	case meshKey:
		t.ServiceMesh = &runpb.ServiceMesh{Mesh: v}
	case revocationKey, shutdownKey:
		err = liftRevocation(t, k, v)
	case cloudSQLKey:
		err = errCloudSQL
	case secretsKey:
		err = errSecrets
	case clientNameKey, clientVersionKey:
		// The service's own say the same.
	default:
		return false, nil
	}
	return true, err
}

// liftDependencies reads which containers start after which: a JSON object of
// lists, by the container that waits.
func liftDependencies(containers []*runpb.Container, v string) error {
	var all map[string][]string
	if json.Unmarshal([]byte(v), &all) != nil {
		return fmt.Errorf("%q is not a JSON object of containers' names: want one such as {\"app\":[\"proxy\"]}", v)
	}
	for _, c := range containers {
		c.DependsOn = all[c.GetName()]
		delete(all, c.GetName())
	}
	if len(all) > 0 {
		return fmt.Errorf("there is no container %q", slices.Min(slices.Collect(maps.Keys(all))))
	}
	return nil
}

// liftRevocation reads what is to happen once the encryption key is revoked.
func liftRevocation(t *runpb.RevisionTemplate, k, v string) error {
	if k == shutdownKey {
		hours, err := parseCount(v)
		if err == nil {
			t.EncryptionKeyShutdownDuration = durationpb.New(time.Duration(hours) * time.Hour)
		}
		return err
	}
	switch v {
	case "prevent-new":
		t.EncryptionKeyRevocationAction = runpb.EncryptionKeyRevocationAction_PREVENT_NEW
	case "shut-down":
		t.EncryptionKeyRevocationAction = runpb.EncryptionKeyRevocationAction_SHUTDOWN
	default:
		return fmt.Errorf("%q is not accepted: want prevent-new or shut-down", v)
	}
	return nil
}

// ingresses are the values of an annotation, by those of v2.
var ingresses = map[runpb.IngressTraffic]string{
	runpb.IngressTraffic_INGRESS_TRAFFIC_ALL:                    "all",
	runpb.IngressTraffic_INGRESS_TRAFFIC_INTERNAL_ONLY:          "internal",
	runpb.IngressTraffic_INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER: "internal-and-cloud-load-balancing",
	runpb.IngressTraffic_INGRESS_TRAFFIC_NONE:                   "none",
}

func parseIngress(v string) (runpb.IngressTraffic, error) {
	for ingress, text := range ingresses {
		if text == v {
			return ingress, nil
		}
	}
	return 0, fmt.Errorf("%q is not accepted: want all, internal, internal-and-cloud-load-balancing or none", v)
}

// parseCount reads a number of instances or hours.
func parseCount(v string) (int32, error) {
	n, err := strconv.ParseInt(v, 10, 32)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is not a whole number of 0 or more", v)
	}
	return int32(n), nil
}
