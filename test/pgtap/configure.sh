#!/bin/sh
# Changes settings of the server, and returns when all its processes have been told: a new connection shows when the
# server has read its configuration.
#
#   configure.sh 'SET etl_orchestrator.max_workers = 1' 'RESET etl_orchestrator.idle_timeout' ...
tell() { psql -XAtqd postgres -c "$1"; }
before=$(tell 'SELECT pg_conf_load_time()')
for change in "$@"; do tell "ALTER SYSTEM $change" || exit; done
tell 'SELECT pg_reload_conf()' >/dev/null
for _ in $(seq 300); do
  [ "$(tell "SELECT pg_conf_load_time() > '$before'")" = t ] && exit
  sleep 0.1
done
echo 'the server has not read its configuration' >&2
exit 1
