package workerpools

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"runnel/cmd/runnel/entries"
	"runnel/cmd/runnel/verb"
)

// poolLogs builds "runnel worker-pools logs".
func (c *commands) poolLogs() *cobra.Command {
	return entries.Command(&cobra.Command{
		Use:   "logs NAME",
		Short: "Show what the instances of a worker pool have printed",
		Long: `Show what the instances of a worker pool have printed, the oldest lines first.
With --follow, go on as more is printed.`,
		Example: `  runnel worker-pools logs puller --limit 100
  runnel worker-pools logs puller --follow
  runnel worker-pools logs puller --revision puller-00001-abc --system
  runnel worker-pools logs puller --log-filter 'severity>=ERROR' --format json`,
		Args:              verb.WantOne("the worker pool's name"),
		ValidArgsFunction: c.completePools,
	}, c.logging)
}

// logging makes verbs that show what instances have printed.
func (c *commands) logging() *entries.Logging {
	var revision string
	return &entries.Logging{
		Frame: c.Frame, Of: "instances",
		Find: func(ctx context.Context, r *verb.Remote, name string) (string, error) {
			pool, err := getPool(ctx, r, name)
			if err != nil || revision == "" {
				return pool.GetName(), err
			}
			return pool.GetName() + "/" + revisionsIn + "/" + revision, nil
		},
		About: func(name string) []string {
			terms := []string{
				`resource.type = "cloud_run_worker_pool"`,
				fmt.Sprintf("resource.labels.worker_pool_name = %q", verb.Part(name, poolsOf)),
				fmt.Sprintf("resource.labels.location = %q", verb.Part(name, "locations")),
			}
			if revision != "" {
				terms = append(terms, fmt.Sprintf("resource.labels.revision_name = %q", revision))
			}
			return terms
		},
		Flags: func(set *pflag.FlagSet) {
			set.StringVar(&revision, "revision", "", "`name` of the only revision to show")
		},
		Chosen: func() bool { return revision != "" },
	}
}
