// Package contract drives the built programs through the contract, row by row.
//
// rows.tsv holds the rows. Each test is called after the row that it proves,
// TestLIM1..., and says so in a comment; docs/contract.md is made of both and of
// the last results. All tests share one daemon, which takes requests for
// services too, and run at the same time: each names its jobs and services
// after itself, and leaves those of others alone. What a row needs a daemon of its own
// for, one that is killed or that has no disk left, is proved one directory up.
//
// There is nothing in it but tests. They need root, and run on both kinds of
// host.
package contract
