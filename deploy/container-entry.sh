#!/usr/bin/env bash
# Process 1 of the image. When the kernel kills the worker because of its memory, the container and its count of such
# kills would be gone; this shell survives (it is the smallest), starts the worker again, and tells it why in LAST_EXIT.
# Any other end is the container's end, with the same exit code. Signals are passed on. Costs 3 MB.
# Its bound: RESTARTS_MAX; then the platform restarts the container, with its own delays.
set -u
cd "$(dirname "$0")/.."
RESTARTS_MAX=5

oom_kills() {
  local name value
  while read -r name value; do
    [ "$name" = oom_kill ] && { echo "$value"; return; }
  done < /proc/vmstat
  echo 0
}

stopping=
forward() {
  stopping=yes
  kill -s "$1" "$child" 2> /dev/null
}
trap 'forward TERM' TERM
trap 'forward INT' INT

for ((restarts = 0; ; restarts++)); do
  before=$(oom_kills)
  node dist/launch.js "$@" &
  child=$!
  wait "$child"
  code=$?
  # A signal ends the wait, and not the worker.
  while kill -0 "$child" 2> /dev/null; do
    wait "$child"
    code=$?
  done
  if [ "$code" = 137 ] && [ -z "$stopping" ] && [ "$(oom_kills)" -gt "$before" ] && [ "$restarts" -lt "$RESTARTS_MAX" ]; then
    echo "{\"level\":50,\"msg\":\"the kernel killed $1 because of its memory; starting it again\",\"restart\":$((restarts + 1))}" >&2
    export LAST_EXIT=oom-kill
    continue
  fi
  exit "$code"
done
