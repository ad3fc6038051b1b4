package control

import (
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"

	"runnel/api"
)

// Names of requests about services, as errors write them.
const (
	createServiceRequest = "CreateServiceRequest"
	updateServiceRequest = "UpdateServiceRequest"
)

// wantedService is the part of a service that a client may set. It shares what
// it has with the service.
func wantedService(s *runpb.Service) *runpb.Service {
	return &runpb.Service{
		Description:         s.GetDescription(),
		Labels:              s.GetLabels(),
		Annotations:         s.GetAnnotations(),
		Client:              s.GetClient(),
		ClientVersion:       s.GetClientVersion(),
		Ingress:             s.GetIngress(),
		LaunchStage:         s.GetLaunchStage(),
		BinaryAuthorization: s.GetBinaryAuthorization(),
		Template:            s.GetTemplate(),
		Traffic:             s.GetTraffic(),
		Scaling:             s.GetScaling(),
		InvokerIamDisabled:  s.GetInvokerIamDisabled(),
		DefaultUriDisabled:  s.GetDefaultUriDisabled(),
		IapEnabled:          s.GetIapEnabled(),
		MultiRegionSettings: s.GetMultiRegionSettings(),
		CustomAudiences:     s.GetCustomAudiences(),
		BuildConfig:         s.GetBuildConfig(),
	}
}

// sameServiceDesire reports whether two services want the same, whoever wants
// it.
func sameServiceDesire(a, b *runpb.Service) bool {
	a, b = wantedService(a), wantedService(b)
	a.Client, a.ClientVersion, b.Client, b.ClientVersion = "", "", "", ""
	return proto.Equal(a, b)
}

// sameTemplate reports whether a template asks for no other revision than the
// one called latest, which was made from the old one.
func sameTemplate(old, next *runpb.RevisionTemplate, latest string) bool {
	if next.GetRevision() != "" && next.GetRevision() != latest {
		return false
	}
	old, next = proto.CloneOf(old), proto.CloneOf(next)
	old.Revision, next.Revision = "", ""
	return proto.Equal(old, next)
}

// wantsService returns what a request wants of the service called n.
func (c *Control) wantsService(n name, from *runpb.Service, mask []string, request string) func(old *runpb.Service) (*runpb.Service, error) {
	return func(old *runpb.Service) (*runpb.Service, error) {
		s, err := merged(old, from, old != nil, mask, wantedService)
		if err != nil {
			return nil, err
		}
		s.Name = n.String()
		return s, c.completeService(s, request)
	}
}

// completeService checks a service that a request asks for and fills in what it
// leaves out. Paths of errors are those of the request's field "service".
func (c *Control) completeService(s *runpb.Service, request string) error {
	translate := func(path string) string {
		if path == "name" && request == createServiceRequest {
			return "serviceId"
		}
		return "service." + path
	}
	if err := api.ValidateService(s); err != nil {
		return invalidResource(err, request, translate)
	}
	if err := checkContainers(s.GetTemplate().GetContainers(), request, translate); err != nil {
		return err
	}
	if _, err := proto.Marshal(s); err != nil {
		return violation("service", "holds text that is not UTF-8")
	}
	api.DefaultService(s)
	if s.Template.GetServiceAccount() == "" {
		s.Template.ServiceAccount = c.config.ServiceAccount
	}
	return nil
}

// checkContainers says whether the images of a template's containers can be had
// as they are written.
func checkContainers(all []*runpb.Container, request string, translate func(path string) string) error {
	for i, k := range all {
		if err := checkImage(k.GetImage()); err != nil {
			return invalid(request, api.FieldErrors{{Path: translate(containerPath(i) + ".image"), Message: err.Error()}})
		}
	}
	return nil
}
