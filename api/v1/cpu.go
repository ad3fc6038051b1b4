package v1

import (
	"encoding/json"
	"fmt"
	"slices"

	"cloud.google.com/go/run/apiv2/runpb"
)

// v1 says once for all containers of a revision when they have CPU; v2 says it
// for each. Where they differ, the annotation is what holds for the ingress
// container, and another, which only Runnel knows, names the containers for
// which the contrary does: a JSON list.
const (
	unlikeThrottling = "v2.runnel/cpu-throttling-unlike"
	unlikeBoost      = "v2.runnel/startup-cpu-boost-unlike"
)

// cpuReader collects these annotations.
type cpuReader struct {
	containers []*runpb.Container
	// idle and boost are for all but those that are named.
	idle, boost             bool
	unlikeIdle, unlikeBoost []string
}

// newCPUReader begins with what holds where there is no annotation.
func newCPUReader(containers []*runpb.Container) *cpuReader {
	return &cpuReader{containers: containers, idle: true}
}

func (r *cpuReader) lift(k, v string) (known bool, err error) {
	switch k {
	case throttlingKey:
		r.idle, err = parseBool(v)
	case boostKey:
		r.boost, err = parseBool(v)
	case unlikeThrottling:
		r.unlikeIdle, err = r.parseNames(v)
	case unlikeBoost:
		r.unlikeBoost, err = r.parseNames(v)
	default:
		return false, nil
	}
	return true, err
}

func (r *cpuReader) parseNames(v string) (names []string, err error) {
	if json.Unmarshal([]byte(v), &names) != nil {
		return nil, fmt.Errorf("%q is not a JSON list of containers' names", v)
	}
	for _, name := range names {
		if !slices.ContainsFunc(r.containers, func(c *runpb.Container) bool { return c.GetName() == name }) {
			return nil, fmt.Errorf("there is no container %q", name)
		}
	}
	return names, nil
}

// apply sets the fields of all containers. In v2, resources that do not say so
// are not throttled.
func (r *cpuReader) apply() {
	for _, c := range r.containers {
		if c.Resources == nil {
			c.Resources = &runpb.ResourceRequirements{}
		}
		c.Resources.CpuIdle = r.idle != slices.Contains(r.unlikeIdle, c.GetName())
	}
	r.applyBoost()
}

// applyBoost sets the field of all containers that says whether they begin with
// more CPU.
func (r *cpuReader) applyBoost() {
	for _, c := range r.containers {
		boost := r.boost != slices.Contains(r.unlikeBoost, c.GetName())
		if boost && c.Resources == nil {
			c.Resources = &runpb.ResourceRequirements{}
		}
		if c.Resources != nil {
			c.Resources.StartupCpuBoost = boost
		}
	}
}

// cpu adds what holds for containers.
func (t texts) cpu(containers []*runpb.Container) {
	main := ingressContainer(containers)
	if main == nil {
		return
	}
	idle := func(c *runpb.Container) bool {
		// Resources that are absent altogether are throttled.
		return c.GetResources() == nil || c.GetResources().GetCpuIdle()
	}
	boost := func(c *runpb.Container) bool { return c.GetResources().GetStartupCpuBoost() }
	if !idle(main) {
		t[throttlingKey] = "false"
	}
	if boost(main) {
		t[boostKey] = "true"
	}
	t.unlike(unlikeThrottling, containers, main, idle)
	t.unlike(unlikeBoost, containers, main, boost)
}

// unlike names the containers for which what holds is not what does for main.
func (t texts) unlike(k string, containers []*runpb.Container, main *runpb.Container, holds func(*runpb.Container) bool) {
	var names []string
	for _, c := range containers {
		if c.GetName() != "" && holds(c) != holds(main) {
			names = append(names, c.GetName())
		}
	}
	if names != nil {
		t[k] = jsonText(names)
	}
}

// ingressContainer is the one that takes requests: that with a port, or the
// first. It is nil if there is none.
func ingressContainer(containers []*runpb.Container) *runpb.Container {
	for _, c := range containers {
		if len(c.GetPorts()) > 0 {
			return c
		}
	}
	if len(containers) == 0 {
		return nil
	}
	return containers[0]
}

// jsonText is v, which holds only texts, as JSON.
func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil { // never: texts can all be written
		return ""
	}
	return string(text)
}
