package contract

import "time"

// SourceDir is where the files of a directory lie that was deployed without a
// build, and where its programs start.
// Source: Cloud Native Buildpacks, "Platform API": the application directory
// defaults to /workspace; Google's builders keep to it.
const SourceDir = "/workspace"

// SourceTime is when every file of a deployed directory was changed last, so
// that the same files make the same image.
// Source: https://cloud.google.com/run/docs/deploying-source-code, "Limitations":
// files are dated 1 January 1980.
func SourceTime() time.Time { return time.Date(1980, time.January, 1, 0, 0, 1, 0, time.UTC) }
