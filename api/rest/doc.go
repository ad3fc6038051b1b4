// Package rest carries HTTP/JSON calls to gRPC services. It knows none of them:
// which path, query and body make which request it reads from the google.api.http
// annotations of the services' descriptors, and the calls go to the same handlers
// that a gRPC server calls, in this process.
//
// It writes what Google's APIs write: lowerCamelCase names, zero values left
// out, 64-bit integers as strings, and {"error": {code, message, status,
// details}} where a call fails. It reads both spellings of a name and enums by
// name or number, and refuses what it does not know, saying where it stands.
//
// It bounds how many values a body holds, but neither its bytes nor time: who
// takes the connection does.
package rest
