-- What states.sh measures; psql variable `rounds`. Everything has its turn in each round.
\set QUIET on
\pset footer off
SET client_min_messages = warning;
SET etl_orchestrator.progress = off;
CREATE EXTENSION etl_orchestrator;
CREATE ROLE bench LOGIN;
GRANT USAGE ON SCHEMA setup TO bench;
SELECT setup.create_layer('bronze') \g /dev/null
GRANT ALL ON SCHEMA bronze TO bench;
CREATE SCHEMA bench AUTHORIZATION bench;
CREATE TABLE bench.measured (round int, what text, number int, seconds float8);
GRANT ALL ON bench.measured TO bench;
SELECT count(setup.add_job('bronze', 'job_' || i, 'SELECT 1', owner => 'bench')) FROM generate_series(1, 1000) i \g /dev/null

SET SESSION AUTHORIZATION bench;
CREATE FUNCTION bench.nothing(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT '{}'::jsonb $$;
SELECT setup.register_task_handler('nothing', 'bench.nothing(jsonb)') \g /dev/null
-- 1,000 states, every other one a Choice.
SELECT setup.create_state_machine('steps', jsonb_build_object('StartAt', 'S0', 'States', jsonb_object_agg('S' || i, CASE
    WHEN i = 999 THEN '{"Type": "Succeed"}'
    WHEN i % 2 = 0 THEN jsonb_build_object('Type', 'Pass', 'Next', 'S' || i + 1)
    ELSE jsonb_build_object('Type', 'Choice', 'Default', 'S' || i + 1, 'Choices', jsonb_build_array(
      jsonb_build_object('Variable', '$.x', 'NumericEquals', 3, 'Next', 'S0'))) END)), type)
  FROM generate_series(0, 999) i, (VALUES ('EXPRESS')) t(type) GROUP BY type \g /dev/null
SELECT setup.create_state_machine('steps_kept', (SELECT definition FROM setup.describe_state_machine('steps'))) \g /dev/null
SELECT setup.create_state_machine('tasks', '{"StartAt": "Each", "States": {"Each": {"Type": "Map", "End": true, "ResultPath": null,
  "ItemProcessor": {"StartAt": "Do", "States": {"Do": {"Type": "Task", "Resource": "arn:aws:lambda:x:1:function:nothing", "End": true}}}}}}') \g /dev/null
SELECT setup.create_state_machine('one', '{"StartAt": "Do", "States": {"Do": {"Type": "Task",
  "Resource": "arn:aws:lambda:x:1:function:nothing", "End": true}}}') \g /dev/null
SELECT setup.create_state_machine('asleep', '{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 36000, "End": true}}}') \g /dev/null
SELECT jsonb_agg(i) AS items FROM generate_series(1, 1000) i \gset

-- From the start to what a caller sees as the end.
CREATE PROCEDURE bench.measure(round int, what text, number int, start text) LANGUAGE plpgsql AS $$
DECLARE
  began timestamptz := clock_timestamp();
  run bigint;
BEGIN
  EXECUTE start INTO run;
  COMMIT;
  PERFORM setup.wait_run(run);
  INSERT INTO bench.measured VALUES (round, what, number, extract(epoch FROM clock_timestamp() - began));
END $$;
CREATE PROCEDURE bench.round(round int, items text) LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1 .. 5 LOOP
    CALL bench.measure(round, '1,000 no-op jobs of a layer', 1000, 'SELECT setup.start_run(''bronze'')');
    CALL bench.measure(round, '1,000 no-op tasks of a Map', 1000, format('SELECT setup.start_execution(''tasks'', %L)', items));
  END LOOP;
  CALL bench.measure(round, '1,000 Pass and Choice states, EXPRESS', 1000, 'SELECT setup.start_execution(''steps'', ''{"x": 1}'')');
  CALL bench.measure(round, '1,000 Pass and Choice states, STANDARD', 1000, 'SELECT setup.start_execution(''steps_kept'', ''{"x": 1}'')');
  FOR i IN 1 .. 20 LOOP
    CALL bench.measure(round, 'an execution of one task', 1, 'SELECT setup.start_execution(''one'')');
  END LOOP;
END $$;
CREATE PROCEDURE bench.rounds(rounds int, items text) LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 0 .. rounds LOOP
    CALL bench.round(i, items);
  END LOOP;
END $$;
CALL bench.rounds(:rounds, :'items');

-- The same small execution, while 10,000 others are open.
SELECT count(setup.start_execution('asleep')) FROM generate_series(1, 10000) \g /dev/null
DO $$ BEGIN WHILE (SELECT count(*) < 10000 FROM setup.execution_events WHERE events::text LIKE '%WaitStateEntered%') LOOP
  PERFORM pg_sleep(0.1); END LOOP; END $$;
CREATE PROCEDURE bench.among_others(rounds int) LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1 .. rounds * 20 LOOP
    CALL bench.measure((i - 1) / 20 + 1, 'an execution of one task, 10,000 others open', 1, 'SELECT setup.start_execution(''one'')');
  END LOOP;
END $$;
CALL bench.among_others(:rounds);

-- The first round warms up: it is not counted.
WITH of_round AS (
  SELECT round, what, percentile_cont(0.5) WITHIN GROUP (ORDER BY number / seconds) AS rate
    FROM bench.measured WHERE round > 0 GROUP BY round, what),
compared AS (
  SELECT m.*, m.rate / o.rate AS ratio FROM of_round m
    LEFT JOIN (VALUES ('1,000 no-op tasks of a Map', '1,000 no-op jobs of a layer'),
                      ('an execution of one task, 10,000 others open', 'an execution of one task')) AS pair(what, against) USING (what)
    LEFT JOIN of_round o ON o.what = pair.against AND o.round = m.round)
SELECT what AS "median of the rounds", to_char(percentile_cont(0.5) WITHIN GROUP (ORDER BY rate), '999G999') AS "per second",
       to_char(percentile_cont(0.5) WITHIN GROUP (ORDER BY ratio), '0.00') AS ratio, to_char(min(ratio), '0.00') AS "from",
       to_char(max(ratio), '0.00') AS "to"
  FROM compared GROUP BY what ORDER BY what;
