// Package certs gets servers their certificates: from files, from an authority
// of this host's own, for a few names known beforehand or for each when a client
// asks for it, or from a public authority by ACME.
//
// It opens no listener and needs no privilege but to write its directories.
package certs
