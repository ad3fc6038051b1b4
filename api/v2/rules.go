package v2

import "google.golang.org/genproto/googleapis/api/annotations"

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
