// Package change is what the flags of "runnel deploy" and "runnel services
// update" say about a service: they are read, checked against each other, and
// applied to the service as it is, so that whatever no flag names stays. It is
// pure but for the files of environment variables that flags may name.
package change

import (
	"fmt"
	"slices"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/pflag"
	"google.golang.org/protobuf/types/known/durationpb"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/containers"
	"runnel/cmd/runnel/family"
	"runnel/cmd/runnel/services/traffic"
	"runnel/contract"
)

// defaultValue is what takes a setting back, as gcloud has it.
const defaultValue = "default"

// Flags are those that describe a service. Only those that were given say
// anything.
type Flags struct {
	set        *pflag.FlagSet
	names      []string // of all of them
	containers *containers.Flags

	concurrency, timeout     string
	scaling                  scaling
	throttling, boost        family.Toggle
	affinity, healthCheck    family.Toggle
	noTraffic                bool
	tag, suffix              string
	invokerCheck, defaultURL family.Toggle
	ingress                  string
	serviceAccount           string
	labels                   family.Mapping
	description              string
	audiences                audiences
}

// Register adds the flags to set, which must be parsed before Apply.
func Register(set *pflag.FlagSet) *Flags {
	f := &Flags{set: set}
	f.containers = containers.Register(set, containers.Of{Noun: "service", TakesRequests: true})
	set.StringVar(&f.concurrency, "concurrency", "", "requests that an instance may have at once: 1 to 1000, or default")
	set.StringVar(&f.timeout, "timeout", "", "time for a request: seconds, or a form such as 10m5s; at most 1h")
	f.scaling.register(set)
	f.throttling.Register(set, "cpu-throttling", "an instance has CPU only while it has requests")
	f.boost.Register(set, "cpu-boost", "more CPU while an instance starts; on for new services")
	f.affinity.Register(set, "session-affinity", "requests of a client go to the same instance, as far as possible")
	set.BoolVar(&f.noTraffic, "no-traffic", false, "the new revision gets no traffic, nor do later ones until update-traffic --to-latest")
	set.StringVar(&f.tag, "tag", "", "traffic `tag` that leads to the new revision, at https://TAG---SERVICE...")
	set.StringVar(&f.suffix, "revision-suffix", "", "end of the new revision's name instead of one that is made up")
	f.invokerCheck.Register(set, "invoker-iam-check", "callers must be allowed to invoke the service")
	set.StringVar(&f.ingress, "ingress", "", "where requests may come from: all, internal or internal-and-cloud-load-balancing")
	set.StringVar(&f.serviceAccount, "service-account", "", "service account that the metadata server names")
	f.labels.Register(set, "labels", "labels of the service and its revisions")
	set.StringVar(&f.description, "description", "", "what the service is for, up to 512 characters")
	f.healthCheck.Register(set, "deploy-health-check", "an instance has to start before a revision is ready")
	f.defaultURL.Register(set, "default-url", "the service has its default URL")
	f.audiences.register(set)
	set.VisitAll(func(flag *pflag.Flag) { f.names = append(f.names, flag.Name) })
	return f
}

