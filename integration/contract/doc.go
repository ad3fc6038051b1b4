// Package contract drives the built programs through the contract, row by row.
//
// rows.tsv holds the rows. Each test is called after the row that it proves,
// TestLIM1..., and says so in a comment; docs/contract.md is made of both and of
// the last results. Tests share one daemon, which takes requests for services
// too, and run at the same time: each names its jobs and services after itself,
// and leaves those of others alone. The few that would disturb others, or be
// disturbed, have a daemon of their own.
//
// broken/ROW.txt, of rows about attacks and registries, is the build that the
// tests which it names were seen to fail on: package internal/broken does it again.
//
// There is nothing in it but tests. They need root, and run on both kinds of
// host.
package contract
