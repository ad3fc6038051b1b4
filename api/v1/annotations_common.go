package v1

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"cloud.google.com/go/run/apiv2/runpb"
	apipb "google.golang.org/genproto/googleapis/api"
)

// What several kinds of objects refuse in an annotation.
var (
	errCloudSQL = errors.New("connections to Cloud SQL are not supported")
	errSecrets  = errors.New("secrets are not supported yet")
)

// header is what jobs and services both have about themselves.
type header struct {
	stage           *apipb.LaunchStage
	client, version *string
	binauthz        **runpb.BinaryAuthorization
}

// lift reads an annotation of the object itself.
func (h header) lift(k, v string) (known bool, err error) {
	switch k {
	case launchStageKey:
		stage, ok := apipb.LaunchStage_value[v]
		if !ok {
			return true, fmt.Errorf("%q is not a launch stage: want ALPHA, BETA or GA", v)
		}
		*h.stage = apipb.LaunchStage(stage)
	case clientNameKey:
		*h.client = v
	case clientVersionKey:
		*h.version = v
	case binauthzKey, breakglassKey:
		if *h.binauthz == nil {
			*h.binauthz = &runpb.BinaryAuthorization{}
		}
		b := *h.binauthz
		switch {
		case k == breakglassKey:
			b.BreakglassJustification = v
		case v == "default":
			b.BinauthzMethod = &runpb.BinaryAuthorization_UseDefault{UseDefault: true}
		default:
			b.BinauthzMethod = &runpb.BinaryAuthorization_Policy{Policy: v}
		}
	default:
		return false, nil
	}
	return true, nil
}

// place is what the templates of tasks and revisions both have about where
// instances run.
type place struct {
	environment *runpb.ExecutionEnvironment
	key         *string
	vpc         **runpb.VpcAccess
	zonal       **bool
}

// lift reads an annotation of the template.
func (p place) lift(k, v string) (known bool, err error) {
	switch k {
	case environmentKey:
		*p.environment, err = parseEnvironment(v)
	case encryptionKey:
		*p.key = v
	case connectorKey, egressKey, interfacesKey:
		if *p.vpc == nil {
			*p.vpc = &runpb.VpcAccess{}
		}
		err = liftVPC(*p.vpc, k, v)
	case zonalKey:
		var disabled bool
		if disabled, err = parseBool(v); err == nil {
			*p.zonal = &disabled
		}
	default:
		return false, nil
	}
	return true, err
}

func parseBool(v string) (bool, error) {
	b, err := strconv.ParseBool(v)
	if err != nil {
		return false, fmt.Errorf("%q is neither true nor false", v)
	}
	return b, nil
}

func parseEnvironment(v string) (runpb.ExecutionEnvironment, error) {
	switch v {
	case "gen1":
		return runpb.ExecutionEnvironment_EXECUTION_ENVIRONMENT_GEN1, nil
	case "gen2":
		return runpb.ExecutionEnvironment_EXECUTION_ENVIRONMENT_GEN2, nil
	}
	return 0, fmt.Errorf("%q is not an execution environment: want gen2", v)
}

// liftVPC reads an annotation about the network that a task is attached to.
func liftVPC(vpc *runpb.VpcAccess, k, v string) error {
	switch k {
	case connectorKey:
		vpc.Connector = v
	case egressKey:
		switch v {
		case "all-traffic", "all":
			vpc.Egress = runpb.VpcAccess_ALL_TRAFFIC
		case "private-ranges-only":
			vpc.Egress = runpb.VpcAccess_PRIVATE_RANGES_ONLY
		default:
			return fmt.Errorf("%q is not accepted: want all-traffic or private-ranges-only", v)
		}
	case interfacesKey:
		var interfaces []networkInterface
		if err := json.Unmarshal([]byte(v), &interfaces); err != nil {
			return fmt.Errorf("is not a JSON list of network, subnetwork and tags: %v", err)
		}
		for _, i := range interfaces {
			vpc.NetworkInterfaces = append(vpc.NetworkInterfaces, &runpb.VpcAccess_NetworkInterface{Network: i.Network, Subnetwork: i.Subnetwork, Tags: i.Tags})
		}
	}
	return nil
}

// networkInterface is an element of the list in interfacesKey.
type networkInterface struct {
	Network    string   `json:"network,omitempty"`
	Subnetwork string   `json:"subnetwork,omitempty"`
	Tags       []string `json:"tags,omitempty"`
}
