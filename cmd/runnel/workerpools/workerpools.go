// Package workerpools is "runnel worker-pools": the verbs of gcloud run for
// worker pools, as a client of a daemon's API. What a verb returns goes to
// standard output, all that is said about it to standard error. Whatever the
// daemon decides is left to it.
package workerpools

import (
	"context"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/client"
	"runnel/cmd/runnel/release"
	"runnel/cmd/runnel/sheet"
	"runnel/cmd/runnel/verb"
)

const where = `
The daemon is that of this machine, on ` + client.DefaultHost + `,
unless --host or RUNNEL_HOST names another: unix:///PATH, http://HOST:PORT or
https://HOST:PORT. Over TCP it asks for a token (--token-file or
RUNNEL_TOKEN_FILE).`

const longPools = `Make worker pools and look after them on a daemon ("runnel serve"), with the
flags and the output of "gcloud run worker-pools".

A worker pool runs as many instances as it is told, all the time, for work that
comes by no request: what reads a queue, polls, or computes. It has no URL and no
port. An instance that ends is started again. Each deploy makes a revision, which
never changes; the instance split says which revision has which share of the
instances.
` + where

const examplePools = `  runnel worker-pools deploy puller --image host:5000/puller --instances 3
  runnel worker-pools list
  runnel worker-pools update puller --instances 0
  runnel worker-pools update-instance-split puller --to-revisions puller-00001-abc=70,LATEST=30
  runnel worker-pools describe puller --format export > puller.yaml
  runnel worker-pools replace puller.yaml
  runnel worker-pools logs puller --follow`

// Collections of what the verbs are about, below a location.
const (
	poolsOf     = "workerPools"
	revisionsIn = "revisions" // below a worker pool
)

// kind is how worker pools are spoken of.
var kind = release.Kind{Title: "Worker pool", Verbs: "worker-pools"}

// commands is what all verbs share.
type commands struct {
	*verb.Frame
	sheet.Palette
}

// New builds "runnel worker-pools" with everything below it.
func New(e cli.Env) *cobra.Command {
	c := &commands{Frame: verb.NewFrame(e), Palette: sheet.PaletteOf(e)}
	root := cli.Group(&cobra.Command{
		Use:     "worker-pools",
		Short:   "Make worker pools and look after them",
		Long:    longPools,
		Example: examplePools,
	})
	c.Register(root, "worker pool")
	root.AddCommand(
		c.deploy(), c.update(), c.replace(), c.describePool(), c.listPools(), c.deletePool(), c.updateSplit(), c.poolLogs(), c.revisions(),
	)
	return root
}

// getPool is the worker pool of a name.
func getPool(ctx context.Context, r *verb.Remote, name string) (*runpb.WorkerPool, error) {
	pool, err := r.Client.WorkerPools.GetWorkerPool(ctx, &runpb.GetWorkerPoolRequest{Name: r.Full(poolsOf, name)})
	return pool, r.Missing(err, "worker pool", name, "runnel worker-pools list")
}
