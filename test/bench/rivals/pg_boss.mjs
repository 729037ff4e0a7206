// Jobs per second of pg-boss, with jobs that do nothing: two consumers fetch and complete so many at a time, until a
// full queue is empty. By fetch() and complete(), because work() polls, and waits half a second or more in between.
//
//   node pg_boss.mjs JOBS BATCH

import process from "node:process";
import { PgBoss } from "pg-boss";

const jobs = Number(process.argv[2]);
const batchSize = Number(process.argv[3]);
const queue = "bench";

const { PGHOST: host, PGPORT: port, PGUSER: user, PGDATABASE: database } = process.env;
const boss = new PgBoss({ host, port: Number(port), user, database, supervise: false, schedule: false });
boss.on("error", (error) => {
  throw error;
});
await boss.start();
await boss.createQueue(queue);

async function consume() {
  for (;;) {
    const fetched = await boss.fetch(queue, { batchSize });
    if (fetched.length === 0) return;
    await boss.complete(queue, fetched.map((job) => job.id));
  }
}

async function measure(count) {
  await boss.deleteAllJobs(queue);
  for (let at = 0; at < count; at += 1000)
    await boss.insert(queue, Array.from({ length: Math.min(1000, count - at) }, () => ({ data: {} })));
  const start = performance.now();
  await Promise.all([consume(), consume()]);
  return count / ((performance.now() - start) / 1000);
}

await measure(500); // warms up
console.log(await measure(jobs));
await boss.stop({ graceful: false });
