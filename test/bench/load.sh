#!/usr/bin/env bash
# Measures loads of files beside COPY, on a throwaway server; prints one table.
#
#   test/bench/load.sh                      5 rounds, full size: about 5 minutes and 4 GB of disk
#   test/bench/load.sh --part 0.1           a tenth of the rows
#   test/bench/load.sh --rivals             pgloader, too: installs it
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=../../setup/throwaway_server.sh
. "$root/setup/throwaway_server.sh"

options=()
for option; do
  if [ "$option" != --rivals ]; then
    options+=("$option")
    continue
  fi
  command -v pgloader >/dev/null || apt-get install -y --no-install-recommends pgloader >/dev/null
  options+=(--pgloader pgloader)
done

build() {
  make -C "$root" PG_CONFIG="$PG_CONFIG" -j"$(nproc)" &&
    make -C "$root" PG_CONFIG="$PG_CONFIG" install &&
    make -C "$here" -j"$(nproc)" load
}

trap throwaway_remove EXIT
THROWAWAY_PRELOAD=etl_orchestrator
throwaway_prepare etl_load
build >"$THROWAWAY_DIR/build.log" 2>&1 || {
  tail -n 30 "$THROWAWAY_DIR/build.log" >&2
  exit 1
}
throwaway_init bench
throwaway_configure "fsync = on" "synchronous_commit = on" "max_wal_size = 16GB" "checkpoint_timeout = 1d" \
  "autovacuum = off" "shared_buffers = 512MB" "etl_orchestrator.analyze_after_load = off" \
  "etl_orchestrator.idle_timeout = 1h"
throwaway_start
"$PG_BIN/createdb" bench
export PGDATABASE=bench
mkdir "$THROWAWAY_DIR/files"
throwaway_give_to_server "$THROWAWAY_DIR/files"
"$root/build/bench/load" --directory "$THROWAWAY_DIR/files" ${options[@]+"${options[@]}"}
