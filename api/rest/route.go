package rest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// method is a method of a service, and how to call it.
type method struct {
	name    string
	input   protoreflect.MessageDescriptor
	service any
	call    grpc.MethodHandler
}

// route is one way to call a method over HTTP.
type route struct {
	*method
	verb     string
	template template
	// body is where in the request the body belongs.
	body bodyField
}

// newRoutes are the routes that rule gives to m: its own pattern, and those of
// its additional bindings.
func newRoutes(m *method, rule *annotations.HttpRule) ([]route, error) {
	verb, pattern := patternOf(rule)
	if verb == "" {
		return nil, fmt.Errorf("%s: no HTTP pattern", m.name)
	}
	if rule.GetResponseBody() != "" {
		return nil, fmt.Errorf("%s: response_body is not known here", m.name)
	}
	t, err := parseTemplate(pattern)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.name, err)
	}
	for i, v := range t.variables {
		fields, err := resolve(m.input, v.field)
		if err != nil {
			return nil, fmt.Errorf("%s: path template %q: %w", m.name, pattern, err)
		}
		t.variables[i].field = canonical(fields)
	}
	body, err := newBodyField(m.input, rule.GetBody())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.name, err)
	}
	routes := []route{{m, verb, t, body}}
	for _, more := range rule.GetAdditionalBindings() {
		rs, err := newRoutes(m, more)
		if err != nil {
			return nil, err
		}
		routes = append(routes, rs...)
	}
	return routes, nil
}

// patternOf is the HTTP method and the path template of a rule.
func patternOf(rule *annotations.HttpRule) (verb, pattern string) {
	switch p := rule.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		return http.MethodGet, p.Get
	case *annotations.HttpRule_Put:
		return http.MethodPut, p.Put
	case *annotations.HttpRule_Post:
		return http.MethodPost, p.Post
	case *annotations.HttpRule_Delete:
		return http.MethodDelete, p.Delete
	case *annotations.HttpRule_Patch:
		return http.MethodPatch, p.Patch
	case *annotations.HttpRule_Custom:
		return p.Custom.GetKind(), p.Custom.GetPath()
	}
	return "", ""
}

// find returns the route of a request, and what its path says. The first route
// registered wins.
func find(routes []route, verb, escapedPath string) (*route, []binding, error) {
	p, err := parsePath(escapedPath)
	if err != nil {
		return nil, nil, newError(http.StatusBadRequest, codes.InvalidArgument, "%v", err)
	}
	var others []string
	for i := range routes {
		r := &routes[i]
		found, ok := r.template.match(p)
		switch {
		case ok && r.verb == verb:
			return r, found, nil
		case ok && !slices.Contains(others, r.verb):
			others = append(others, r.verb)
		}
	}
	if others == nil {
		return nil, nil, newError(http.StatusNotFound, codes.NotFound, "nothing is served at %s", escapedPath)
	}
	slices.Sort(others)
	allow := strings.Join(others, ", ")
	wrong := newError(http.StatusMethodNotAllowed, codes.Unimplemented, "%s is not offered at %s, only %s", verb, escapedPath, allow)
	wrong.allow = allow
	return nil, nil, wrong
}
