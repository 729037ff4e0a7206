-- Registers one load job for each bronze table whose name begins with a configured source.
--
--   psql -d warehouse -f setup/seed/02_register_bronze_jobs.sql
--
-- Run it after the bronze tables have been created, and again whenever one is added. What was changed
-- by hand on a job (disabled, order, dependencies) stays.

\set ON_ERROR_STOP on

CALL setup.seed_load_jobs('bronze');

SELECT job_name, file_path
FROM setup.load_jobs
WHERE layer = 'bronze'
ORDER BY load_order, job_name;
