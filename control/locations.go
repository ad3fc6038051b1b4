package control

import (
	"context"
	"math"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/cloud/location"

	"runnel/store"
)

// Locations are where a project, given as projects/PROJECT or by its id alone,
// has or may have jobs, services, worker pools and schedules: the default region and
// every location in use.
func (c *Control) Locations(_ context.Context, project string) ([]*location.Location, error) {
	parent, err := c.parse("name", "projects/"+strings.TrimPrefix(project, "projects/")+"/locations/-", atLocation)
	if err != nil {
		return nil, err
	}
	ids := []string{c.config.Region}
	for _, kind := range []store.Kind{kindJobs, kindServices, kindWorkerPools, kindSchedules} {
		found, err := c.named(kind, parent, math.MaxInt)
		if err != nil {
			return nil, err
		}
		for _, n := range found {
			ids = append(ids, n.location())
		}
	}
	slices.Sort(ids)
	var all []*location.Location
	for _, id := range slices.Compact(ids) {
		all = append(all, &location.Location{
			Name:        parent.sibling(id).String(),
			LocationId:  id,
			DisplayName: id,
		})
	}
	return all, nil
}
