// Package look says what a process sees of the container that it runs in: what
// it was started with, what it may do, and what the platform shows it and hides
// from it.
//
// It looks with the rights that it has and needs none; what it may not see it
// says instead. It changes nothing: where the answer is whether something could
// be written, it opens it for writing and closes it again.
package look
