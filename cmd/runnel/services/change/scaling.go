package change

import (
	"fmt"
	"math"
	"strconv"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/pflag"

	"runnel/cmd/runnel/cli"
)

// scaling are the flags that bound how many instances there are: of each
// revision, and of the service.
type scaling struct {
	set                        *pflag.FlagSet
	minInstances, maxInstances string
	min, max, mode             string
}

// register adds the flags to set.
func (s *scaling) register(set *pflag.FlagSet) {
	s.set = set
	set.StringVar(&s.minInstances, "min-instances", "", "instances that each revision keeps at least, or default")
	set.StringVar(&s.maxInstances, "max-instances", "", "instances that each revision has at most, or default")
	set.StringVar(&s.min, "min", "", "instances that the service keeps at least, shared by its revisions, or default")
	set.StringVar(&s.max, "max", "", "instances that the service has at most, shared by its revisions, or default")
	set.StringVar(&s.mode, "scaling", "", "`N` instances of the service whatever its load, or auto")
}

// check reads the flags.
func (s *scaling) check() error {
	for name, value := range map[string]string{"min-instances": s.minInstances, "min": s.min} {
		if _, err := number(value, 0, math.MaxInt32); err != nil {
			return cli.Usagef("--%s %s: %v", name, value, err)
		}
	}
	for name, value := range map[string]string{"max-instances": s.maxInstances, "max": s.max} {
		if _, err := number(value, 1, math.MaxInt32); err != nil {
			return cli.Usagef("--%s %s: %v", name, value, err)
		}
	}
	if _, err := s.manual(); err != nil {
		return err
	}
	for _, pair := range [][4]string{{"min-instances", s.minInstances, "max-instances", s.maxInstances}, {"min", s.min, "max", s.max}} {
		least, _ := number(pair[1], 0, math.MaxInt32)
		if most, _ := number(pair[3], 0, math.MaxInt32); most > 0 && least > most {
			return cli.Usagef("--%s %s: is more than --%s %s", pair[0], pair[1], pair[2], pair[3])
		}
	}
	if n, _ := s.manual(); n != nil && (s.min != "" || s.max != "") {
		return cli.Usagef("--scaling %s: cannot stand beside --min or --max", s.mode)
	}
	return nil
}

// manual reads --scaling, nil for auto.
func (s *scaling) manual() (*int32, error) {
	if s.mode == "" || s.mode == "auto" {
		return nil, nil
	}
	n, err := number(s.mode, 0, math.MaxInt32)
	if err != nil || s.mode == defaultValue {
		return nil, cli.Usagef("--scaling %s: want a number of instances, or auto", s.mode)
	}
	return &n, nil
}

// apply changes service as the flags say, which check has found in order.
func (s *scaling) apply(service *runpb.Service) {
	if s.set.Changed("min-instances") || s.set.Changed("max-instances") {
		t := service.GetTemplate()
		if t.Scaling == nil {
			t.Scaling = &runpb.RevisionScaling{}
		}
		s.setBound(&t.Scaling.MinInstanceCount, "min-instances", s.minInstances)
		s.setBound(&t.Scaling.MaxInstanceCount, "max-instances", s.maxInstances)
	}
	if !s.set.Changed("min") && !s.set.Changed("max") && !s.set.Changed("scaling") {
		return
	}
	if service.Scaling == nil {
		service.Scaling = &runpb.ServiceScaling{}
	}
	s.setBound(&service.Scaling.MinInstanceCount, "min", s.min)
	s.setBound(&service.Scaling.MaxInstanceCount, "max", s.max)
	if !s.set.Changed("scaling") {
		return
	}
	service.Scaling.ScalingMode = runpb.ServiceScaling_AUTOMATIC
	service.Scaling.ManualInstanceCount, _ = s.manual()
	if service.Scaling.ManualInstanceCount != nil {
		service.Scaling.ScalingMode = runpb.ServiceScaling_MANUAL
		service.Scaling.MinInstanceCount, service.Scaling.MaxInstanceCount = 0, 0
	}
}

// setBound sets a bound if its flag was given.
func (s *scaling) setBound(bound *int32, flag, value string) {
	if s.set.Changed(flag) {
		*bound, _ = number(value, 0, math.MaxInt32)
	}
}

// number reads a whole number of at least low and at most high; nothing and
// default are 0.
func number(text string, low, high int64) (int32, error) {
	if text == "" || text == defaultValue {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	switch {
	case err == nil && n >= low && n <= high:
		return int32(n), nil
	case high == math.MaxInt32:
		return 0, fmt.Errorf("want a whole number, %d or more, or default", low)
	}
	return 0, fmt.Errorf("want %d to %d, or default", low, high)
}
