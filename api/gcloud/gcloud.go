// Package gcloud is what gcloud needs to talk to this host besides Cloud Run's
// own API: the environment that sends it here, and short true answers to what
// it asks of Google's other APIs on the way, namely which number a project has
// and which services are enabled in it. It changes nothing.
package gcloud

import "strings"

// Where the other APIs are, below the endpoint. Each is one of Google's, so
// their paths must be kept apart.
const (
	// Path is the beginning of all paths that the handler answers.
	Path = "/gcloud/"

	resourceManagerPath = Path + "cloudresourcemanager/"
	serviceUsagePath    = Path + "serviceusage/"
)

// Environment returns what must stand in gcloud's environment, as NAME=value,
// so that it uses the server at endpoint, such as http://localhost:8787, with
// the token in tokenFile (empty: none), and with project and region unless it
// is told others.
//
// For what is in one region gcloud talks to the endpoint's host with the region
// before it, as in us-central1-localhost, which must be the same host.
func Environment(endpoint, tokenFile, project, region string) []string {
	endpoint = strings.TrimSuffix(endpoint, "/")
	const override = "CLOUDSDK_API_ENDPOINT_OVERRIDES_"
	env := []string{
		override + "RUN=" + endpoint + "/",
		override + "LOGGING=" + endpoint + "/",
		override + "CLOUDSCHEDULER=" + endpoint + "/",
		override + "CLOUDRESOURCEMANAGER=" + endpoint + resourceManagerPath,
		override + "SERVICEUSAGE=" + endpoint + serviceUsagePath,
		"CLOUDSDK_CORE_PROJECT=" + project,
		"CLOUDSDK_RUN_REGION=" + region,
	}
	if tokenFile == "" {
		return append(env, "CLOUDSDK_AUTH_DISABLE_CREDENTIALS=true")
	}
	return append(env, "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE="+tokenFile)
}
