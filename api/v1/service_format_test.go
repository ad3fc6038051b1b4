package v1_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	v1 "runnel/api/v1"
)

// contract: REV-3 REV-8 TR-1
func TestServicesAreWrittenAsV1HasThem(t *testing.T) {
	t.Parallel()
	o := v1.Options{Namespace: number}
	var (
		service  runpb.Service
		revision runpb.Revision
	)
	for _, tt := range []struct {
		name, from string
		m          proto.Message
		format     func() any
	}{
		{"service", "service", &service, func() any { return v1.FormatService(&service, o) }},
		{"configuration", "service", &service, func() any { return v1.FormatConfiguration(&service, o) }},
		{"route", "service", &service, func() any { return v1.FormatRoute(&service, o) }},
		{"revision", "revision", &revision, func() any { return v1.FormatRevision(&revision, o) }},
	} {
		if err := protojson.Unmarshal(read(t, tt.from+".v2.json"), tt.m); err != nil {
			t.Fatal(err)
		}
		got := indented(t, tt.format())
		if want := read(t, tt.name+".v1.golden.json"); !bytes.Equal(got, want) {
			t.Errorf("the %s is written as\n%s\nwant\n%s", tt.name, got, want)
		}
	}
}

func TestAServiceBeingDeletedDoesNotFail(t *testing.T) {
	t.Parallel()
	s := &runpb.Service{
		Uid: "u", TerminalCondition: &runpb.Condition{Type: "Ready", State: runpb.Condition_CONDITION_FAILED},
		Conditions: []*runpb.Condition{{Type: "RoutesReady", State: runpb.Condition_CONDITION_FAILED}},
	}
	for _, tt := range []struct {
		deleted *timestamppb.Timestamp
		want    string
	}{{nil, "False False"}, {timestamppb.Now(), "Unknown Unknown"}} {
		s.DeleteTime = tt.deleted
		c := v1.FormatService(s, v1.Options{}).Status.Conditions
		if got := c[0].Status + " " + c[1].Status; got != tt.want {
			t.Errorf("deleted at %v: %s, want %s", tt.deleted, got, tt.want)
		}
	}
}

// A name that somebody has chosen says nothing about the generation.
func TestTheGenerationIsThatOfTheName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"s-00012-abc": "12", "s-123456-abc": "123456", "s-v2": "", "s-00012": "", "s-0a012-x": "", "s-2024-01": "", "other-00012-abc": ""} {
		r := v1.FormatRevision(&runpb.Revision{Name: "projects/p/locations/l/services/s/revisions/" + name}, v1.Options{})
		if got := r.Metadata.Labels["serving.knative.dev/configurationGeneration"]; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		if got := r.Metadata.Labels["serving.knative.dev/service"]; got != "s" {
			t.Errorf("%s is one of %q", name, got)
		}
	}
}

// v1 says once for all containers what v2 says for each.
//
// contract: CPU-5 CPU-9
func TestContainersKeepTheirCPU(t *testing.T) {
	t.Parallel()
	for idle := range 8 {
		for boost := range 8 {
			s := &runpb.Service{Name: "s", Template: &runpb.RevisionTemplate{}}
			for i := range 3 {
				s.Template.Containers = append(s.Template.Containers, &runpb.Container{
					Name: fmt.Sprint("c", i), Image: "x",
					Resources: &runpb.ResourceRequirements{CpuIdle: idle>>i&1 == 1, StartupCpuBoost: boost>>i&1 == 1},
				})
			}
			s.Template.Containers[1].Ports = []*runpb.ContainerPort{{ContainerPort: 1}}
			text, err := json.Marshal(v1.FormatService(s, v1.Options{}))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := v1.ParseService(text); err != nil || !proto.Equal(got, s) {
				t.Errorf("%v\nis\n%s\nand again\n%v, %v", s, text, got, err)
			}
		}
	}
}

// Resources that are absent altogether are throttled, and stay so.
func TestCPUIsThrottledWhereNothingSaysOtherwise(t *testing.T) {
	t.Parallel()
	s := &runpb.Service{Template: &runpb.RevisionTemplate{Containers: []*runpb.Container{{Image: "x"}}}}
	if got := v1.FormatService(s, v1.Options{}).Spec.Template.Metadata.Annotations; len(got) != 0 {
		t.Errorf("annotations = %v", got)
	}
	s.Template.Containers[0].Resources = &runpb.ResourceRequirements{}
	if got := v1.FormatService(s, v1.Options{}).Spec.Template.Metadata.Annotations["run.googleapis.com/cpu-throttling"]; got != "false" {
		t.Errorf("cpu-throttling = %q, want false", got)
	}
}

// The probe that was filled in follows the port; one that somebody asked for
// does not.
//
// contract: HC-1
func TestTheProbeThatWasFilledInFollowsThePort(t *testing.T) {
	t.Parallel()
	var s runpb.Service
	if err := protojson.Unmarshal(read(t, "service.v2.json"), &s); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		change func(*runpb.Probe)
		kept   bool
	}{
		"filled in":   {func(*runpb.Probe) {}, false},
		"other delay": {func(p *runpb.Probe) { p.InitialDelaySeconds = 1 }, true},
		"other times": {func(p *runpb.Probe) { p.FailureThreshold = 2 }, true},
		"other port":  {func(p *runpb.Probe) { p.GetTcpSocket().Port = 8081 }, true},
		"other kind":  {func(p *runpb.Probe) { p.ProbeType = &runpb.Probe_HttpGet{HttpGet: &runpb.HTTPGetAction{Port: 8080}} }, true},
	} {
		changed := proto.CloneOf(&s)
		tt.change(changed.Template.Containers[0].StartupProbe)
		text, err := json.Marshal(v1.FormatService(changed, v1.Options{}))
		if err != nil {
			t.Fatal(err)
		}
		got, err := v1.ParseService(text)
		if err != nil {
			t.Fatal(err)
		}
		if probe := got.Template.Containers[0].StartupProbe; (probe != nil) != tt.kept {
			t.Errorf("%s: read again, it is %v", name, probe)
		}
		if len(got.Template.Annotations) != 0 || len(got.Template.Labels) != 1 {
			t.Errorf("%s: labels %v, annotations %v", name, got.Template.Labels, got.Template.Annotations)
		}
	}
}
