package services

import (
	"bytes"
	"fmt"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/types/known/durationpb"

	"runnel/cmd/runnel/format"
	"runnel/cmd/runnel/services/change"
	"runnel/cmd/runnel/sheet"
	"runnel/cmd/runnel/verb"
)

// serviceText describes a service to people.
func (c *commands) serviceText(service *runpb.Service) []byte {
	var b bytes.Buffer
	c.Heading(&b, sheet.StateOf(service.GetTerminalCondition()), "Service", service.GetName())
	if len(service.GetLabels()) > 0 {
		fmt.Fprintln(&b)
		sheet.Labels(&b, service.GetLabels())
	} else {
		fmt.Fprintln(&b)
	}
	check := ""
	if service.GetInvokerIamDisabled() {
		check = "disabled"
	}
	sheet.Write(&b, []sheet.Item{
		sheet.Line(0, "URL", service.GetUri()),
		sheet.Line(0, "Ingress", change.IngressName(service.GetIngress())),
		sheet.Line(0, "Invoker IAM Check", check),
		sheet.Line(0, "Custom audiences", strings.Join(service.GetCustomAudiences(), ", ")),
	})
	writeTraffic(&b, service)
	fmt.Fprintln(&b)
	sheet.Write(&b, []sheet.Item{
		sheet.Line(0, "Scaling", scalingText(service.GetScaling())),
		sheet.Line(0, "Description", service.GetDescription()),
	})
	sheet.Updated(&b, service.GetTerminalCondition(), service.GetLastModifier(), verb.Short(service.GetLatestCreatedRevision()))
	sheet.Write(&b, templateSheet(service.GetTemplate(), 1, service.GetScaling().GetScalingMode() == runpb.ServiceScaling_MANUAL))
	c.Message(&b, service.GetTerminalCondition())
	return b.Bytes()
}

// revisionText describes a revision to people.
func (c *commands) revisionText(revision *runpb.Revision) []byte {
	var b bytes.Buffer
	c.Heading(&b, sheet.RevisionState(revision), "Revision", revision.GetName())
	fmt.Fprintln(&b)
	sheet.Labels(&b, revision.GetLabels())
	sheet.Write(&b, templateSheet(&runpb.RevisionTemplate{
		Containers: revision.GetContainers(), Volumes: revision.GetVolumes(), Scaling: revision.GetScaling(),
		ServiceAccount: revision.GetServiceAccount(), Timeout: revision.GetTimeout(), SessionAffinity: revision.GetSessionAffinity(),
		MaxInstanceRequestConcurrency: revision.GetMaxInstanceRequestConcurrency(),
	}, 0, false))
	c.Message(&b, sheet.Ready(revision))
	return b.Bytes()
}

// writeTraffic writes where requests go.
func writeTraffic(b *bytes.Buffer, service *runpb.Service) {
	fmt.Fprintln(b, "Traffic:")
	var rows [][]string
	for _, p := range pairsOf(service) {
		rows = append(rows, []string{"  " + p.DisplayPercent, p.DisplayRevisionID})
		for _, tag := range p.Tags {
			state := ""
			switch {
			case !tag.InStatus:
				state = " (Adding)"
			case !tag.InSpec:
				state = " (Deleting)"
			}
			rows = append(rows, []string{"", "  " + tag.Tag + state + ": " + tag.URL})
		}
	}
	b.Write(format.Columns(nil, rows))
}

// scalingText says how many instances a service has.
func scalingText(s *runpb.ServiceScaling) string {
	if s.GetScalingMode() == runpb.ServiceScaling_MANUAL {
		return fmt.Sprintf("Manual (Instances: %d)", s.GetManualInstanceCount())
	}
	if s.GetMaxInstanceCount() > 0 {
		return fmt.Sprintf("Auto (Min: %d, Max: %d)", s.GetMinInstanceCount(), s.GetMaxInstanceCount())
	}
	return fmt.Sprintf("Auto (Min: %d)", s.GetMinInstanceCount())
}

// templateSheet is what instances are made from.
func templateSheet(t *runpb.RevisionTemplate, depth int, manual bool) (all []sheet.Item) {
	line := func(name, value string) { all = append(all, sheet.Line(depth, name, value)) }
	all = sheet.Containers(t.GetContainers(), depth)
	line("Service account", t.GetServiceAccount())
	line("Concurrency", some(t.GetMaxInstanceRequestConcurrency()))
	if !manual {
		line("Min instances", some(t.GetScaling().GetMinInstanceCount()))
		line("Max instances", some(t.GetScaling().GetMaxInstanceCount()))
	}
	line("Timeout", seconds(t.GetTimeout()))
	line("HTTP/2 Enabled", yes(http2(t), "Enabled"))
	line("CPU Allocation", allocation(t))
	line("Startup CPU boost", yes(boosted(t), "Enabled"))
	line("Session Affinity", yes(t.GetSessionAffinity(), "true"))
	line("Deploy health check", yes(t.GetHealthCheckDisabled(), "disabled"))
	return append(all, sheet.Volumes(t.GetVolumes(), depth)...)
}

// some is a number that says nothing if it is 0.
func some(n int32) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// yes is text if something is so.
func yes(so bool, text string) string {
	if so {
		return text
	}
	return ""
}

// seconds is a duration as gcloud shows it.
func seconds(d *durationpb.Duration) string {
	if d == nil {
		return ""
	}
	return fmt.Sprintf("%ds", d.GetSeconds())
}

// http2 reports whether instances are spoken to in HTTP/2.
func http2(t *runpb.RevisionTemplate) bool {
	for _, c := range t.GetContainers() {
		for _, p := range c.GetPorts() {
			if p.GetName() == "h2c" {
				return true
			}
		}
	}
	return false
}

// boosted reports whether an instance that starts gets more CPU.
func boosted(t *runpb.RevisionTemplate) bool {
	for _, c := range t.GetContainers() {
		if c.GetResources().GetStartupCpuBoost() {
			return true
		}
	}
	return false
}

// allocation says when instances have CPU.
func allocation(t *runpb.RevisionTemplate) string {
	for _, c := range t.GetContainers() {
		if c.GetResources() != nil && !c.GetResources().GetCpuIdle() {
			return "CPU is always allocated"
		}
	}
	return "CPU is only allocated during request processing"
}
