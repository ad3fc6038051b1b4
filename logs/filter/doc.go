// Package filter reads filters of Cloud Logging's query language and tells
// which entries they are true of. It knows boolean operators, comparisons,
// values in parentheses, bare texts, and of the functions only log_id. It does
// no I/O and needs no privilege.
//
// As in the language it follows, OR binds more tightly than AND, AND may be left
// out, texts are compared without regard to case, and what is said of a field
// that an entry lacks is false.
// Source: Cloud Logging, "Logging query language".
package filter
