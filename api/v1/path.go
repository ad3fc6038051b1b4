package v1

import "strings"

const taskPath = "spec.template.spec.template.spec"

// paths pairs the paths of v2 with those of v1. The first that leads to a
// field translates it, so longer ones stand before shorter ones.
var paths = []pair{
	{"template.template.executionEnvironment", templateMetadata + `.annotations["` + environmentKey + `"]`},
	{"template.template.encryptionKey", templateMetadata + `.annotations["` + encryptionKey + `"]`},
	{"template.template.vpcAccess.connector", templateMetadata + `.annotations["` + connectorKey + `"]`},
	{"template.template.vpcAccess.egress", templateMetadata + `.annotations["` + egressKey + `"]`},
	{"template.template.vpcAccess.networkInterfaces", templateMetadata + `.annotations["` + interfacesKey + `"]`},
	{"template.template.gpuZonalRedundancyDisabled", templateMetadata + `.annotations["` + zonalKey + `"]`},
	{"template.template.nodeSelector.accelerator", taskPath + `.nodeSelector["` + acceleratorKey + `"]`},
	{"template.template.timeout", taskPath + ".timeoutSeconds"},
	{"template.template.serviceAccount", taskPath + ".serviceAccountName"},
	{"template.template.", taskPath + "."},
	{"template.template", "spec.template.spec.template"},
	{"template.labels", templateMetadata + ".labels"},
	{"template.annotations", templateMetadata + ".annotations"},
	{"template.", "spec.template.spec."},
	{"template", "spec.template"},
	{"name", "metadata.name"},
	{"labels", "metadata.labels"},
	{"annotations", jobAnnotations},
	{"startExecutionToken", "spec.startExecutionToken"},
	{"runExecutionToken", "spec.runExecutionToken"},
	{"launchStage", jobAnnotations + `["` + launchStageKey + `"]`},
	{"clientVersion", jobAnnotations + `["` + clientVersionKey + `"]`},
	{"client", jobAnnotations + `["` + clientNameKey + `"]`},
	{"binaryAuthorization.breakglassJustification", jobAnnotations + `["` + breakglassKey + `"]`},
	{"binaryAuthorization", jobAnnotations + `["` + binauthzKey + `"]`},
}

// Path returns where a v1 file has what a v2 job has at v2path, as in
// "template.template.timeout". A path that v1 has no place for stays as it is.
func Path(v2path string) string {
	path := translate(v2path, paths)
	if strings.HasPrefix(v2path, "template.template.containers") {
		return containerPath(path)
	}
	return path
}

// pair is a path of v2 and where it leads in v1.
type pair struct{ v2, v1 string }

// translate applies the first of the pairs that leads to a field.
func translate(v2path string, pairs []pair) string {
	for _, p := range pairs {
		rest, ok := strings.CutPrefix(v2path, p.v2)
		if !ok || rest != "" && rest[0] != '.' && rest[0] != '[' && !strings.HasSuffix(p.v2, ".") {
			continue
		}
		return p.v1 + rest
	}
	return v2path
}

// containerPath translates the last part of a path within a container.
func containerPath(path string) string {
	if i := strings.Index(path, "].dependsOn"); i >= 0 {
		return templateMetadata + `.annotations["` + dependenciesKey + `"]`
	}
	path = strings.Replace(path, "].valueSource.secretKeyRef.secret", "].valueFrom.secretKeyRef.name", 1)
	path = strings.Replace(path, "].valueSource.secretKeyRef.version", "].valueFrom.secretKeyRef.key", 1)
	return strings.Replace(path, "].valueSource", "].valueFrom", 1)
}
