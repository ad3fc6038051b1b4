package v1

import (
	"net/http"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/control"
)

func (h *handler) getService(r *http.Request) (any, error) {
	s := h.scopeOf(r)
	service, err := h.service(r, s)
	if err != nil {
		return nil, err
	}
	return FormatService(service, s.options), nil
}

// service is the one that r's path ends with.
func (h *handler) service(r *http.Request, s scope) (*runpb.Service, error) {
	name, err := objectName(r)
	if err != nil {
		return nil, err
	}
	return h.control.Service(r.Context(), s.parent()+"/services/"+name)
}

// serviceName is its full name. Where no location is known, that is the name of
// the service that exists.
func (h *handler) serviceName(r *http.Request, s scope) (string, error) {
	if s.location == "" {
		service, err := h.service(r, s)
		return service.GetName(), err
	}
	name, err := objectName(r)
	return s.parent() + "/services/" + name, err
}

func (h *handler) createService(r *http.Request) (any, error) {
	s := h.scopeOf(r)
	dryRun, err := dryRun(r)
	if err != nil {
		return nil, err
	}
	object, err := h.readService(r, s)
	if err != nil {
		return nil, err
	}
	if err := object.Metadata.complete(); err != nil {
		return nil, err
	}
	service, err := object.resource()
	if err != nil {
		return nil, err
	}
	id := service.Name
	service.Name = "" // it is made of the parent and the id
	service, op, err := h.control.CreateService(r.Context(), &runpb.CreateServiceRequest{
		Parent: s.in(h.newLocation(s, object.Metadata)), ServiceId: id, Service: service, ValidateOnly: dryRun,
	})
	if err != nil {
		return nil, err
	}
	return FormatService(service, s.options.about(op)), nil
}

// replaceService replaces a service. Whoever waits for it afterwards waits for
// the operation that its annotations name.
func (h *handler) replaceService(r *http.Request) (any, error) {
	s := h.scopeOf(r)
	dryRun, err := dryRun(r)
	if err != nil {
		return nil, err
	}
	object, err := h.readService(r, s)
	if err != nil {
		return nil, err
	}
	if s.location == "" {
		s.location = object.Metadata.Labels[locationKey]
	}
	if err := object.Metadata.checkSame(r.PathValue("name")); err != nil {
		return nil, err
	}
	service, err := object.resource()
	if err != nil {
		return nil, err
	}
	if service.Name, err = h.serviceName(r, s); err != nil {
		return nil, err
	}
	if service.Etag, err = object.Metadata.etag(service.Name); err != nil {
		return nil, err
	}
	service, op, err := h.control.UpdateService(r.Context(), &runpb.UpdateServiceRequest{Service: service, ValidateOnly: dryRun})
	if err != nil {
		return nil, err
	}
	return FormatService(service, s.options.about(op)), nil
}

func (h *handler) deleteService(r *http.Request) (any, error) {
	dryRun, err := dryRun(r)
	if err != nil {
		return nil, err
	}
	name, err := h.serviceName(r, h.scopeOf(r))
	if err != nil {
		return nil, err
	}
	service, _, err := h.control.DeleteService(r.Context(), &runpb.DeleteServiceRequest{Name: name, ValidateOnly: dryRun})
	if err != nil {
		return nil, err
	}
	return success(service, pluralServices), nil
}

func (h *handler) listServices(r *http.Request) (any, error) {
	return listOfServices(h, r, pluralServices, "ServiceList", FormatService)
}

// listOfServices is a list of services, or of what is seen of them in another
// form.
func listOfServices[T any](h *handler, r *http.Request, plural, kind string, format func(*runpb.Service, Options) T) (any, error) {
	s := h.scopeOf(r)
	p, err := pageOf(r)
	if err != nil {
		return nil, err
	}
	return list(p, s, plural, kind, format, serviceLabels,
		func(q control.Query[*runpb.Service]) ([]*runpb.Service, string, error) {
			q.Parent = s.parent()
			return h.control.Services(r.Context(), q)
		})
}

// view answers for a kind of objects that are services seen in another form.
type view[T any] struct {
	*handler
	plural, kind string
	format       func(*runpb.Service, Options) *T
}

func (v view[T]) get(r *http.Request) (any, error) {
	s := v.scopeOf(r)
	service, err := v.service(r, s)
	if err != nil {
		return nil, err
	}
	return v.format(service, s.options), nil
}

func (v view[T]) list(r *http.Request) (any, error) {
	return listOfServices(v.handler, r, v.plural, v.kind, v.format)
}
