package verb

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	locationpb "google.golang.org/genproto/googleapis/cloud/location"
	"google.golang.org/grpc/codes"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/client"
)

// AnyID stands for every resource of a kind in a name.
const AnyID = "-"

// Remote is a daemon, and the place in it that a command is about.
type Remote struct {
	// Client is the connection, which the caller must Close.
	Client *client.Client
	// Project and Region are where names without a place are.
	Project, Region string
	// everywhere says that no region was named, so that lists show all.
	everywhere bool
}

// Connect prepares a connection and finds out the place. The caller must close
// the client.
func (f *Frame) Connect(ctx context.Context) (*Remote, error) {
	api, err := client.Open(client.Config{Host: f.host, TokenFile: f.tokenFile, CAFile: f.caFile})
	if err != nil {
		return nil, &cli.UsageError{Lines: []string{err.Error()}}
	}
	r := &Remote{Client: api, Project: f.project, Region: f.region, everywhere: f.region == ""}
	if r.Project == "" || r.Region == "" {
		if err := r.settle(ctx); err != nil {
			_ = api.Close() // the other error counts
			return nil, err
		}
	}
	return r, nil
}

// settle asks the daemon for the project and the region that are meant where
// none is named.
func (r *Remote) settle(ctx context.Context) error {
	meant, err := r.Client.Locations.GetLocation(ctx, &locationpb.GetLocationRequest{
		Name: "projects/" + AnyID + "/locations/" + AnyID,
	})
	if err != nil {
		return r.Client.Explain(err)
	}
	r.Project = cmp.Or(r.Project, Part(meant.GetName(), "projects"))
	r.Region = cmp.Or(r.Region, Part(meant.GetName(), "locations"))
	return nil
}

// Location is the parent of resources.
func (r *Remote) Location() string { return "projects/" + r.Project + "/locations/" + r.Region }

// Locations is the parent of the resources to list: those of all regions if none was
// named.
func (r *Remote) Locations() string {
	if r.everywhere {
		return "projects/" + r.Project + "/locations/" + AnyID
	}
	return r.Location()
}

// Places are the parents of resources to list, one after the other, where the
// daemon does not list those of all locations at once.
func (r *Remote) Places(ctx context.Context) ([]string, error) {
	if !r.everywhere {
		return []string{r.Location()}, nil
	}
	locations, err := Every(ctx, func(ctx context.Context, token string) ([]*locationpb.Location, string, error) {
		page, err := r.Client.Locations.ListLocations(ctx, &locationpb.ListLocationsRequest{Name: "projects/" + r.Project, PageToken: token})
		return page.GetLocations(), page.GetNextPageToken(), err
	})
	var places []string
	for _, l := range locations {
		places = append(places, "projects/"+r.Project+"/locations/"+l.GetLocationId())
	}
	return places, err
}

// Full is the full name of a resource of a collection, such as jobs or
// jobs/-/executions; name may be full already.
func (r *Remote) Full(collection, name string) string {
	if strings.HasPrefix(name, "projects/") {
		return name
	}
	return r.Location() + "/" + collection + "/" + name
}

// Missing says what cannot be found, where, and with which command to look, if
// that is what err is about.
func (r *Remote) Missing(err error, kind, name, look string) error {
	if !Is(err, codes.NotFound) {
		return err
	}
	return client.NewError(fmt.Sprintf("cannot find %s [%s] in project [%s] region [%s]; see %q", kind, Short(name), r.Project, r.Region, look), err)
}

// Short is the last part of a full name.
func Short(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// Part is the part of a full name that follows its collection, such as jobs.
func Part(name, collection string) string {
	parts := strings.Split(name, "/")
	for i := 0; i+1 < len(parts); i += 2 {
		if parts[i] == collection {
			return parts[i+1]
		}
	}
	return ""
}
