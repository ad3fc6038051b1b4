package server

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/opencontainers/runc/libcontainer"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"runnel/runtime/logfile"
	"runnel/runtime/shim"
)

// drainTime bounds how long the output of an ended container is read on, in
// case a descriptor of it lives on elsewhere.
const drainTime = 2 * time.Second

const (
	// syslogStream is the stream of what is sent to /dev/log.
	syslogStream = "syslog"
	// maxDatagram bounds one message to /dev/log, in bytes; the rest of a
	// longer one is cut off.
	maxDatagram = 8 << 10
)

// output carries what a container prints, and what it sends to /dev/log, into
// its log file.
type output struct {
	log     *logfile.Writer
	syslog  *net.UnixConn
	path    string    // of the syslog socket
	sink    io.Writer // of what arrives there
	readers [2]*os.File
	writers [2]*os.File
	copying sync.WaitGroup
}

// newOutput opens the pipes and the syslog socket, which is made in dir, and
// begins to copy.
func newOutput(dir, path string, limit int64) (*output, error) {
	o := &output{log: logfile.NewWriter(path, limit), path: filepath.Join(dir, "log")}
	if err := o.listenSyslog(); err != nil {
		return nil, err
	}
	for i, name := range []string{logfile.Stdout, logfile.Stderr} {
		r, w, err := os.Pipe()
		if err != nil {
			_ = o.close() // nobody has written anything
			return nil, fmt.Errorf("make pipe: %w", err)
		}
		o.readers[i], o.writers[i] = r, w
		sink := o.log.Stream(name)
		o.copying.Go(func() {
			// A sink takes everything, so this ends with the writers, or with
			// the deadline of finish.
			_, _ = io.CopyBuffer(onlyWriter{sink}, onlyReader{r}, make([]byte, 16<<10))
		})
	}
	return o, nil
}

// listenSyslog opens the socket behind /dev/log and copies each datagram as an
// entry of its own.
func (o *output) listenSyslog() (err error) {
	dir, err := os.OpenFile(filepath.Dir(o.path), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("listen for syslog: %w", err)
	}
	defer dir.Close()
	o.syslog, err = net.ListenUnixgram("unixgram", shim.AddrIn(dir, filepath.Base(o.path), "unixgram"))
	if err != nil {
		return fmt.Errorf("listen for syslog: %w", err)
	}
	if err := os.Chmod(o.path, 0o666); err != nil {
		_ = o.syslog.Close() // nobody has sent anything
		return fmt.Errorf("open syslog to all: %w", err)
	}
	o.sink = o.log.Stream(syslogStream)
	o.copying.Go(func() {
		buf := make([]byte, maxDatagram)
		for {
			n, err := o.syslog.Read(buf)
			if err != nil {
				return // told to end
			}
			o.syslogLine(buf[:n])
		}
	})
	return nil
}

// syslogLine logs one datagram.
func (o *output) syslogLine(datagram []byte) {
	line := append(bytes.TrimRight(datagram, "\x00\n"), '\n')
	_, _ = o.sink.Write(line) // a sink takes everything
}

// endSyslog logs what has been sent and not yet read, and closes the socket.
func (o *output) endSyslog() {
	_ = o.syslog.SetReadDeadline(time.Unix(1, 0)) // ends the blocked Read
	o.copying.Wait()
	if raw, err := o.syslog.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { o.drainSyslog(int(fd)) }) // open until below
	}
	_ = o.syslog.Close() // read to its end
}

func (o *output) drainSyslog(fd int) {
	buf := make([]byte, maxDatagram)
	for {
		n, _, err := unix.Recvfrom(fd, buf, unix.MSG_DONTWAIT)
		if err != nil {
			return
		}
		o.syslogLine(buf[:n])
	}
}

// syslogMount puts the socket at /dev/log.
func (o *output) syslogMount() specs.Mount {
	return specs.Mount{Destination: "/dev/log", Type: "bind", Source: o.path, Options: []string{"bind", "nosuid", "noexec", "nodev"}}
}

// onlyReader and onlyWriter hide ReadFrom and WriteTo, which would take a
// buffer of their own.
type onlyReader struct{ io.Reader }
type onlyWriter struct{ io.Writer }

// attach makes the pipes the process's standard output and error.
func (o *output) attach(p *libcontainer.Process) {
	p.Stdout, p.Stderr = o.writers[0], o.writers[1]
}

// started closes the writing ends here, once the container has its own.
func (o *output) started() {
	for i, w := range o.writers {
		if w != nil {
			_ = w.Close() // nothing was written through it
			o.writers[i] = nil
		}
	}
}

// finish copies what is left, closes the log and returns how many bytes of
// output were lost.
func (o *output) finish() int64 {
	deadline := time.Now().Add(drainTime)
	for _, r := range o.readers {
		_ = r.SetReadDeadline(deadline) // a pipe always takes one
	}
	_ = o.close()
	return o.log.Dropped().Bytes
}

// close ends the copying and closes everything.
func (o *output) close() error {
	o.started()
	o.endSyslog()
	for _, r := range o.readers {
		if r != nil {
			_ = r.Close() // read to its end
		}
	}
	return o.log.Close()
}
