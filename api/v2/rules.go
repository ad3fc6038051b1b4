package v2

import (
	"context"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/genproto/googleapis/api/annotations"

	"runnel/control"
)

// Rules are the HTTP rules of the services that Cloud Run shares with other
// APIs, by a method's full name: their descriptors carry the paths of no API in
// particular. Locations stand under /v1 too, where the clients of v2 ask.
func Rules() map[string]*annotations.HttpRule {
	const (
		operation = "/v2/{name=projects/*/locations/*/operations/*}"
		list      = "{name=projects/*}/locations"
		one       = "{name=projects/*/locations/*}"
	)
	wait := post(operation + ":wait")
	wait.Body = "*"
	return map[string]*annotations.HttpRule{
		"/google.longrunning.Operations/ListOperations":  get("/v2/{name=projects/*/locations/*}/operations"),
		"/google.longrunning.Operations/GetOperation":    get(operation),
		"/google.longrunning.Operations/DeleteOperation": {Pattern: &annotations.HttpRule_Delete{Delete: operation}},
		"/google.longrunning.Operations/WaitOperation":   wait,
		"/google.longrunning.Operations/CancelOperation": {},
		"/google.cloud.location.Locations/ListLocations": get("/v1/"+list, "/v2/"+list),
		"/google.cloud.location.Locations/GetLocation":   get("/v1/"+one, "/v2/"+one),
	}
}

// Flags are the parameters of methods that the protocol buffers do not have yet,
// by the method's full name and theirs: where one is true, the method is to be
// called with another context.
// Source: run.v2 discovery document, services.patch.
func Flags() map[string]map[string]func(context.Context) context.Context {
	return map[string]map[string]func(context.Context) context.Context{
		runpb.Services_UpdateService_FullMethodName: {
			"forceNewRevision": control.WithNewRevision, "force_new_revision": control.WithNewRevision,
		},
	}
}

// get is a rule for GET at one path or more.
func get(path string, more ...string) *annotations.HttpRule {
	rule := &annotations.HttpRule{Pattern: &annotations.HttpRule_Get{Get: path}}
	for _, p := range more {
		rule.AdditionalBindings = append(rule.AdditionalBindings, get(p))
	}
	return rule
}

// post is a rule for POST.
func post(path string) *annotations.HttpRule {
	return &annotations.HttpRule{Pattern: &annotations.HttpRule_Post{Post: path}}
}
