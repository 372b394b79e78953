import { createClient } from "redis";
import { tell } from "./story.mjs";

const made = [];
const client = async (name) => {
  const redis = createClient({
    name, RESP: Number(process.argv[3]), socket: { port: Number(process.argv[2]), host: "127.0.0.1" },
  });
  redis.on("error", () => {}); // it connects again by itself
  await redis.connect();
  made.push(redis);
  return redis;
};
const worker = await client("worker");
const others = [await client("boss"), await client("reader")];
const [send, boss, reader] = [worker, ...others].map((c) => (...words) => c.sendCommand(words));
const transaction = async (lines) => {
  const multi = worker.multi();
  for (const line of lines) multi.addCommand(line);
  return multi.exec();
};
await tell({ worker: send, boss, reader, transaction });
for (const redis of made) redis.destroy();
