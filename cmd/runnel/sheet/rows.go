package sheet

import (
	"bytes"
	"encoding/json"
	"fmt"

	"google.golang.org/protobuf/types/known/timestamppb"

	"runnel/cmd/runnel/format"
)

// timeLayout is that of times in tables, which are in UTC.
const timeLayout = "2006-01-02 15:04:05 UTC"

// Row makes one of a resource's v1 form.
func Row(resource any, attributes map[string]any) (format.Row, error) {
	data, err := json.Marshal(resource)
	if err != nil {
		return format.Row{}, fmt.Errorf("write JSON: %w", err)
	}
	out := format.Row{Attributes: attributes}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&out.Resource); err != nil {
		return format.Row{}, fmt.Errorf("write JSON: %w", err)
	}
	return out, nil
}

// Timestamp is t as v1 writes it; nil if it has not come.
func Timestamp(t *timestamppb.Timestamp) any {
	if t == nil {
		return nil
	}
	return t.AsTime().Format("2006-01-02T15:04:05.000000Z")
}

// Moment is t in a table, empty if it has not come.
func Moment(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	return t.AsTime().Format(timeLayout)
}
