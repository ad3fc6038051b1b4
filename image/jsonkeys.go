package image

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// checkKeys refuses a JSON document in which an object has a key twice, also in
// other case: encoding/json takes the last of them, other readers the first, and
// one digest would stand for two images.
func checkKeys(raw []byte) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var open []*jsonObject // objects, and nil for lists
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if token == json.Delim('}') || token == json.Delim(']') {
			open = open[:len(open)-1]
			continue
		}
		if n := len(open); n > 0 && open[n-1] != nil {
			if err := open[n-1].next(token); err != nil {
				return err
			}
		}
		switch token {
		case json.Delim('{'):
			open = append(open, &jsonObject{keys: map[string]bool{}})
		case json.Delim('['):
			open = append(open, nil)
		}
	}
}

// jsonObject is an object under way: its tokens are key, value, key, value.
type jsonObject struct {
	keys    map[string]bool
	atValue bool
}

func (o *jsonObject) next(token json.Token) error {
	key, _ := token.(string)
	isKey := !o.atValue
	o.atValue = isKey
	if !isKey {
		return nil
	}
	folded := strings.ToLower(strings.ToUpper(key)) // some letters have three forms
	if o.keys[folded] {
		return fmt.Errorf("it has the key %q twice", clip(key))
	}
	o.keys[folded] = true
	return nil
}
