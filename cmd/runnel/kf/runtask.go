package kf

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"

	kfapi "runnel/api/kf"
	"runnel/cmd/runnel/verb"
)

// runTask builds "runnel kf run-task".
func (c *commands) runTask() *cobra.Command {
	var limits resources
	var task kfapi.Task
	cmd := &cobra.Command{
		Use:   "run-task APP [flags]",
		Short: "Run a task of an app",
		Long: `Run a task with the variables, the resources and the start command of its app;
what the flags say holds for this task only. The command returns as soon as the
task is stored.

Without a command of its own or of its app a task runs what the image says.`,
		Example: `  runnel kf run-task etl
  runnel kf run-task etl -c 'sleep 100' --name long -m 256M --cpu-cores 0.5`,
		Args:              want(1, "the app's name"),
		ValidArgsFunction: c.completeApps,
	}
	cmd.Flags().StringVarP(&task.Command, "command", "c", "", "`command` to run in the place of the app's")
	cmd.Flags().StringVar(&task.DisplayName, "name", "", "`name` that \"runnel kf tasks\" shows (default the task's)")
	limits.register(cmd)
	cmd.RunE = c.Checked(limits.check, func(ctx context.Context, r *verb.Remote, args []string) error {
		app, err := getApp(ctx, r, args[0])
		if err != nil {
			return err
		}
		task.CPU, task.Memory, task.Disk = limits.cpu, limits.memory, limits.disk
		return c.submit(ctx, r, app, task)
	})
	return cmd
}

// submit runs a task of an app or of a Kf job.
func (c *commands) submit(ctx context.Context, r *verb.Remote, job *runpb.Job, task kfapi.Task) error {
	op, err := post(ctx, r, job.GetName()+":runTask", task)
	if err != nil {
		return c.inFlags(r, err)
	}
	x := &runpb.Execution{}
	if err := verb.Unpack(op, x); err != nil {
		return err
	}
	return c.Write(fmt.Appendf(nil, "Task %s is submitted successfully for execution.\n", verb.Short(x.GetName())))
}

// maxAnswer is more than an operation takes, in bytes.
const maxAnswer = 16 << 20

// post calls the door of Kf's commands; path is a full name and what to do with
// it.
func post(ctx context.Context, r *verb.Remote, path string, body any) (*longrunningpb.Operation, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	resp, err := r.Client.Do(ctx, http.MethodPost, kfapi.Path+path, text)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("the answer breaks off: %w", err)
	}
	op := &longrunningpb.Operation{}
	if err := protojson.Unmarshal(answer, op); err != nil {
		return nil, fmt.Errorf("the answer is not an operation: %w", err)
	}
	return op, nil
}

// notFound reports whether err says that something is not there.
func notFound(err error) bool { return verb.Is(err, codes.NotFound) }
