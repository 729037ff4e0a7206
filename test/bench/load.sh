#!/usr/bin/env bash
# Measures loads of files beside COPY, on a throwaway server; prints one table.
#
#   test/bench/load.sh                      5 rounds, full size: about 5 minutes and 4 GB of disk
#   test/bench/load.sh --part 0.1           a tenth of the rows
#   test/bench/load.sh --rivals             pgloader, too: installs it
set -euo pipefail
# shellcheck source=server.sh
. "$(dirname "${BASH_SOURCE[0]}")/server.sh"

install_pgloader() {
  local as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get install -y --no-install-recommends pgloader >/dev/null
}

options=()
for option; do
  if [ "$option" != --rivals ]; then
    options+=("$option")
    continue
  fi
  command -v pgloader >/dev/null || install_pgloader
  options+=(--pgloader pgloader)
done

trap throwaway_remove EXIT
bench_build load
bench_start "autovacuum = off" "shared_buffers = 512MB" "etl_orchestrator.analyze_after_load = off"
mkdir "$THROWAWAY_DIR/files"
throwaway_give_to_server "$THROWAWAY_DIR/files"
"$root/build/bench/load" --directory "$THROWAWAY_DIR/files" ${options[@]+"${options[@]}"}
