package cgroups

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// WaitOOM returns nil when the kernel has killed a process of the group because
// of its memory limit, at once if it has already. It returns the cause of ctx's
// end if that comes first, and an error that is fs.ErrNotExist if the group is
// not there or goes.
//
// On v1 the other processes of the group live on, with one of them torn out:
// the caller kills them. Under v2 the kernel has killed them all.
//
// It holds a descriptor and no thread, and is meant to be called from a
// goroutine of its own. On v1 it needs root.
func (g *Group) WaitOOM(ctx context.Context) error {
	err := g.waitOOM(ctx)
	if err != nil {
		return fmt.Errorf("watch cgroup %s for its memory limit: %w", g.path, err)
	}
	return nil
}

func (g *Group) waitOOM(ctx context.Context) error {
	notices, err := g.oomNotices()
	if err != nil {
		return gone(err)
	}
	defer notices.Close()
	stop := context.AfterFunc(ctx, func() { _ = notices.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	// Kills from before the watch give no notice: look, then wait.
	buf := make([]byte, 4096)
	for lag := time.Duration(0); ; lag = g.oomLag() {
		killed, err := g.oomKilledWithin(ctx, lag)
		if killed || err != nil {
			return err
		}
		if err := g.waitPopulated(ctx); err != nil {
			return err
		}
		if err := g.awaitNotice(ctx, notices, buf); err != nil {
			return err
		}
	}
}

// noticeTime is how long a v2 notice is waited for before the group is looked
// at again: the kernel gives its notices later, from a queue, and none of a
// group that has been removed by then.
const noticeTime = time.Second

// awaitNotice returns when there is a reason to look at the group again, or
// with the cause of ctx's end.
func (g *Group) awaitNotice(ctx context.Context, notices *os.File, buf []byte) error {
	if g.host.Mode == Unified {
		if err := notices.SetReadDeadline(time.Now().Add(noticeTime)); err != nil {
			return err
		}
	}
	// After the deadline has been set: the one that ends the reading with ctx
	// may have come before it.
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	_, err := notices.Read(buf)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil
	}
	return err
}

// oomLag bounds the time between a notice and the kill it is about. On v1 the
// notice comes first, and a notice without a kill is possible: a process may
// have ended by itself and given way. Under v2 the kill is counted first.
func (g *Group) oomLag() time.Duration {
	if g.host.Mode == Unified {
		return 0
	}
	return time.Second
}

// waitPopulated returns at once on v1, where the removal of a group gives a
// notice. Under v2 it gives none, but no group is removed before its last
// process has ended, and that does: of an empty group it looks itself whether
// it is still there, until a process comes.
func (g *Group) waitPopulated(ctx context.Context) error {
	if g.host.Mode != Unified {
		return nil
	}
	return retry(ctx, func() (bool, error) {
		keys, err := readKeys(g.dir("memory"), "cgroup.events")
		return keys["populated"] != 0, err
	})
}

// oomKilledWithin looks at the counter once, and again until wait has passed.
func (g *Group) oomKilledWithin(ctx context.Context, wait time.Duration) (bool, error) {
	short, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	var kills uint64
	err := retry(short, func() (bool, error) {
		var err error
		kills, err = g.oomKills()
		return kills > 0, err
	})
	if errors.Is(err, context.DeadlineExceeded) {
		err = context.Cause(ctx) // nil, unless ctx has ended meanwhile
	}
	return kills > 0, err
}

// oomNotices opens something that can be read whenever the group's memory
// limit has struck, or the group has gone (v1) or become empty (v2). It is closed
// by the caller.
func (g *Group) oomNotices() (*os.File, error) {
	dir := g.dir("memory")
	if dir == "" {
		return nil, fmt.Errorf("no memory controller: %w", os.ErrNotExist)
	}
	if g.host.Mode == Unified {
		return watchFiles(filepath.Join(dir, "memory.events"), filepath.Join(dir, "cgroup.events"))
	}
	return watchControl(dir, "memory.oom_control")
}

// watchControl registers for the v1 event of a control file.
func watchControl(dir, name string) (*os.File, error) {
	control, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	defer control.Close()
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("eventfd", err)
	}
	notices := os.NewFile(uintptr(fd), "memory events of "+dir)
	if err := writeFile(dir, "cgroup.event_control", fmt.Sprintf("%d %d", fd, control.Fd())); err != nil {
		return nil, errors.Join(err, notices.Close())
	}
	return notices, nil
}

// watchFiles reports each change of v2 control files.
func watchFiles(paths ...string) (*os.File, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	notices := os.NewFile(uintptr(fd), "changes of control files")
	for _, path := range paths {
		if _, err := unix.InotifyAddWatch(fd, path, unix.IN_MODIFY); err != nil {
			return nil, errors.Join(&os.PathError{Op: "watch", Path: path, Err: err}, notices.Close())
		}
	}
	return notices, nil
}
