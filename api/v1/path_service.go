package v1

import "strings"

const serviceMetadata = "metadata.annotations"

// servicePaths are to services what paths are to jobs.
var servicePaths = []pair{
	{"template.executionEnvironment", onTemplate(environmentKey)},
	{"template.encryptionKeyRevocationAction", onTemplate(revocationKey)},
	{"template.encryptionKeyShutdownDuration", onTemplate(shutdownKey)},
	{"template.encryptionKey", onTemplate(encryptionKey)},
	{"template.vpcAccess.connector", onTemplate(connectorKey)},
	{"template.vpcAccess.egress", onTemplate(egressKey)},
	{"template.vpcAccess.networkInterfaces", onTemplate(interfacesKey)},
	{"template.gpuZonalRedundancyDisabled", onTemplate(zonalKey)},
	{"template.scaling.minInstanceCount", onTemplate(minScaleKey)},
	{"template.scaling.maxInstanceCount", onTemplate(maxScaleKey)},
	{"template.sessionAffinity", onTemplate(affinityKey)},
	{"template.healthCheckDisabled", onTemplate(unprobedKey)},
	{"template.serviceMesh", onTemplate(meshKey)},
	{"template.nodeSelector.accelerator", revisionPath + `.nodeSelector["` + acceleratorKey + `"]`},
	{"template.maxInstanceRequestConcurrency", revisionPath + ".containerConcurrency"},
	{"template.timeout", revisionPath + ".timeoutSeconds"},
	{"template.serviceAccount", revisionPath + ".serviceAccountName"},
	{"template.revision", templateMetadata + ".name"},
	{"template.labels", templateMetadata + ".labels"},
	{"template.annotations", templateMetadata + ".annotations"},
	{"template.", revisionPath + "."},
	{"template", "spec.template"},
	{"traffic", "spec.traffic"},
	{"name", "metadata.name"},
	{"labels", "metadata.labels"},
	{"annotations", serviceMetadata},
	{"launchStage", onService(launchStageKey)},
	{"clientVersion", onService(clientVersionKey)},
	{"client", onService(clientNameKey)},
	{"binaryAuthorization.breakglassJustification", onService(breakglassKey)},
	{"binaryAuthorization", onService(binauthzKey)},
	{"ingress", onService(ingressKey)},
	{"description", onService(descriptionKey)},
	{"customAudiences", onService(audiencesKey)},
	{"invokerIamDisabled", onService(openKey)},
	{"defaultUriDisabled", onService(noURLKey)},
	{"iapEnabled", onService(iapKey)},
	{"scaling.minInstanceCount", onService(minTotalKey)},
	{"scaling.maxInstanceCount", onService(maxTotalKey)},
	{"scaling.scalingMode", onService(modeKey)},
	{"scaling.manualInstanceCount", onService(manualKey)},
	{"etag", "metadata.resourceVersion"},
}

// onTemplate is the path of an annotation of a service's template, onService of
// one of the service itself.
func onTemplate(key string) string { return templateMetadata + `.annotations["` + key + `"]` }
func onService(key string) string  { return serviceMetadata + `["` + key + `"]` }

// ServicePath returns where a v1 file has what a v2 service has at v2path, as
// in "template.timeout". A path that v1 has no place for stays as it is.
func ServicePath(v2path string) string {
	path := translate(v2path, servicePaths)
	switch {
	case strings.HasPrefix(v2path, "template.containers"):
		switch {
		case strings.HasSuffix(v2path, "].resources.cpuIdle"):
			return onTemplate(throttlingKey)
		case strings.HasSuffix(v2path, "].resources.startupCpuBoost"):
			return onTemplate(boostKey)
		}
		return containerPath(path)
	case strings.HasPrefix(v2path, "traffic["):
		return strings.Replace(path, "].revision", "].revisionName", 1)
	}
	return path
}
