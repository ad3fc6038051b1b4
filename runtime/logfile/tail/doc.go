// Package tail follows the log files of running instances and hands on their
// entries as they are written.
//
// One Tailer watches the whole directory of logs, however many instances have
// one there. It goes with a log through its rotation, neither losing nor
// repeating an entry; where the writer has outrun it by more than the two files
// that exist, it says how much is missing. It only reads and needs no privilege
// but that.
package tail
