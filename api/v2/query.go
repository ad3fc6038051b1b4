package v2

import (
	"strings"

	"runnel/control"
)

// listRequest is what the requests of all lists have in common.
type listRequest interface {
	GetParent() string
	GetPageSize() int32
	GetPageToken() string
}

// query is a request for a list of everything there is.
func query[M any](r listRequest) control.Query[M] {
	return control.Query[M]{Parent: r.GetParent(), PageSize: int(r.GetPageSize()), PageToken: r.GetPageToken()}
}

// locationOf is the location in the name of one, empty if it has none.
func locationOf(parent string) string {
	_, rest, _ := strings.Cut(parent, "/locations/")
	location, _, _ := strings.Cut(rest, "/")
	return location
}
