package v1

import (
	"net/http"

	"cloud.google.com/go/iam/apiv1/iampb"
)

// policyName is the full name of the job that r's path ends with.
func (h *handler) policyName(r *http.Request) (string, error) {
	name, err := objectName(r)
	return h.locationName(r) + "/jobs/" + name, err
}

func (h *handler) getPolicy(r *http.Request) (any, error) {
	name, err := h.policyName(r)
	if err != nil {
		return nil, err
	}
	return h.control.Policy(r.Context(), name)
}

func (h *handler) setPolicy(r *http.Request) (any, error) {
	var body iampb.SetIamPolicyRequest
	if err := readMessage(r, &body); err != nil {
		return nil, err
	}
	name, err := h.policyName(r)
	if err != nil {
		return nil, err
	}
	return h.control.SetPolicy(r.Context(), name, body.GetPolicy(), body.GetUpdateMask())
}

func (h *handler) testPermissions(r *http.Request) (any, error) {
	var body iampb.TestIamPermissionsRequest
	if err := readMessage(r, &body); err != nil {
		return nil, err
	}
	name, err := h.policyName(r)
	if err != nil {
		return nil, err
	}
	granted, err := h.control.TestPermissions(r.Context(), name, body.GetPermissions())
	return &iampb.TestIamPermissionsResponse{Permissions: granted}, err
}
