-- What every job writes at the least: one row of load_log, in a transaction of its own. For pgbench, with -D step=0;
-- each client numbers its steps like a run, so that the index on successes fills in the same order.
\set step :step + 1
INSERT INTO bench.one_row (run_id, layer, job_name, attempt, status, rows_loaded, started_at, owner, step_id, owner_oid) VALUES (:client_id, 'bench', 'job_0001', 1, 'OK', 0, statement_timestamp(), 'postgres', :step, 10);
