package control_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"

	"runnel/contract"
	"runnel/control"
	"runnel/control/controltest"
	"runnel/internal/testenv"
	"runnel/store"
)

// fullDisk has the disk under a world refuse every write until room is made.
func fullDisk(t *testing.T, w *controltest.World, dir string) (makeRoom func()) {
	t.Helper()
	filler := filepath.Join(dir, "filler")
	f, err := os.Create(filler)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	// More than the file has room for, and nothing overtakes it.
	w.Store().Append(func(tx *store.Tx) { tx.Put("filler", "big", time.Now(), make([]byte, 6<<20)) })
	w.Eventually("the disk to refuse", func() bool { return w.Store().Health() != nil })
	return func() {
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
	}
}

// contract: ATK-37
// A full disk takes no change, and says so; reading goes on, and so does all
// that runs, which is made up for when there is room again.
func TestFullDisk(t *testing.T) {
	testenv.Root(t)
	dir := testenv.Tmpfs(t, 32<<20)
	w := controltest.Start(t, controltest.Options{Dir: dir})
	name := w.Job("hello", 3)
	w.Instances.Always(controltest.Script{Hold: true})
	x, op := w.Run(name)
	w.Eventually("the instances", func() bool { return len(w.Instances.Running()) == 3 })
	w.Execution(x.GetName(), func(x *runpb.Execution) bool { return x.GetRunningCount() == 3 })
	makeRoom := fullDisk(t, w, dir)

	ctx := t.Context()
	_, _, err := w.Control.RunJob(ctx, &runpb.RunJobRequest{Name: name})
	fails(t, err, codes.Unavailable, "no space left")
	_, _, err = w.Control.CancelExecution(ctx, &runpb.CancelExecutionRequest{Name: x.GetName()})
	fails(t, err, codes.Unavailable, "no space left")
	_, _, err = w.Control.DeleteJob(ctx, &runpb.DeleteJobRequest{Name: name})
	fails(t, err, codes.Unavailable, "no space left")
	_, _, err = w.Control.CreateJob(ctx, &runpb.CreateJobRequest{Parent: parent, JobId: "other", Job: controltest.NewJob(1)})
	fails(t, err, codes.Unavailable, "no space left")
	w.Instances.End(w.Instances.Running()[0], contract.Exit{Code: 1})
	w.Instances.Release()
	if all, _, err := w.Control.Executions(ctx, control.Query[*runpb.Execution]{Parent: name}); err != nil || len(all) != 1 || all[0].GetCompletionTime() != nil {
		t.Errorf("list on a full disk: %v, %v", all, err)
	}
	if got := getJob(t, w, name); got.GetExecutionCount() != 1 || got.GetDeleteTime() != nil {
		t.Errorf("job on a full disk: %v", got)
	}

	makeRoom()
	w.WaitFor(op.GetName())
	if got := w.Ended(x.GetName()); got.GetSucceededCount() != 2 || got.GetFailedCount() != 1 {
		t.Errorf("got %v", got)
	}
	w.Instances.Always(controltest.Script{})
	_, op = w.Run(name)
	w.WaitFor(op.GetName())
	if _, err := w.Control.Job(ctx, parent+"/jobs/other"); err == nil {
		t.Error("a job is there that was refused")
	}
}
