// Jobs per second of graphile-worker, with tasks that do nothing and two of them at a time, from the start of the
// first job of a full queue until the queue is empty.
//
//   node graphile_worker.mjs JOBS single|batches

import { EventEmitter } from "node:events";
import process from "node:process";

process.env.NO_LOG_SUCCESS = "1"; // read when the package is loaded
const { Logger, makeWorkerUtils, run } = await import("graphile-worker");
const { default: pg } = await import("pg");

const jobs = Number(process.argv[2]);
const batching = { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 };

function fail(error) {
  throw error;
}

const pool = new pg.Pool({ max: 10 });
pool.on("error", fail).on("connect", (client) => client.on("error", fail));
const common = { pgPool: pool, logger: new Logger(() => () => {}) };
const utils = await makeWorkerUtils(common);
await utils.migrate();

async function isEmpty() {
  const { rows } = await pool.query("SELECT EXISTS (SELECT FROM graphile_worker.jobs) AS is_left");
  return !rows[0].is_left;
}

async function measure(count) {
  const specs = Array.from({ length: count }, (_, i) => ({ identifier: "nothing", payload: { i } }));
  await utils.addJobs(specs);

  const events = new EventEmitter();
  let started;
  let left = count;
  const finished = new Promise((resolve) => {
    events.once("job:start", () => (started = performance.now()));
    events.on("job:complete", () => --left === 0 && resolve());
  });
  const runner = await run({
    ...common,
    events,
    concurrency: 2,
    noHandleSignals: true,
    taskList: { nothing: async () => {} },
    preset: process.argv[3] === "batches" ? { worker: batching } : {},
  });
  await finished;
  while (!(await isEmpty())); // the last jobs are written after their event
  const seconds = (performance.now() - started) / 1000;
  await runner.stop();
  return count / seconds;
}

await measure(500); // warms up
console.log(await measure(jobs));
await utils.release();
await pool.end();
