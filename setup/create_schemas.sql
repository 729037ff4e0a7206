-- Installs the extension into the current database and creates the three layers.
--
--   psql -d warehouse -f setup/create_schemas.sql
--
-- create_layer() keeps what is already there, so this may run again at any time. More layers are made
-- the same way:  SELECT setup.create_layer('staging', layer_position => 2, execution => 'sequence');

\set ON_ERROR_STOP on

SET client_min_messages = warning;  -- not that the extension exists already
CREATE EXTENSION IF NOT EXISTS etl_orchestrator;
RESET client_min_messages;

SELECT setup.create_layer('bronze') \g /dev/null
SELECT setup.create_layer('silver') \g /dev/null
SELECT setup.create_layer('gold') \g /dev/null

SELECT layer, position, execution FROM setup.layers ORDER BY position;
