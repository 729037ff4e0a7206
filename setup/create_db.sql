-- Creates the warehouse's database, if it is not there yet.
--
--   psql -d postgres [-v db=warehouse] -f setup/create_db.sql
--
-- UTF8 whatever the server's default is: source files bring names from everywhere.

\set ON_ERROR_STOP on
\if :{?db}
\else
  \set db warehouse
\endif

SELECT format('CREATE DATABASE %I TEMPLATE template0 ENCODING ''UTF8''', :'db')
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = :'db')
\gexec
