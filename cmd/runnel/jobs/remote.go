package jobs

import (
	"cmp"
	"context"
	"strings"

	locationpb "google.golang.org/genproto/googleapis/cloud/location"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/client"
)

// anyID stands for every resource of a kind in a name.
const anyID = "-"

// remote is a daemon, and the place in it that a command is about.
type remote struct {
	client          *client.Client
	project, region string
	// everywhere says that no region was named, so that lists show all.
	everywhere bool
}

// connect prepares a connection and finds out the place. The caller must close
// the client.
func (c *commands) connect(ctx context.Context) (*remote, error) {
	api, err := client.Open(client.Config{Host: c.host, TokenFile: c.tokenFile, CAFile: c.caFile})
	if err != nil {
		return nil, &cli.UsageError{Lines: []string{err.Error()}}
	}
	r := &remote{client: api, project: c.project, region: c.region, everywhere: c.region == ""}
	if r.project == "" || r.region == "" {
		if err := r.settle(ctx); err != nil {
			_ = api.Close() // the other error counts
			return nil, err
		}
	}
	return r, nil
}

// settle asks the daemon for the project and the region that are meant where
// none is named.
func (r *remote) settle(ctx context.Context) error {
	meant, err := r.client.Locations.GetLocation(ctx, &locationpb.GetLocationRequest{
		Name: "projects/" + anyID + "/locations/" + anyID,
	})
	if err != nil {
		return r.client.Explain(err)
	}
	r.project = cmp.Or(r.project, part(meant.GetName(), "projects"))
	r.region = cmp.Or(r.region, part(meant.GetName(), "locations"))
	return nil
}

// location is the parent of jobs.
func (r *remote) location() string { return "projects/" + r.project + "/locations/" + r.region }

// locations is the parent of the jobs to list: those of all regions if none was
// named.
func (r *remote) locations() string {
	if r.everywhere {
		return "projects/" + r.project + "/locations/" + anyID
	}
	return r.location()
}

// job is the full name of a job, whose name may be full already.
func (r *remote) job(name string) string {
	if strings.HasPrefix(name, "projects/") {
		return name
	}
	return r.location() + "/jobs/" + name
}

// execution is the full name of an execution, whatever its job.
func (r *remote) execution(name string) string {
	if strings.HasPrefix(name, "projects/") {
		return name
	}
	return r.location() + "/jobs/" + anyID + "/executions/" + name
}

// task is the full name of a task, which begins with that of its execution.
func (r *remote) task(name string) string {
	if strings.HasPrefix(name, "projects/") {
		return name
	}
	execution := name
	if i := strings.LastIndex(name, "-task"); i > 0 {
		execution = name[:i]
	}
	return r.execution(execution) + "/tasks/" + name
}

// short is the last part of a full name.
func short(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// part is the part of a full name that follows its collection, such as jobs.
func part(name, collection string) string {
	parts := strings.Split(name, "/")
	for i := 0; i+1 < len(parts); i += 2 {
		if parts[i] == collection {
			return parts[i+1]
		}
	}
	return ""
}
