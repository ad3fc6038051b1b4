package api

import (
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/encoding/protowire"
)

// Fields of WorkerPoolScaling that clients know and our messages do not. gcloud
// sends its scaling mode with every number of instances.
// Source: gcloud 578, run_v2/types/vendor_settings.py.
const (
	poolScalingMode protowire.Number = 5
	// Values of the mode.
	poolScalingUnspecified = 0
	poolScalingManual      = 2
)

// poolScaling checks how many instances a worker pool has. A number that a newer
// client wants to be found by scaling is refused, not forgotten.
func (c *checker) poolScaling(path string, s *runpb.WorkerPoolScaling) {
	if n := s.GetManualInstanceCount(); n < 0 {
		c.add(path+".manualInstanceCount", "%d is not a number of instances: want 0, which stops all, or more", n)
	}
	for rest := []byte(s.ProtoReflect().GetUnknown()); len(rest) > 0; {
		number, kind, head := protowire.ConsumeTag(rest)
		value := rest[head:]
		n := protowire.ConsumeFieldValue(number, kind, value)
		mode, _ := protowire.ConsumeVarint(value[:n])
		if number != poolScalingMode || kind != protowire.VarintType || mode != poolScalingManual && mode != poolScalingUnspecified {
			c.add(path, "asks for automatic scaling, which worker pools do not have here: want manualInstanceCount and nothing else")
			return
		}
		rest = value[n:]
	}
}
