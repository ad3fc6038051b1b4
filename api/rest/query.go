package rest

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// options are what the system parameters of a query ask for.
type options struct {
	// numbers: enums as numbers.
	numbers bool
	// compact: no line breaks.
	compact bool
}

// parameter is one name=value of a query.
type parameter struct{ name, value string }

// parseQuery splits a query. Unlike net/url it takes a semicolon for itself:
// "$alt=json;enum-encoding=int" is one parameter.
func parseQuery(raw string) ([]parameter, error) {
	var all []parameter
	var bad []violation
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		n, err := url.QueryUnescape(name)
		if err != nil {
			bad = append(bad, violation{name, "the parameter's name has a wrong escape"})
			continue
		}
		v, err := url.QueryUnescape(value)
		if err != nil {
			bad = append(bad, violation{n, "the parameter's value has a wrong escape"})
			continue
		}
		all = append(all, parameter{n, v})
	}
	return all, refuse(bad)
}

// isSystem reports whether every method knows a parameter, so that a message
// need not have it. Most are read by nobody here.
func isSystem(name string) bool {
	switch strings.TrimPrefix(name, "$") {
	case "alt", "prettyPrint", "pp", "fields", "key", "quotaUser", "userIp", "access_token", "oauth_token",
		"bearer_token", "uploadType", "upload_protocol", "callback", "trace", "xgafv", ".xgafv", "userProject":
		return true
	}
	return false
}

// takeSystem parts the system parameters from those for the request m.
func takeSystem(all []parameter, m protoreflect.MessageDescriptor) (mine []parameter, o options, err error) {
	var bad []violation
	for _, p := range all {
		switch {
		case !isSystem(p.name) || fieldNamed(m, p.name) != nil:
			mine = append(mine, p)
		case strings.HasSuffix(p.name, "alt"):
			numbers, ok := parseAlt(p.value)
			if !ok {
				bad = append(bad, violation{p.name, "only json is offered, and json;enum-encoding=int"})
			}
			o.numbers = o.numbers || numbers
		case strings.HasSuffix(p.name, "prettyPrint"), strings.HasSuffix(p.name, "pp"):
			o.compact = p.value == "false" || p.value == "0"
		}
	}
	return mine, o, refuse(bad)
}

// takeFlags parts the flags of a method from the parameters for its request, and
// has those that are true noted in ctx.
func (t *Transcoder) takeFlags(ctx context.Context, method string, all []parameter) (_ context.Context, mine []parameter, err error) {
	flags := t.config.Flags[method]
	var bad []violation
	seen := map[string]bool{}
	for _, p := range all {
		flag, ok := flags[p.name]
		if !ok {
			mine = append(mine, p)
			continue
		}
		on, err := strconv.ParseBool(p.value)
		if err = reason(err, "true or false", p.value); err == nil && seen[p.name] {
			err = errTwice
		}
		if err != nil {
			bad = append(bad, violation{p.name, err.Error()})
		}
		if seen[p.name] = true; on {
			ctx = flag(ctx)
		}
	}
	return ctx, mine, refuse(bad)
}

// parseAlt reads the form that an answer shall have.
func parseAlt(value string) (numbers, ok bool) {
	form, settings, _ := strings.Cut(strings.ToLower(value), ";")
	if form != "json" && form != "" {
		return false, false
	}
	return strings.Contains(settings, "enum-encoding=int"), true
}

// bindQuery puts the parameters of a query into m. What the path has said, and
// what the body is for, a query cannot say.
func (r *route) bindQuery(m protoreflect.Message, params []parameter) error {
	var bad []violation
	seen := map[string]bool{}
	for _, p := range params {
		fields, err := resolve(r.input, p.name)
		if err == nil {
			err = r.admit(fields, seen)
		}
		if err == nil {
			err = setText(m, fields, p.value)
		}
		if err != nil {
			bad = append(bad, violation{p.name, err.Error()})
		}
	}
	return refuse(bad)
}

// admit says why a query may not set a field, and notes that it has.
func (r *route) admit(fields []protoreflect.FieldDescriptor, seen map[string]bool) error {
	name := canonical(fields)
	repeated := fields[len(fields)-1].IsList()
	switch {
	case slices.ContainsFunc(r.template.variables, func(v variable) bool { return v.field == name }):
		return errInPath
	case r.body.takes(fields[0]):
		return errInBody
	case seen[name] && !repeated:
		return errTwice
	}
	seen[name] = true
	return nil
}
