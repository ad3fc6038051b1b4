package services

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"runnel/cmd/runnel/entries"
	"runnel/cmd/runnel/verb"
)

// serviceLogs builds "runnel services logs".
func (c *commands) serviceLogs() *cobra.Command {
	return entries.Command(&cobra.Command{
		Use:   "logs NAME",
		Short: "Show what the instances of a service have printed",
		Long: `Show what the instances of a service have printed, the oldest lines first. With
--follow, go on as more is printed.`,
		Example: `  runnel services logs hello --limit 100
  runnel services logs hello --follow
  runnel services logs hello --revision hello-00001-abc --system
  runnel services logs hello --log-filter 'httpRequest.status>=500' --format json`,
		Args:              verb.WantOne("the service's name"),
		ValidArgsFunction: c.completeServices,
	}, c.logging)
}

// logging makes verbs that show what instances have printed.
func (c *commands) logging() *entries.Logging {
	var revision string
	return &entries.Logging{
		Frame: c.Frame, Of: "instances",
		Find: func(ctx context.Context, r *verb.Remote, name string) (string, error) {
			service, err := getService(ctx, r, name)
			if err != nil || revision == "" {
				return service.GetName(), err
			}
			return strings.Join([]string{service.GetName(), "revisions", revision}, "/"), nil
		},
		About: func(name string) []string {
			terms := []string{
				`resource.type = "cloud_run_revision"`,
				fmt.Sprintf("resource.labels.service_name = %q", verb.Part(name, servicesOf)),
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
