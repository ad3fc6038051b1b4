package sheet

import (
	"fmt"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"
)

// Container is what runs.
func Container(c *runpb.Container, depth int) []Item {
	limits := c.GetResources().GetLimits()
	var ports []string
	for _, p := range c.GetPorts() {
		ports = append(ports, fmt.Sprint(p.GetContainerPort()))
	}
	sheet := []Item{
		{"Image", c.GetImage(), depth},
		{"Command", strings.Join(c.GetCommand(), " "), depth},
		{"Args", strings.Join(c.GetArgs(), " "), depth},
		{"Working directory", c.GetWorkingDir(), depth},
		{"Port", strings.Join(ports, " "), depth},
		{"Memory", limits["memory"], depth},
		{"CPU", limits["cpu"], depth},
	}
	if len(c.GetEnv()) > 0 {
		sheet = append(sheet, Item{variables, "", depth})
	}
	for _, v := range c.GetEnv() {
		sheet = append(sheet, Item{v.GetName(), v.GetValue(), depth + 1})
	}
	if len(c.GetVolumeMounts()) > 0 {
		sheet = append(sheet, Item{"Volume mounts", "", depth})
	}
	for _, m := range c.GetVolumeMounts() {
		sheet = append(sheet, Item{m.GetMountPath(), m.GetName(), depth + 1})
	}
	sheet = append(sheet, probe("Startup probe", c.GetStartupProbe(), depth)...)
	sheet = append(sheet, probe("Liveness probe", c.GetLivenessProbe(), depth)...)
	sheet = append(sheet, probe("Readiness probe", c.GetReadinessProbe(), depth)...)
	return append(sheet, Item{"Container dependencies", strings.Join(c.GetDependsOn(), ", "), depth})
}

// probe is how a container is asked whether it does its work; nothing if it is
// not.
func probe(name string, p *runpb.Probe, depth int) []Item {
	if p == nil {
		return nil
	}
	kind, path, port := "TCP", "", p.GetTcpSocket().GetPort()
	switch {
	case p.GetHttpGet() != nil:
		kind, path, port = "HTTP", p.GetHttpGet().GetPath(), p.GetHttpGet().GetPort()
	case p.GetGrpc() != nil:
		kind, path, port = "GRPC", p.GetGrpc().GetService(), p.GetGrpc().GetPort()
	}
	sheet := []Item{
		{name, fmt.Sprintf("%s every %ds", kind, p.GetPeriodSeconds()), depth},
		{map[bool]string{true: "Service", false: "Path"}[kind == "GRPC"], path, depth + 1},
		{"Port", "", depth + 1},
		{"Initial delay", fmt.Sprintf("%ds", p.GetInitialDelaySeconds()), depth + 1},
		{"Timeout", fmt.Sprintf("%ds", p.GetTimeoutSeconds()), depth + 1},
		{"Failure threshold", fmt.Sprint(p.GetFailureThreshold()), depth + 1},
	}
	if port != 0 {
		sheet[2].Value = fmt.Sprint(port)
	}
	return sheet
}
