package runtime

import (
	"fmt"

	"github.com/moby/sys/capability"
	"golang.org/x/sys/unix"

	"runnel/contract"
)

// OpenFileLimit is the limit of open files that instances get on this host:
// contract.NoFile, or less where this process may not raise its own hard limit
// that far.
func OpenFileLimit() (uint64, error) {
	var own unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &own); err != nil {
		return 0, fmt.Errorf("read the limit of open files: %w", err)
	}
	if own.Max >= contract.NoFile {
		return contract.NoFile, nil
	}
	caps, err := capability.NewPid2(0)
	if err != nil {
		return 0, fmt.Errorf("read capabilities: %w", err)
	}
	if err := caps.Load(); err != nil {
		return 0, fmt.Errorf("read capabilities: %w", err)
	}
	if caps.Get(capability.EFFECTIVE, capability.CAP_SYS_RESOURCE) {
		return contract.NoFile, nil
	}
	return own.Max, nil
}
