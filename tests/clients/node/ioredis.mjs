import { Redis } from "ioredis";
import { tell } from "./story.mjs";

const made = [];
const client = (name) => {
  const redis = new Redis({ port: Number(process.argv[2]), connectionName: name });
  redis.on("error", () => {}); // it connects again by itself
  made.push(redis);
  return redis;
};
const worker = client("worker");
const [send, boss, reader] = [worker, client("boss"), client("reader")].map((c) => (...words) => c.call(...words));
const transaction = async (lines) => {
  const multi = worker.multi();
  for (const [name, ...rest] of lines) multi.call(name, ...rest);
  return (await multi.exec()).map(([, answer]) => answer);
};
await tell({ worker: send, boss, reader, transaction });
for (const redis of made) redis.disconnect();
