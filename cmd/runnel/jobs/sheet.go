package jobs

import (
	"fmt"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/cmd/runnel/sheet"
)

// countsSheet is how many tasks there are.
func countsSheet(tasks, parallelism int32) []sheet.Item {
	most := "No limit"
	if parallelism > 0 {
		most = fmt.Sprint(parallelism)
	}
	return []sheet.Item{sheet.Line(0, "Tasks", fmt.Sprint(tasks)), sheet.Line(0, "Parallelism", most)}
}

// taskSheet is what tasks are made from.
func taskSheet(t *runpb.TaskTemplate) (all []sheet.Item) {
	for _, c := range t.GetContainers() {
		depth := 0
		if name := c.GetName(); name != "" || len(t.GetContainers()) > 1 {
			all = append(all, sheet.Line(0, "Container "+name, ""))
			depth = 1
		}
		all = append(all, sheet.Container(c, depth)...)
	}
	all = append(all, sheet.Line(0, "Task Timeout", sheet.Brief(t.GetTimeout())))
	if t.GetRetries() != nil {
		all = append(all, sheet.Line(0, "Max Retries", fmt.Sprint(t.GetMaxRetries())))
	}
	return append(all, sheet.Line(0, "Service account", t.GetServiceAccount()))
}
