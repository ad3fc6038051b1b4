package cli

import "strings"

// absent is what to do instead of using a flag of gcloud or docker that is not
// offered here, "" if it is none of those.
func absent(name string) string {
	const leaveOut = "leave it out"
	switch name {
	case "platform", "execution-environment", "cluster", "cluster-location", "namespace":
		return "there is but one platform here: " + leaveOut
	case "source", "base-image", "no-build":
		return "directories are deployed by runnel deploy, runnel jobs deploy and runnel worker-pools deploy"
	case "build-env-vars-file", "build-service-account", "function":
		return "images are built by a Dockerfile alone, with --source: " + leaveOut
	case "vpc-connector", "clear-vpc-connector", "vpc-egress", "network", "subnet", "network-tags", "net":
		return "each instance has a network of its own: " + leaveOut
	case "gpu", "gpu-type", "gpu-zonal-redundancy", "no-gpu-zonal-redundancy", "gpus":
		return "GPUs are not supported"
	case "set-secrets", "update-secrets", "remove-secrets", "clear-secrets":
		return "secrets are not supported: pass the value with --set-env-vars"
	case "binary-authorization", "clear-binary-authorization", "key", "clear-key", "encryption-key-shutdown-hours", "post-key-revocation-action-type":
		return "there are no policies and no keys here: " + leaveOut
	case "d", "detach", "rm", "restart":
		return "what runs is started and removed without being told: " + leaveOut
	case "i", "t", "tty", "interactive":
		return "there is no terminal in an instance: " + leaveOut
	}
	if strings.HasSuffix(name, "-cloudsql-instances") {
		return "Cloud SQL is not offered: connect to the database's address"
	}
	return ""
}

// elsewhereCalled is the command that one of docker, kubectl or a shell is called
// here, the name itself if it is none.
func elsewhereCalled(name string) string {
	switch name {
	case "rm", "remove", "destroy":
		return "delete"
	case "ls", "ps":
		return "list"
	case "get", "inspect", "show", "status":
		return "describe"
	case "add", "create", "make", "new":
		return "deploy"
	case "edit", "patch", "scale", "set":
		return "update"
	case "apply":
		return "replace"
	case "tail":
		return "logs"
	}
	return name
}
