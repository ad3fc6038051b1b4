package v2

import (
	"context"
	"strings"

	"google.golang.org/genproto/googleapis/cloud/location"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/control"
)

// locations is the service of locations.
type locations struct{ c *control.Control }

// registerLocations registers s. The generated registration takes nothing but a
// grpc.Server.
func registerLocations(r grpc.ServiceRegistrar, s locations) {
	const name = "google.cloud.location.Locations"
	r.RegisterService(&grpc.ServiceDesc{
		ServiceName: name,
		HandlerType: (*location.LocationsServer)(nil),
		Methods: []grpc.MethodDesc{
			{MethodName: "ListLocations", Handler: unary("/"+name+"/ListLocations", s.ListLocations)},
			{MethodName: "GetLocation", Handler: unary("/"+name+"/GetLocation", s.GetLocation)},
		},
	}, s)
}

// ListLocations implements location.LocationsServer. There is one page.
func (s locations) ListLocations(ctx context.Context, r *location.ListLocationsRequest) (*location.ListLocationsResponse, error) {
	project, ok := strings.CutPrefix(r.GetName(), "projects/")
	if !ok || project == "" || strings.Contains(project, "/") {
		return nil, status.Errorf(codes.InvalidArgument, "name: %q is not projects/PROJECT", r.GetName())
	}
	all, err := s.c.Locations(ctx, project)
	if err != nil {
		return nil, err
	}
	return &location.ListLocationsResponse{Locations: all}, nil
}

// anyID, in place of a project or a location, asks for the one that is meant
// where none is named.
const anyID = "-"

// GetLocation implements location.LocationsServer. Any location may be named,
// so any can be had.
func (s locations) GetLocation(_ context.Context, r *location.GetLocationRequest) (*location.Location, error) {
	parts := strings.Split(r.GetName(), "/")
	if len(parts) != 4 || parts[0] != "projects" || parts[2] != "locations" || parts[1] == "" || parts[3] == "" {
		return nil, status.Errorf(codes.InvalidArgument, "name: %q is not projects/PROJECT/locations/LOCATION", r.GetName())
	}
	if parts[1] == anyID {
		parts[1] = s.c.Project()
	}
	if parts[3] == anyID {
		parts[3] = s.c.Region()
	}
	return &location.Location{Name: strings.Join(parts, "/"), LocationId: parts[3], DisplayName: parts[3]}, nil
}

// unary is the handler of a method, as generated code has it.
func unary[In, Out any](name string, call func(context.Context, *In) (*Out, error)) grpc.MethodHandler {
	return func(service any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
		in := new(In)
		if err := decode(in); err != nil {
			return nil, err
		}
		if intercept == nil {
			return call(ctx, in)
		}
		handler := func(ctx context.Context, in any) (any, error) { return call(ctx, in.(*In)) }
		return intercept(ctx, in, &grpc.UnaryServerInfo{Server: service, FullMethod: name}, handler)
	}
}
