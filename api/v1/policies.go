package v1

import (
	"net/http"

	"cloud.google.com/go/iam/apiv1/iampb"
)

// policies answer what is asked about the policies of a kind that names in v2
// call plural.
type policies struct {
	*handler
	plural string
}

// add adds their routes to all, below a path that ends with the kind.
func (h policies) add(all map[string]answer, path string) {
	all["GET"+path+"/{name}"] = verbs{"getIamPolicy": h.get}.answer
	all["POST"+path+"/{name}"] = verbs{"setIamPolicy": h.set, "testIamPermissions": h.test}.answer
}

// resource is the full name of the one that r's path ends with.
func (h policies) resource(r *http.Request) (string, error) {
	name, err := objectName(r)
	return h.locationName(r) + "/" + h.plural + "/" + name, err
}

func (h policies) get(r *http.Request) (any, error) {
	name, err := h.resource(r)
	if err != nil {
		return nil, err
	}
	return h.control.Policy(r.Context(), name)
}

func (h policies) set(r *http.Request) (any, error) {
	var body iampb.SetIamPolicyRequest
	if err := readMessage(r, &body); err != nil {
		return nil, err
	}
	name, err := h.resource(r)
	if err != nil {
		return nil, err
	}
	return h.control.SetPolicy(r.Context(), name, body.GetPolicy(), body.GetUpdateMask())
}

func (h policies) test(r *http.Request) (any, error) {
	var body iampb.TestIamPermissionsRequest
	if err := readMessage(r, &body); err != nil {
		return nil, err
	}
	name, err := h.resource(r)
	if err != nil {
		return nil, err
	}
	granted, err := h.control.TestPermissions(r.Context(), name, body.GetPermissions())
	return &iampb.TestIamPermissionsResponse{Permissions: granted}, err
}