// Check refuses flags that contradict each other or that no service can hold,
// before a daemon is asked.
func (f *Flags) Check() error {
	for _, check := range []func() error{
		f.containers.Check, f.checkRequests, f.scaling.check, f.checkNames, f.labels.Check, f.audiences.check,
		f.throttling.Check, f.boost.Check, f.affinity.Check, f.healthCheck.Check, f.invokerCheck.Check, f.defaultURL.Check,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// checkRequests reads what bounds requests.
func (f *Flags) checkRequests() error {
	if _, err := f.maxConcurrency(); err != nil {
		return err
	}
	if f.set.Changed("timeout") {
		if _, err := requestTimeout(f.timeout); err != nil {
			return err
		}
	}
	if _, err := ingressOf(f.ingress); err != nil {
		return cli.Usagef("--ingress %s: %v", f.ingress, err)
	}
	return nil
}

// checkNames reads what becomes part of a name.
func (f *Flags) checkNames() error {
	for name, value := range map[string]string{"tag": f.tag, "revision-suffix": f.suffix} {
		if f.set.Changed(name) && !contract.IsLabel(value) {
			return cli.Usagef("--%s %s: want lower-case letters, digits and hyphens", name, value)
		}
	}
	if n := len([]rune(f.description)); n > contract.MaxDescription {
		return cli.Usagef("--description: has %d characters: want at most %d", n, contract.MaxDescription)
	}
	return nil
}

// Given reports whether any of the flags was.
func (f *Flags) Given() bool {
	return slices.ContainsFunc(f.names, f.set.Changed)
}

// Containers are the flags about the containers of an instance.
func (f *Flags) Containers() *containers.Flags { return f.containers }

// NoTraffic reports whether the new revision is to get none.
func (f *Flags) NoTraffic() bool { return f.noTraffic }

// Tag is the tag of the new revision, "" if it gets none.
func (f *Flags) Tag() string { return f.tag }

// Public reports whether the flags say that nobody needs a permission.
func (f *Flags) Public() bool { return f.invokerCheck.Given() && !f.invokerCheck.On }

// Apply changes service as the flags say, which Check has found in order; it is
// a new one if it has no generation. A revision that has to have a name by now
// gets it from newName. A UsageError says what cannot be done to this service.
func (f *Flags) Apply(service *runpb.Service, newName func() string) error {
	if service.Template == nil {
		service.Template = &runpb.RevisionTemplate{}
	}
	t := service.Template
	if err := f.applyTemplate(t); err != nil {
		return err
	}
	f.applyCPU(t, service.GetGeneration() == 0)
	f.scaling.apply(service)
	if err := f.applyService(service); err != nil {
		return err
	}
	id := service.GetName()[strings.LastIndexByte(service.GetName(), '/')+1:]
	switch {
	case f.suffix != "":
		t.Revision = id + "-" + f.suffix
	case f.tag != "":
		t.Revision = newName()
	default:
		t.Revision = "" // that of the revision before
	}
	return f.applyTraffic(service)
}

// applyTemplate changes what every instance of the next revision has in common.
func (f *Flags) applyTemplate(t *runpb.RevisionTemplate) (err error) {
	if t.Containers, err = f.containers.Apply(t.GetContainers()); err != nil {
		return err
	}
	if f.set.Changed("concurrency") {
		if t.MaxInstanceRequestConcurrency, err = f.maxConcurrency(); err != nil {
			return err
		}
	}
	if f.set.Changed("timeout") {
		if t.Timeout, err = requestTimeout(f.timeout); err != nil {
			return err
		}
	}
	if f.set.Changed("service-account") {
		t.ServiceAccount = f.serviceAccount
	}
	if f.affinity.Given() {
		t.SessionAffinity = f.affinity.On
	}
	if f.healthCheck.Given() {
		t.HealthCheckDisabled = !f.healthCheck.On
	}
	t.Volumes, err = f.containers.ApplyVolumes(t.GetVolumes())
	return err
}

// applyService changes what makes no revision.
func (f *Flags) applyService(service *runpb.Service) (err error) {
	if f.labels.Given() != "" {
		service.Labels = f.labels.Apply(service.Labels)
		service.Template.Labels = f.labels.Apply(service.Template.Labels)
	}
	if f.set.Changed("description") {
		service.Description = f.description
	}
	if f.set.Changed("ingress") {
		if service.Ingress, err = ingressOf(f.ingress); err != nil {
			return err
		}
	}
	if f.invokerCheck.Given() {
		service.InvokerIamDisabled = !f.invokerCheck.On
	}
	if f.defaultURL.Given() {
		service.DefaultUriDisabled = !f.defaultURL.On
	}
	service.CustomAudiences = f.audiences.apply(service.GetCustomAudiences())
	return nil
}

// applyTraffic changes where requests go once the next revision is there.
func (f *Flags) applyTraffic(service *runpb.Service) error {
	if f.noTraffic {
		ready := service.GetLatestReadyRevision()
		if ready == "" {
			return cli.Usagef("--no-traffic: the service has no revision yet that could keep the traffic")
		}
		service.Traffic = traffic.PinLatest(service.GetTraffic(), ready[strings.LastIndexByte(ready, '/')+1:])
	}
	if f.tag != "" {
		service.Traffic = traffic.SetTags(service.GetTraffic(), map[string]string{f.tag: service.GetTemplate().GetRevision()}, nil, false)
	}
	return nil
}

// maxConcurrency reads --concurrency, 0 for default.
func (f *Flags) maxConcurrency() (int32, error) {
	n, err := number(f.concurrency, 1, contract.MaxConcurrency)
	if err != nil {
		return 0, cli.Usagef("--concurrency %s: %v", f.concurrency, err)
	}
	return n, nil
}

// requestTimeout reads --timeout.
func requestTimeout(value string) (*durationpb.Duration, error) {
	d, err := contract.ParseDuration(value)
	if err != nil {
		return nil, cli.Usagef("--timeout: %v", err)
	}
	if d < contract.MinRequestTimeout || d > contract.MaxRequestTimeout {
		return nil, cli.Usagef("--timeout %s: want %d to %d seconds", value, int(contract.MinRequestTimeout.Seconds()), int(contract.MaxRequestTimeout.Seconds()))
	}
	return durationpb.New(d), nil
}

// ingresses are the values of --ingress.
func ingresses() map[string]runpb.IngressTraffic {
	return map[string]runpb.IngressTraffic{
		"":                                  runpb.IngressTraffic_INGRESS_TRAFFIC_UNSPECIFIED,
		"all":                               runpb.IngressTraffic_INGRESS_TRAFFIC_ALL,
		"internal":                          runpb.IngressTraffic_INGRESS_TRAFFIC_INTERNAL_ONLY,
		"internal-and-cloud-load-balancing": runpb.IngressTraffic_INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER,
	}
}

// ingressOf reads a value of --ingress.
func ingressOf(value string) (runpb.IngressTraffic, error) {
	ingress, ok := ingresses()[value]
	if !ok {
		return 0, fmt.Errorf("want all, internal or internal-and-cloud-load-balancing")
	}
	return ingress, nil
}

// IngressName is a value as --ingress has it.
func IngressName(ingress runpb.IngressTraffic) string {
	for name, value := range ingresses() {
		if value == ingress && name != "" {
			return name
		}
	}
	return "all"
}
