package ingress

import (
	"errors"
	"fmt"
	"html"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"runnel/contract"
	"runnel/ingress/forward"
)

// statusClosed is what is logged of a request whose client went away. Nobody
// gets it.
const statusClosed = 499

// answer is what a client gets for a failure, and what is logged of it.
type answer struct {
	why    error
	status int
	// title is that of a page with the sentence on it, a format of the path
	// where it has a %s; without title the sentence is the whole body.
	title, sentence string
	// text is for the log.
	text string
}

const (
	serverError = "Server Error"
	notFound    = "Page not found"
)

// answers is every failure there is. The first that a failure matches counts.
// Its source is the contract's.
var answers = []answer{
	{errMalformed, 400, "Bad Request", contract.PageBadRequest, contract.LogMalformed},
	{forward.ErrBadRequest, 400, "Bad Request", contract.PageBadRequest, contract.LogMalformed},
	{errUnauthorized, 401, "Unauthorized", contract.PageUnauthorized, contract.LogNotAuthorized},
	{errForbidden, 403, "Forbidden", contract.PageForbidden, contract.LogNotAuthorized},
	{errUnknown, 404, notFound, contract.PageNotFound, ""},
	{errInternal, 404, notFound, contract.PageNotFound, contract.LogIngress},
	{errBody, 413, "Request Entity Too Large", contract.PageTooLarge, contract.LogTooLarge},
	{errFields, 431, "Request Header Fields Too Large", contract.PageTooLarge, contract.LogMalformed},
	{ErrSaturated, 429, "", contract.BodyRateExceeded, contract.LogNoInstance},
	{errDisconnect, statusClosed, "", "", contract.LogDisconnect},
	{ErrMemory, 500, serverError, contract.PageServerError, contract.LogMemory},
	{ErrNoInstance, 500, serverError, contract.PageServerError, contract.LogNoInstance},
	{forward.ErrTooLarge, 500, serverError, contract.PageServerError, contract.LogAnswer},
	{ErrUnhealthy, 503, "", contract.BodyUnavailable, contract.LogUnhealthy},
	{ErrEnded, 503, "", contract.BodyUnavailable, contract.LogConnection},
	{forward.ErrUnreachable, 503, "", contract.BodyUnavailable, contract.LogConnection},
	{forward.ErrMalformed, 503, "", contract.BodyUnavailable, contract.LogConnection},
	{errDisabled, 503, serverError, contract.PageDisabled, contract.LogDisabled},
	{errNotReady, 503, serverError, contract.PageNotReady, contract.LogNotReady},
	{errShutdown, 503, "", contract.BodyUnavailable, contract.LogShutdown},
	{errTimeout, 504, "", contract.BodyRequestTimeout, contract.LogTimeout},
}

// answerOf finds the answer to a failure.
func answerOf(err error) answer {
	for _, a := range answers {
		if errors.Is(err, a.why) {
			return a
		}
	}
	return answer{err, 500, serverError, contract.PageServerError, contract.LogConnection}
}

// closes reports whether the client's connection is of no use afterwards: there
// may be a body on it that nobody wants.
func (a answer) closes() bool {
	return a.status == 400 || a.status == 413 || a.status == 431 || a.status == 504
}

// write answers r, and tells how long the body is; last says that the client's
// connection is of no use afterwards in any case.
func (a answer) write(w http.ResponseWriter, r *http.Request, last bool) int {
	if a.status == statusClosed {
		return 0
	}
	h := w.Header()
	closes := a.closes() || slices.Contains(h["Connection"], "close") // forward asks for it so
	clear(h)
	body := a.sentence
	h.Set("Content-Type", "text/plain; charset=utf-8")
	if a.title != "" {
		body = a.page(r.URL.EscapedPath())
		h.Set("Content-Type", "text/html; charset=UTF-8")
	}
	if a.why == errUnauthorized {
		h.Set("WWW-Authenticate", contract.InvalidToken)
	}
	if (last || closes) && r.ProtoMajor == 1 {
		h.Set("Connection", "close")
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(a.status)
	n, _ := w.Write([]byte(body)) // a client that is gone needs no answer
	return n
}

// page is the answer as a page.
// Source: as observed.
func (a answer) page(path string) string {
	sentence := a.sentence
	if strings.Contains(sentence, "%s") {
		sentence = fmt.Sprintf(sentence, html.EscapeString(path))
	}
	title := a.title
	return "\n<html><head>\n" +
		"<meta http-equiv=\"content-type\" content=\"text/html;charset=utf-8\">\n" +
		"<title>" + strconv.Itoa(a.status) + " " + title + "</title>\n" +
		"</head>\n" +
		"<body text=#000000 bgcolor=#ffffff>\n" +
		"<h1>Error: " + title + "</h1>\n" +
		"<h2>" + sentence + "</h2>\n" +
		"<h2></h2>\n" +
		"</body></html>\n"
}

// severityOf is the severity of a request's entry in the log, by its status.
func severityOf(status int) string {
	switch {
	case status >= 500:
		return "ERROR"
	case status >= 400:
		return "WARNING"
	}
	return "INFO"
}
