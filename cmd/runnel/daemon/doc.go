// Package daemon is "runnel serve": it wires everything into one process,
// listens, and takes it all down again. It needs root.
package daemon
