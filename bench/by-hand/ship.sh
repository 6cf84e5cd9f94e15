#!/bin/sh
# What a careful person would type to bring one commit to one machine: tests in Compose side by side, build, push, two
# containers, wait until both are healthy. Arguments: repository, name, image, first port. Prints the milliseconds of each step.
set -eu
repository=$1 name=$2 image=$3 port=$4
compose=$5
now() { date +%s%3N; }
began=$(now)
step() { ended=$(now); echo "$1 $((ended - began))"; began=$ended; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git clone --quiet "$repository" "$work/checkout"
cd "$work/checkout"
step checkout

# Service under test, then what it needs. Built first: `run` alone would test the image of the commit before.
run_test() {
  status=0
  $compose -p "$name-$1" -f compose.test.yml build "$@" >/dev/null
  $compose -p "$name-$1" -f compose.test.yml run --rm "$1" >"$work/$1.log" 2>&1 || status=$?
  $compose -p "$name-$1" -f compose.test.yml kill >/dev/null 2>&1 || true
  $compose -p "$name-$1" -f compose.test.yml down --volumes --remove-orphans -t 0 >/dev/null 2>&1
  [ $status -eq 0 ] || cat "$work/$1.log" >&2
  return $status
}
run_test unit & unit=$!
run_test integration catalog & integration=$!
wait $unit
wait $integration
step test

docker build --quiet --tag "$image" . >/dev/null
step build
docker push --quiet "$image" >/dev/null
step push

for each in 0 1; do
  docker rm --force "$name-$each" >/dev/null 2>&1 || true
  docker run --detach --name "$name-$each" --label towline.bench=pipeline --publish "127.0.0.1:$((port + each)):8080" --env PORT=8080 "$image" >/dev/null
done
step start
for each in 0 1; do
  until curl --silent --fail --output /dev/null "http://127.0.0.1:$((port + each))/health"; do sleep 0.02; done
done
step healthy
