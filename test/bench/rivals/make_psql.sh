#!/usr/bin/env bash
# Jobs per second of make -j2 with a psql for each job, which inserts the row that pgbench inserts.
#
#   make_psql.sh JOBS     reads ../one_row.sql of the server's directory, PGHOST
set -euo pipefail
jobs=$1
insert=$(sed -n '/^INSERT/s/:client_id/0/p' "$PGHOST/one_row.sql")

makefile=$(mktemp)
trap 'rm -f "$makefile"' EXIT
export insert
{
  printf '.PHONY: all\nall:'
  printf ' job_%d' $(seq "$jobs")
  # shellcheck disable=SC2016
  printf '\njob_%%:\n\t@psql --no-psqlrc --quiet --command="$${insert/:step/$*}"\n'
  printf 'SHELL := /bin/bash\n'
} >"$makefile"

psql --no-psqlrc --quiet --command='TRUNCATE bench.one_row'
start=$(date +%s.%N)
make --silent -j2 --file="$makefile" all
end=$(date +%s.%N)
awk "BEGIN { print $jobs / ($end - $start) }"
