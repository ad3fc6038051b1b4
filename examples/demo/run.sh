#!/bin/sh
# The demo: makes two images of busybox and a shell script each, runs a job of
# ten tasks on the one, four at a time, and deploys the other as a service behind
# a daemon of its own. "make demo" calls it as root.
set -eu
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
daemon=
clean() {
	if [ -n "$daemon" ]; then
		kill "$daemon" 2>/dev/null || :
		wait "$daemon" || :
	fi
	rm -rf "$work"
}
trap clean EXIT
# Ctrl-C ends runnel, which stops its tasks first; the trap cleans up after it.
trap 'exit 130' INT TERM

echo "== making two images"
cp -R examples/demo/task "$work/task"
seq 100000 >"$work/task/app/lines"
bin/mkimage -out "$work/task.tar" -busybox -tree "$work/task" -entrypoint /bin/sh,/app/task.sh
bin/mkimage -out "$work/service.tar" -busybox -tree examples/demo/service -entrypoint /bin/sh,/app/serve.sh

echo "== running ten tasks, four at a time; task 7 fails once and is retried"
bin/runnel run --image "oci-archive:$work/task.tar" \
	--tasks 10 --parallelism 4 --max-retries 2 --task-timeout 1m \
	--cpu 0.5 --memory 512Mi --set-env-vars GREETING=hello

echo "== deploying a service whose instances take one request at a time"
echo 'services: {idleTime: 2s}' >"$work/config.yaml"
export RUNNEL_HOST="unix://$work/runnel.sock"
bin/runnel serve --config "$work/config.yaml" --root "$work/root" --socket "$work/runnel.sock" \
	--api "" --ingress 127.0.0.1:0 --ephemeral 2>"$work/serve.log" &
daemon=$!
until [ -S "$work/runnel.sock" ]; do
	kill -0 "$daemon" 2>/dev/null || { cat "$work/serve.log" >&2; exit 1; }
	sleep 0.1
done
bin/runnel deploy hello --image "oci-archive:$work/service.tar" \
	--concurrency 1 --memory 128Mi --allow-unauthenticated
url=$(bin/runnel services describe hello --format 'value(status.url)')

echo "== three requests at once: one instance is there, load starts the others"
seq 3 | xargs -P 3 -I {} curl -sSf --noproxy '*' --max-time 60 "$url/cgi-bin/hello?{}"

echo "== waiting for silence to stop them"
started() { bin/runnel services logs hello | grep -c 'instance .* starts' || :; }
stopped() { bin/runnel services logs hello | grep -c 'instance .* stops' || :; }
tries=0
until [ "$(stopped)" = "$(started)" ] || [ "$tries" = 60 ]; do
	tries=$((tries + 1))
	sleep 1
done
bin/runnel services logs hello
[ "$(stopped)" = "$(started)" ]
