package v1

import (
	"errors"
	"fmt"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/api"
)

// What the annotations of services mean nothing for.
var (
	errNoRequests      = errors.New("is for services: a worker pool takes no requests")
	errScaled          = errors.New("is not supported: a worker pool is not scaled automatically, want " + manualKey)
	errFirstGeneration = errors.New("gen1 is not possible: worker pools always run in the second generation; want gen2, or leave it out")
	errThrottled       = errors.New("is not supported: the instances of a worker pool have their CPU all the time, want false")
)

// liftWorkerPool moves what v1 says in annotations to the fields of pool, and to
// those of its template, which has the form of a service's and may be nil.
func liftWorkerPool(pool *runpb.WorkerPool, t *runpb.RevisionTemplate) api.FieldErrors {
	var l lifter
	l.each("metadata.annotations", pool.Annotations, func(k, v string) (bool, error) { return liftWorkerPoolKey(pool, k, v) })
	if t == nil {
		return l.errs
	}
	cpu := &cpuReader{containers: t.GetContainers()}
	l.each(templateMetadata+".annotations", t.Annotations, func(k, v string) (bool, error) {
		if k == boostKey || k == unlikeBoost {
			return cpu.lift(k, v)
		}
		return liftWorkerPoolRevisionKey(t, k, v)
	})
	cpu.applyBoost()
	return l.errs
}

// liftWorkerPoolKey reads an annotation of the worker pool itself.
func liftWorkerPoolKey(p *runpb.WorkerPool, k, v string) (known bool, err error) {
	h := header{&p.LaunchStage, &p.Client, &p.ClientVersion, &p.BinaryAuthorization}
	if known, err := h.lift(k, v); known {
		return true, err
	}
	switch k {
	case descriptionKey:
		p.Description = v
	case manualKey:
		var n int32
		if n, err = parseCount(v); err == nil {
			p.Scaling = &runpb.WorkerPoolScaling{ManualInstanceCount: &n}
		}
	case modeKey:
		switch strings.ToLower(v) {
		case "manual": // as all of them are
		case "automatic":
			err = errScaled
		default:
			err = fmt.Errorf("%q is not a scaling mode: want manual", v)
		}
	case minTotalKey, maxTotalKey:
		err = errScaled
	case ingressKey, openKey, noURLKey, iapKey:
		err = errNoRequests
	default:
		return false, nil
	}
	return true, err
}

// liftWorkerPoolRevisionKey reads an annotation of the template.
func liftWorkerPoolRevisionKey(t *runpb.RevisionTemplate, k, v string) (known bool, err error) {
	switch k {
	case minScaleKey, maxScaleKey:
		err = errScaled
	case affinityKey:
		err = errNoRequests
	case unprobedKey:
		err = errors.New("is for services: give the worker pool's containers no probes instead")
	case throttlingKey:
		var idle bool
		if idle, err = parseBool(v); idle {
			err = errThrottled
		}
	case environmentKey:
		var e runpb.ExecutionEnvironment
		if e, err = parseEnvironment(v); e == runpb.ExecutionEnvironment_EXECUTION_ENVIRONMENT_GEN1 {
			err = errFirstGeneration
		}
		return err != nil, err // worker pools have no such field
	default:
		return liftRevisionKey(t, k, v)
	}
	return true, err
}
