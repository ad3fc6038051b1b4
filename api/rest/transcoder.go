package rest

import (
	"context"
	"fmt"
	"net/http"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// Config says how a Transcoder calls. Its zero value is usable.
type Config struct {
	// Rules are the HTTP rules of methods by full name, such as
	// "/google.longrunning.Operations/GetOperation", in place of those that
	// their descriptors carry. An empty rule takes a method off HTTP.
	Rules map[string]*annotations.HttpRule
	// Flags are parameters that methods have besides the fields of their
	// requests, by full name of the method and by name: those that the API knows
	// and the descriptors of this program do not. Each is true or false; where it
	// is true, the method is called with what the function makes of the context.
	Flags map[string]map[string]func(context.Context) context.Context
	// Intercept is called around each call, as a gRPC server would. It may be
	// nil.
	Intercept grpc.UnaryServerInterceptor
}

// Transcoder is an http.Handler that calls the unary methods of the services
// registered with it. Services are registered first, by one goroutine; then it
// may serve many requests at the same time.
type Transcoder struct {
	config Config
	routes []route
}

// New returns a Transcoder without services.
func New(config Config) *Transcoder { return &Transcoder{config: config} }

// RegisterService makes the methods of a service reachable: those that have an
// HTTP rule and do not stream. It panics if desc is of no service that this
// program has a descriptor of, or if a rule is wrong: both are mistakes in the
// program, as with grpc.Server.
func (t *Transcoder) RegisterService(desc *grpc.ServiceDesc, service any) {
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(desc.ServiceName))
	if err != nil {
		panic(fmt.Sprintf("rest: service %s: %v", desc.ServiceName, err))
	}
	methods := found.(protoreflect.ServiceDescriptor).Methods()
	for _, m := range desc.Methods {
		md := methods.ByName(protoreflect.Name(m.MethodName))
		if md == nil {
			panic(fmt.Sprintf("rest: service %s has no method %s", desc.ServiceName, m.MethodName))
		}
		name := fmt.Sprintf("/%s/%s", desc.ServiceName, m.MethodName)
		t.add(&method{name, md.Input(), service, m.Handler}, md)
	}
}

// add adds the routes of a method.
func (t *Transcoder) add(m *method, md protoreflect.MethodDescriptor) {
	rule, ok := t.config.Rules[m.name]
	if !ok {
		rule, _ = proto.GetExtension(md.Options(), annotations.E_Http).(*annotations.HttpRule)
	}
	if rule.GetPattern() == nil {
		return
	}
	routes, err := newRoutes(m, rule)
	if err != nil {
		panic("rest: " + err.Error())
	}
	t.routes = append(t.routes, routes...)
}

// ServeHTTP answers one call.
func (t *Transcoder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, o, err := t.call(r)
	if err != nil {
		WriteError(w, err)
		return
	}
	writeMessage(w, answer, o)
}

// call finds the method that r means, and calls it.
func (t *Transcoder) call(r *http.Request) (proto.Message, options, error) {
	route, found, err := find(t.routes, r.Method, r.URL.EscapedPath())
	if err != nil {
		return nil, options{}, err
	}
	params, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, options{}, err
	}
	params, o, err := takeSystem(params, route.input)
	if err != nil {
		return nil, options{}, err
	}
	ctx, params, err := t.takeFlags(r.Context(), route.name, params)
	if err != nil {
		return nil, options{}, err
	}
	decode := func(in any) error {
		return route.decode(in.(proto.Message).ProtoReflect(), r, found, params)
	}
	answer, err := route.call(route.service, ctx, decode, t.config.Intercept)
	if err != nil {
		return nil, options{}, err
	}
	m, ok := answer.(proto.Message)
	if !ok {
		return nil, options{}, status.Errorf(codes.Internal, "%s answers with a %T", route.name, answer)
	}
	return m, o, nil
}

// decode makes the request m of what r says. The path has the last word.
func (r *route) decode(m protoreflect.Message, req *http.Request, found []binding, params []parameter) error {
	if err := r.body.bind(m, req); err != nil {
		return err
	}
	if err := r.bindQuery(m, params); err != nil {
		return err
	}
	for _, b := range found {
		fields, err := resolve(r.input, b.field)
		if err == nil {
			err = setText(m, fields, b.value)
		}
		if err != nil {
			return refuse([]violation{{b.field, err.Error()}})
		}
	}
	return nil
}
