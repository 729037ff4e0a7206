#!/usr/bin/env bash
# Jobs per second of pg_cron: so many jobs that are due in the same minute, cron.max_running_jobs of them at a time.
# From the start of the first to the end of the last, as cron.job_run_details has it: pg_cron's own log, which stands
# for the engine's. pg_cron has no queue; a full minute is the nearest to one.
#
#   pg_cron.sh JOBS
set -euo pipefail
jobs=$1

query() {
  psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --command="$1"
}

query "SET client_min_messages = warning; CREATE EXTENSION IF NOT EXISTS pg_cron"
query "DELETE FROM cron.job_run_details"
if [ "$(date +%-S)" -gt 50 ]; then sleep 11; fi  # all in the same minute
query "SELECT count(cron.schedule('bench_' || i, '* * * * *', 'SELECT 1')) FROM generate_series(1, $jobs) i" >/dev/null

finished="SELECT jobid, min(start_time) AS started, min(end_time) AS ended
            FROM cron.job_run_details WHERE status = 'succeeded' GROUP BY jobid"
deadline=$((SECONDS + 600))
while [ "$(query "SELECT count(*) FROM ($finished) job")" -lt "$jobs" ]; do
  if [ "$SECONDS" -gt "$deadline" ]; then
    echo "pg_cron ran $(query "SELECT count(*) FROM ($finished) job") of $jobs jobs in 10 minutes" >&2
    exit 1
  fi
  sleep 0.5
done
query "SELECT $jobs / extract(epoch FROM max(ended) - min(started)) FROM ($finished) job"
query "SELECT count(cron.unschedule(jobid)) FROM cron.job" >/dev/null
