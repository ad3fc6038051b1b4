package v2

import (
	"context"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// registerAbsent registers a service none of whose methods does anything.
func registerAbsent(r grpc.ServiceRegistrar, desc grpc.ServiceDesc) {
	kind := desc.ServiceName[strings.LastIndexByte(desc.ServiceName, '.')+1:]
	methods := make([]grpc.MethodDesc, len(desc.Methods))
	for i, m := range desc.Methods {
		methods[i] = grpc.MethodDesc{MethodName: m.MethodName, Handler: absent(kind + "." + m.MethodName)}
	}
	r.RegisterService(&grpc.ServiceDesc{ServiceName: desc.ServiceName, Methods: methods, Metadata: desc.Metadata}, nil)
}

// absent is the handler of a method that is not implemented.
func absent(method string) grpc.MethodHandler {
	return func(any, context.Context, func(any) error, grpc.UnaryServerInterceptor) (any, error) {
		return nil, notImplemented(method)
	}
}

// notImplemented says that Runnel has no such method.
func notImplemented(method string) error {
	return status.Errorf(codes.Unimplemented, "%s is not implemented: Runnel runs jobs, services and worker pools, and nothing else so far", method)
}
