package v1

import (
	"maps"
	"net/http"
	"strconv"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/control"
)

// page is which part of a list is asked for.
type page struct {
	// limit is how many objects are wanted at most; 0: all.
	limit    int
	token    string
	selector selector
	text     string
}

// maxPage is how many objects are asked for at once when all are wanted.
const maxPage = 1000

// pageOf reads the query of r. What v1 has besides is accepted and does
// nothing, as on Cloud Run.
func pageOf(r *http.Request) (page, error) {
	q := r.URL.Query()
	p := page{token: q.Get("continue"), text: q.Get("labelSelector")}
	if text := q.Get("limit"); text != "" {
		limit, err := strconv.ParseInt(text, 10, 32)
		if err != nil || limit < 0 {
			return p, status.Errorf(codes.InvalidArgument, "limit: %q is not a number of objects.", text)
		}
		p.limit = int(limit)
	}
	var err error
	if p.selector, err = parseSelector(p.text); err != nil {
		return p, status.Errorf(codes.InvalidArgument, "labelSelector: %v.", err)
	}
	return p, nil
}

// list is the page p of a kind of resources: what ask knows of them, formatted.
func list[M resourceMeta, T any](
	p page, s scope, plural, kind string, format func(M, Options) T, server func(M) texts,
	ask func(control.Query[M]) ([]M, string, error),
) (any, error) {
	out := &List[T]{APIVersion: versionOf(plural), Kind: kind, Items: []T{}}
	out.Metadata.SelfLink = link(s.options.namespace(resource{project: s.project}), plural, "")
	query := control.Query[M]{PageSize: p.limit, PageToken: p.token}
	if p.limit == 0 {
		query.PageSize = maxPage
	}
	if len(p.selector) > 0 {
		query.Text = p.text
		query.Match = func(m M) bool { return p.selector.matches(labelsOf(m, server(m))) }
	}
	for {
		items, next, err := ask(query)
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			out.Items = append(out.Items, format(item, s.options))
		}
		if next == "" || p.limit > 0 {
			out.Metadata.Continue = next
			return out, nil
		}
		query.PageToken = next
	}
}

// labelsOf are the labels that r has in v1; server are those that belong to
// its kind.
func labelsOf(r resourceMeta, server texts) texts {
	labels, _ := restored(r.GetLabels(), r.GetAnnotations())
	server.set(locationKey, split(r.GetName()).location)
	maps.Copy(labels, server)
	return labels
}
