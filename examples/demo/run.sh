#!/bin/sh
# The demo: makes an image of busybox and a shell script, and runs a job of ten
# tasks on it, four at a time. "make demo" calls it as root.
set -eu
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Ctrl-C ends runnel, which stops its tasks first; the trap cleans up after it.
trap : INT TERM

echo "== making an image"
cp -R examples/demo/tree "$work/tree"
seq 100000 >"$work/tree/app/lines"
bin/mkimage -out "$work/demo.tar" -busybox -tree "$work/tree" -entrypoint /bin/sh,/app/task.sh

echo "== running ten tasks, four at a time; task 7 fails once and is retried"
bin/runnel run --image "oci-archive:$work/demo.tar" \
	--tasks 10 --parallelism 4 --max-retries 2 --task-timeout 1m \
	--cpu 0.5 --memory 512Mi --set-env-vars GREETING=hello
