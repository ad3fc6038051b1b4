package contract

import "time"

// Bounds of the request path.
// Source: "Quotas and limits", requests; "HTTP/2", Cloud Run.
const (
	// MaxBody is how large a request or a response over HTTP/1 may be that says
	// its length beforehand.
	MaxBody Bytes = 32 << 20
	// MaxStreams is how many HTTP/2 streams a client's connection may have open.
	MaxStreams = 100
)

// Bounds that no document states: large enough for every client that means well.
const (
	// MaxRequestHeader bounds a request's line and headers together.
	// Source: "Quotas and limits", Cloud Load Balancing, request headers.
	MaxRequestHeader Bytes = 64 << 10
	// MaxRequestFields is how many header lines a request may have.
	MaxRequestFields = 256
)

// AffinityTime is how long a client's browser remembers its instance.
// Source: "Set session affinity for services".
const AffinityTime = 30 * 24 * time.Hour

// What callers give, and what of it reaches a service.
// Source: "Authenticating service-to-service"; SIGNATURE_REMOVED_BY_GOOGLE as
// observed.
const (
	// ServerlessAuthorization is the header that is asked first, and is for the
	// platform alone.
	ServerlessAuthorization = "X-Serverless-Authorization"
	// SignatureRemoved stands in place of the signature of a token that was
	// checked.
	SignatureRemoved = "SIGNATURE_REMOVED_BY_GOOGLE"
	// InvalidToken is the WWW-Authenticate of a token that was refused.
	InvalidToken = `Bearer error="invalid_token" error_description="The access token could not be verified"`
)

// Bodies of answers that are no pages.
// Source: "Troubleshoot Cloud Run issues"; as observed.
const (
	BodyRateExceeded   = "Rate exceeded."
	BodyRequestTimeout = "upstream request timeout"
	BodyUnavailable    = "Service Unavailable"
)

// Sentences of the pages that refuse a request. PageForbidden and
// PageUnauthorized are formats that take the path.
// Source: as observed.
const (
	PageForbidden    = "Your client does not have permission to get URL <code>%s</code> from this server."
	PageUnauthorized = "Your client does not have permission to the requested URL <code>%s</code>."
	PageNotFound     = "The requested URL was not found on this server."
	PageDisabled     = "Service is disabled"
	PageNotReady     = "The service you requested is not available yet.<p>Please try again in 30 seconds."
	PageServerError  = "The server encountered an error and could not complete your request.<p>Please try again in 30 seconds."
	PageBadRequest   = "Your client has issued a malformed or illegal request."
	PageTooLarge     = "Your client issued a request that was too large."
)

// What the request log says of a request that no instance has answered, or not
// to the end.
// Source: "Troubleshoot Cloud Run issues"; as observed.
const (
	LogNoInstance    = "The request was aborted because there was no available instance."
	LogMemory        = "While handling this request, the container instance was found to be using too much memory and was terminated."
	LogConnection    = "The request failed because either the HTTP response was malformed or connection to the instance had an error."
	LogTimeout       = "The request has been terminated because it has reached the maximum request timeout."
	LogNotAuthorized = "The request was not authorized to invoke this service."
)

// What the request log says where no document has the words.
const (
	LogUnhealthy  = "The request failed because the instance did not answer its liveness probe and was shut down."
	LogDisabled   = "The request was aborted because the service is disabled."
	LogNotReady   = "The request was aborted because the service has no revision that is ready."
	LogIngress    = "The request was refused because the service takes internal requests only."
	LogTooLarge   = "The request was refused because its body is larger than 32 MiB."
	LogAnswer     = "The request failed because the response is larger than 32 MiB."
	LogMalformed  = "The request was refused because it is malformed."
	LogDisconnect = "The client closed the connection before the request was answered."
	LogShutdown   = "The request was aborted because the server is shutting down."
)
