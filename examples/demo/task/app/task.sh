#!/bin/sh
# What each task of the demo does: say who it is, ask the metadata server where
# it is, and count its share of the lines of a file. Task 7 stumbles once.
set -eu

metadata() {
	wget -q -O - --header 'Metadata-Flavor: Google' \
		"http://metadata.google.internal/computeMetadata/v1/$1"
}

echo "$GREETING from task $CLOUD_RUN_TASK_INDEX of $CLOUD_RUN_TASK_COUNT, attempt $CLOUD_RUN_TASK_ATTEMPT, execution $CLOUD_RUN_EXECUTION"

if [ "$CLOUD_RUN_TASK_INDEX" = 7 ] && [ "$CLOUD_RUN_TASK_ATTEMPT" = 0 ]; then
	echo "this attempt fails, the next one will not" >&2
	exit 1
fi

echo "in $(metadata instance/region | sed 's:.*/::') of project $(metadata project/project-id), open files: $(ulimit -n)"

awk -v index_="$CLOUD_RUN_TASK_INDEX" -v count="$CLOUD_RUN_TASK_COUNT" \
	'NR % count == index_ { n++ } END { print n, "of", NR, "lines are mine" }' /app/lines
