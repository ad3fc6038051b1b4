package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// How often a service is woken in each round, and a container of Docker's run.
const (
	wakes       = 20
	dockerWakes = 5
	// retryTime is how long one connection to a container is waited for.
	retryTime = 50 * time.Millisecond
)

// zero measures how long the first request for a service at zero waits for the
// first byte of its answer: beside a launcher that holds the socket and executes
// the bare program when somebody connects, and beside "docker run".
type zero struct {
	runnel, bare, docker []sample
	dockerVersion        string
}

func (z *zero) round(ctx context.Context, c config, d *daemon, ref string) error {
	if err := d.deploy(ctx, deployment{name: "zero", image: ref, cpu: "1", memory: "512Mi", most: 1, concurrency: 80}); err != nil {
		return err
	}
	wake := func() error { return firstByte(ctx, ingressAddress, hostOf("zero")) }
	runnel, err := timed(wakes, func() error { return d.atZero(ctx) }, wake)
	if err != nil {
		return err
	}
	z.runnel = append(z.runnel, runnel...)
	bare, err := wakeBare(ctx, c.server())
	if err != nil {
		return fmt.Errorf("under socket activation: %w", err)
	}
	z.bare = append(z.bare, bare...)
	docker, err := z.wakeDocker(ctx, c, ref)
	if errors.Is(err, errUnwanted) {
		return nil
	}
	z.docker = append(z.docker, docker...)
	return err
}

// timed does something n times, each time after prepare, and says what it took
// and what the host worked meanwhile.
func timed(n int, prepare, do func() error) (all []sample, err error) {
	for range n {
		if err := prepare(); err != nil {
			return nil, err
		}
		cpu, err := busyTime()
		if err != nil {
			return nil, err
		}
		begun := time.Now()
		if err := do(); err != nil {
			return nil, err
		}
		s := sample{wall: time.Since(begun)}
		after, err := busyTime()
		if err != nil {
			return nil, err
		}
		s.cpu = after - cpu
		all = append(all, s)
	}
	return all, nil
}

// wakeBare has a program started by the connections of its clients.
func wakeBare(ctx context.Context, program string) ([]sample, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer l.Close()
	address := l.Addr().String()
	socket, err := l.(*net.TCPListener).File()
	if err != nil {
		return nil, err
	}
	defer socket.Close()
	var server *exec.Cmd
	end := func() error {
		if server != nil {
			_ = server.Process.Kill() // it cannot have ended
			_ = server.Wait()         // killed
			server = nil
		}
		return nil
	}
	defer func() { _ = end() }() // it never fails
	return timed(wakes, end, func() error {
		server = exec.Command(program)
		server.Env, server.ExtraFiles = []string{"LISTEN_FDS=1"}, []*os.File{socket}
		started := make(chan error, 1)
		go func() {
			err := connected(socket)
			if err == nil {
				err = server.Start()
			}
			started <- err
		}()
		err := firstByte(ctx, address, "bare")
		return errors.Join(<-started, err)
	})
}

// wakeDocker has Docker run a container, and asks it until it answers.
func (z *zero) wakeDocker(ctx context.Context, c config, ref string) (_ []sample, err error) {
	made, err := newDocker(c)
	if err != nil {
		return nil, errors.Join(errUnwanted, err)
	}
	t := made.(*dockerTool)
	t.dir += "-" + strconv.Itoa(len(z.docker))
	defer func() { err = errors.Join(err, t.close()) }()
	if err := t.setUp(ctx, ref); err != nil {
		return nil, err
	}
	z.dockerVersion = t.version()
	const address = "127.0.0.1:8090"
	end := func() error {
		_ = quiet(ctx, t.program, t.args("rm", "--force", "zero")...) // there is none at first
		return nil
	}
	defer func() { _ = end() }() // it never fails
	return timed(dockerWakes, end, func() error {
		if err := quiet(ctx, t.program, t.args("run", "--detach", "--name", "zero", "--publish", address+":8080", ref)...); err != nil {
			return err
		}
		return untilEvery(ctx, time.Millisecond, func() bool {
			// A connection whose first packet was lost is not waited for.
			short, stop := context.WithTimeout(ctx, retryTime)
			defer stop()
			return firstByte(short, address, "docker") == nil
		})
	})
}

func (z *zero) print(w io.Writer) {
	fmt.Fprint(w, "\n### service at zero: from the request to the first byte\n\n| | p50 | p90 | most | CPU time of the host | beside Runnel |\n|---|---|---|---|---|---|\n")
	var first time.Duration
	for _, row := range []struct {
		title string
		all   []sample
	}{
		{"Runnel", z.runnel}, {"bare program under socket activation", z.bare}, {"`docker run -d`, poll, request", z.docker},
	} {
		if len(row.all) == 0 {
			continue
		}
		var walls spread
		for _, s := range row.all {
			walls = append(walls, s.wall)
		}
		if first == 0 {
			first = walls.at(0.5)
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %.2f × |\n", row.title, fine(walls.at(0.5)), fine(walls.at(0.9)), fine(walls.at(1)),
			millis(mean(row.all)), float64(walls.at(0.5))/float64(first))
	}
	fmt.Fprintf(w, "\n%s.\n", z.dockerVersion)
}

// mean is that of the CPU time: one start is less than the kernel counts well.
func mean(all []sample) (cpu time.Duration) {
	for _, s := range all {
		cpu += s.cpu
	}
	return cpu / time.Duration(len(all))
}
