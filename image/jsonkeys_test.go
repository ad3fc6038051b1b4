package image

import "testing"

func TestCheckKeys(t *testing.T) {
	t.Parallel()
	for raw, ok := range map[string]bool{
		`{}`:                               true,
		`{"a":"a","b":["a","a"],"c":{}}`:   true,
		`{"a":{"a":1},"b":{"a":{"b":1}}}`:  true,
		`[{"a":1},{"a":2}]`:                true,
		`{"a":1,"a":1}`:                    false,
		`{"a":[{}],"b":1,"a":2}`:           false,
		`{"layers":[],"Layers":[]}`:        false,
		`{"layers":[],"layer\u017f":[]}`:   false,
		`{"a":1,"\u0061":2}`:               false,
		`{"x":[1,{"y":[]},{"z":1,"z":2}]}`: false,
	} {
		if err := checkKeys([]byte(raw)); (err == nil) != ok {
			t.Errorf("%s: %v", raw, err)
		}
	}
}
