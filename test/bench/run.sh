#!/usr/bin/env bash
# Measures jobs per second beside pgbench's commits per second, on a throwaway server; prints one table.
#
#   test/bench/run.sh                    5 rounds, and the conductor's memory
#   test/bench/run.sh --memory-jobs 0    without its memory
#   test/bench/run.sh --rivals           also what else would run such jobs; downloads two npm packages and node
#   test/bench/run.sh --rounds 9 --jobs 5000 ...      whatever build/bench/throughput takes
set -euo pipefail
# shellcheck source=server.sh
. "$(dirname "${BASH_SOURCE[0]}")/server.sh"
# shellcheck source=rivals/rivals.sh
. "$bench_here/rivals/rivals.sh"

with_rivals=
options=()
for option; do
  if [ "$option" = --rivals ]; then with_rivals=yes; else options+=("$option"); fi
done

trap throwaway_remove EXIT
bench_build throughput
if [ -n "$with_rivals" ]; then prepare_rivals; fi
bench_start "etl_orchestrator.max_workers = 2" "cron.max_running_jobs = 2"
if [ -n "$with_rivals" ]; then list_rivals; fi
"$root/build/bench/throughput" --pgbench "$PG_BIN/pgbench" --directory "$THROWAWAY_DIR" \
  ${rivals[@]+"${rivals[@]}"} ${options[@]+"${options[@]}"}
