#!/bin/sh
# What each instance of the demo's service does: ask the metadata server who it
# is, and serve /www until it is told to stop.
set -eu

id=$(wget -q -O - --header 'Metadata-Flavor: Google' \
	http://metadata.google.internal/computeMetadata/v1/instance/id)
export INSTANCE="${id#"${id%????????}"}"

trap 'echo "instance $INSTANCE stops: nothing to do"; exit' TERM
echo "instance $INSTANCE starts"
httpd -f -p "$PORT" -h /www &
wait
