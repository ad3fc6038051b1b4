package schedules

import (
	"context"
	"maps"
	"slices"
	"strings"

	"cloud.google.com/go/scheduler/apiv1/schedulerpb"
	"github.com/spf13/cobra"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/format"
	"runnel/cmd/runnel/sheet"
	"runnel/cmd/runnel/verb"
	"runnel/contract"
)

// list builds "runnel schedules list".
func (c *commands) list() *cobra.Command {
	l := &verb.Listing{Frame: c.Frame}
	var job string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List schedules",
		Example: `  runnel schedules list
  runnel schedules list --job etl --format 'value(id)'`,
		Args: cli.NoArgsBut("job"),
		RunE: c.Checked(l.Check, func(ctx context.Context, r *verb.Remote, _ []string) error {
			all, err := verb.Every(ctx, func(ctx context.Context, token string) ([]*schedulerpb.Job, string, error) {
				page, err := r.Client.Schedules.ListJobs(ctx, &schedulerpb.ListJobsRequest{Parent: r.Locations(), PageSize: l.PageSize, PageToken: token})
				return page.GetJobs(), page.GetNextPageToken(), err
			})
			if err != nil {
				return err
			}
			all = slices.DeleteFunc(all, func(s *schedulerpb.Job) bool { return job != "" && jobOf(s) != job })
			slices.SortStableFunc(all, func(a, b *schedulerpb.Job) int {
				return strings.Compare(verb.Short(a.GetName()), verb.Short(b.GetName()))
			})
			row := func(s *schedulerpb.Job, _ bool) (format.Row, error) { return c.row(s, nil) }
			return verb.List(l, all, row, []string{"", "SCHEDULE", "JOB", "REGION", "CRON", "TIME ZONE", "STATE", "DUE NEXT", "LAST RUN AT"}, c.cells)
		}),
	}
	cmd.Flags().StringVar(&job, "job", "", "`name` of the job whose schedules to list (default all)")
	l.Register(cmd)
	return cmd
}

// cells are the columns of a schedule.
func (c *commands) cells(s *schedulerpb.Job) []string {
	return []string{
		c.Cell(stateOf(s)), verb.Short(s.GetName()), jobOf(s), verb.Part(s.GetName(), "locations"), s.GetSchedule(), s.GetTimeZone(),
		strings.ToLower(s.GetState().String()), sheet.Moment(s.GetScheduleTime()), sheet.Moment(s.GetLastAttemptTime()),
	}
}

// jobOf is the short name of the job that a schedule runs.
func jobOf(s *schedulerpb.Job) string {
	return strings.TrimSuffix(verb.Short(s.GetHttpTarget().GetUri()), ":run")
}

// policyOf is what a schedule does where the last execution runs still.
func policyOf(s *schedulerpb.Job) string {
	for name, value := range s.GetHttpTarget().GetHeaders() {
		if strings.EqualFold(name, contract.ConcurrencyPolicyHeader) {
			policy, err := contract.ParseConcurrencyPolicy(value)
			if err != nil {
				return value
			}
			return string(policy)
		}
	}
	return string(contract.AllowConcurrent)
}

// withPolicy is a copy of headers with another policy.
func withPolicy(headers map[string]string, policy string) map[string]string {
	next := maps.Clone(headers)
	if next == nil {
		next = make(map[string]string)
	}
	maps.DeleteFunc(next, func(name, _ string) bool { return strings.EqualFold(name, contract.ConcurrencyPolicyHeader) })
	if p, _ := contract.ParseConcurrencyPolicy(policy); p != contract.AllowConcurrent {
		next[contract.ConcurrencyPolicyHeader] = string(p)
	}
	return next
}
