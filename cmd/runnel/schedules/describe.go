package schedules

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"cloud.google.com/go/scheduler/apiv1/schedulerpb"
	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"

	"runnel/api/schedules"
	"runnel/cmd/runnel/format"
	"runnel/cmd/runnel/sheet"
	"runnel/cmd/runnel/verb"
)

// describe builds "runnel schedules describe".
func (c *commands) describe() *cobra.Command {
	return &cobra.Command{
		Use:   "describe NAME",
		Short: "Show a schedule with its last runs",
		Long: `Show a schedule, and of its last runs, 100 at most, when they were due, which
execution they made and how that ended, or why there is none.`,
		Example: `  runnel schedules describe etl
  runnel schedules describe etl --format 'value(runs[0].execution)'`,
		Args:              verb.WantOne("the schedule's name"),
		ValidArgsFunction: c.complete,
		RunE: c.Connected(func(ctx context.Context, r *verb.Remote, args []string) error {
			s, err := get(ctx, r, args[0])
			if err != nil {
				return err
			}
			return c.show(ctx, r, s)
		}),
	}
}

// show writes a schedule with its runs.
func (c *commands) show(ctx context.Context, r *verb.Remote, s *schedulerpb.Job) error {
	runs, err := runsOf(ctx, r, s.GetName())
	if err != nil {
		return err
	}
	return c.Show(
		func(bool) (format.Row, error) { return c.row(s, runs) },
		func() []byte { return c.text(s, runs) },
	)
}

// runsOf are the runs of the schedule with the full name, the newest first.
func runsOf(ctx context.Context, r *verb.Remote, name string) ([]schedules.Run, error) {
	resp, err := r.Client.Get(ctx, schedules.RunsPath(name))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer schedules.Runs
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("runs of schedule %s: %w", verb.Short(name), err)
	}
	return answer.Runs, nil
}

// row is a schedule as --format sees it: Cloud Scheduler's job, and its runs.
func (c *commands) row(s *schedulerpb.Job, runs []schedules.Run) (format.Row, error) {
	data, err := protojson.Marshal(s)
	if err != nil {
		return format.Row{}, fmt.Errorf("write JSON: %w", err)
	}
	resource := map[string]json.RawMessage{}
	if err := json.Unmarshal(data, &resource); err != nil {
		return format.Row{}, fmt.Errorf("write JSON: %w", err)
	}
	if runs != nil {
		if resource["runs"], err = json.Marshal(runs); err != nil {
			return format.Row{}, fmt.Errorf("write JSON: %w", err)
		}
	}
	return sheet.Row(resource, map[string]any{
		"id":                 verb.Short(s.GetName()),
		"region":             verb.Part(s.GetName(), "locations"),
		"job_name":           jobOf(s),
		"concurrency_policy": policyOf(s),
	})
}

// text describes a schedule to people.
func (c *commands) text(s *schedulerpb.Job, runs []schedules.Run) []byte {
	var b bytes.Buffer
	c.Heading(&b, stateOf(s), "Schedule", s.GetName())
	fmt.Fprintln(&b)
	account := cmp.Or(s.GetHttpTarget().GetOauthToken().GetServiceAccountEmail(), s.GetHttpTarget().GetOidcToken().GetServiceAccountEmail())
	sheet.Write(&b, []sheet.Item{
		sheet.Line(0, "Job", jobOf(s)),
		sheet.Line(0, "Schedule", s.GetSchedule()),
		sheet.Line(0, "Time zone", s.GetTimeZone()),
		sheet.Line(0, "State", strings.ToLower(s.GetState().String())),
		sheet.Line(0, "Due next", moment(s.GetScheduleTime(), s.GetTimeZone())),
		sheet.Line(0, "Concurrency policy", policyOf(s)),
		sheet.Line(0, "Service account", account),
		sheet.Line(0, "Body", string(s.GetHttpTarget().GetBody())),
		sheet.Line(0, "Description", s.GetDescription()),
	})
	if len(runs) == 0 {
		fmt.Fprintln(&b, "\nIt has not run yet.")
		return b.Bytes()
	}
	var table [][]string
	for _, run := range runs {
		table = append(table, c.runCells(run))
	}
	fmt.Fprintln(&b, "\nRuns, the last first:")
	b.Write(format.Columns([]string{"", "SCHEDULED", "ATTEMPTED", "EXECUTION", "RESULT"}, table))
	return b.Bytes()
}

// runCells are the columns of a run.
func (c *commands) runCells(run schedules.Run) []string {
	scheduled, result, execution := "by hand", run.Result, run.Execution
	if !run.ScheduleTime.IsZero() {
		scheduled = sheet.Moment(timestamppb.New(run.ScheduleTime))
	}
	if run.Message != "" {
		result += ": " + run.Message
	}
	if run.Missed > 0 {
		result += fmt.Sprintf(" (%d missed before it)", run.Missed)
	}
	return []string{c.Cell(runState(run)), scheduled, sheet.Moment(timestamppb.New(run.AttemptTime)), cmp.Or(execution, "-"), result}
}

// runState is the state of a run.
func runState(run schedules.Run) sheet.State {
	switch run.Result {
	case "succeeded":
		return sheet.Good
	case "failed":
		return sheet.Bad
	case "cancelled":
		return sheet.Cancelled
	case "running":
		return sheet.Working
	}
	if run.Status != "" && run.Status != "FAILED_PRECONDITION" {
		return sheet.Bad
	}
	return sheet.Idle
}

// stateOf is the state of a schedule: how its last attempt went.
func stateOf(s *schedulerpb.Job) sheet.State {
	switch code := codes.Code(s.GetStatus().GetCode()); {
	case s.GetState() == schedulerpb.Job_PAUSED, s.GetStatus() == nil, code == codes.FailedPrecondition:
		return sheet.Idle
	case code != codes.OK:
		return sheet.Bad
	}
	return sheet.Good
}

// moment is t as a clock of the time zone shows it, or of UTC where this machine
// does not know that.
func moment(t *timestamppb.Timestamp, zone string) string {
	if t == nil {
		return ""
	}
	place, err := time.LoadLocation(zone)
	if err != nil {
		place = time.UTC
	}
	return t.AsTime().In(place).Format("2006-01-02 15:04:05 MST")
}
