-- The two gates between C++ and the server, driven by the module in test/gates.
SELECT plan(17);
\set module '\'' :gates '\''
CREATE FUNCTION gates_alive() RETURNS integer LANGUAGE c AS :module;
CREATE FUNCTION gates_deep_error() RETURNS void LANGUAGE c AS :module;
CREATE FUNCTION gates_exception(integer) RETURNS void LANGUAGE c AS :module;
CREATE FUNCTION gates_caught() RETURNS text LANGUAGE c AS :module;
CREATE FUNCTION gates_start_worker(text, integer) RETURNS boolean LANGUAGE c AS :module;

CREATE FUNCTION raised(query text, OUT code text, OUT message text, OUT detail text, OUT hint text, OUT context text)
  LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE query;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
    hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
END
$$;

SELECT is(r.code, '22012', 'an error three C++ frames deep keeps its SQLSTATE'),
       is(r.message, 'deep message', 'and its message'),
       is(r.detail, 'deep detail', 'and its detail'),
       is(r.hint, 'deep hint', 'and its hint'),
       matches(r.context, 'deep context', 'and its context')
  FROM raised('SELECT gates_deep_error()') r;
SELECT is(gates_alive(), 0, 'every destructor on its way has run');

SELECT is(r.code || ' ' || r.message, 'XX000 plain exception', 'a C++ exception becomes an internal error')
  FROM raised('SELECT gates_exception(0)') r;
SELECT is(r.code || ' ' || r.message, '53200 out of memory', 'std::bad_alloc becomes out_of_memory')
  FROM raised('SELECT gates_exception(1)') r;
SELECT is(concat_ws('|', r.code, r.message, r.detail, r.hint), '42602|our message|our detail|our hint',
          'a failure of our own keeps all its parts')
  FROM raised('SELECT gates_exception(2)') r;
SELECT is(r.code || ' ' || r.message, 'XX000 unknown C++ exception', 'even a thrown number becomes an error')
  FROM raised('SELECT gates_exception(3)') r;
SELECT is(r.message, 'caught 22012', 'an error of the server can be caught and read in C++')
  FROM raised('SELECT gates_caught()') r;
SELECT is(gates_alive(), 0, 'no exception left an object behind');

SELECT count(raised('SELECT gates_deep_error()')) FROM generate_series(1, 2000) \g /dev/null
SELECT is(gates_alive(), 0, 'nor did two thousand errors in one transaction');

SELECT pg_postmaster_start_time() AS started, pg_backend_pid() AS pid \gset
SELECT ok(gates_start_worker(:'gates', 0), 'a worker whose main throws a C++ exception ends');
SELECT ok(gates_start_worker(:'gates', 1), 'as does one whose main raises an error');
SELECT is(pg_backend_pid(), :pid, 'this session has survived both');
SELECT is(pg_postmaster_start_time(), :'started'::timestamptz, 'and so has the server');
SELECT * FROM finish();
