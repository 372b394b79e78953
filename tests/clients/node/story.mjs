// The story that every client tells, in the commands of a library that sends any command line: see ../README.md.
// `worker`, `boss` and `reader` are functions: (word, ...) -> a promise of the answer.

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const fields = (pairs) => (Array.isArray(pairs) ? pairs[1] : Object.values(pairs)[0]);
const entries = (list) => list.map(([id, pairs]) => `${id}=${fields(pairs)}`).join(" ") || "none";

function read(answer) {
  if (answer === null || answer === undefined) return "nothing";
  if (!Array.isArray(answer)) return entries(Object.values(answer)[0]); // a map of RESP3, as an object
  return entries(Array.isArray(answer[0]) ? answer[0][1] : answer[1]); // pairs; or a map, laid flat
}

async function said(promise) {
  try {
    return String(await promise);
  } catch (error) {
    return `error ${error.message}`;
  }
}

async function patiently(attempt) {
  for (let n = 0; n < 100; n += 1) {
    try {
      return await attempt();
    } catch {
      await wait(50);
    }
  }
  throw new Error("it never came back");
}

export async function tell({ worker, boss, reader, transaction }) {
  const say = (name, text) => console.log(`${name}: ${text}`);
  const take = (...more) => ["XREADGROUP", "GROUP", "workers", ...more];
  say("group", await said(boss("XGROUP", "CREATE", "orders", "workers", "$", "MKSTREAM")));
  say("again", await said(boss("XGROUP", "CREATE", "orders", "workers", "$", "MKSTREAM")));
  const added = [];
  for (const n of ["1", "2", "3", "4"]) added.push(await boss("XADD", "orders", `${n}-1`, "n", n));
  say("added", added.join(" "));
  say("small", await said(boss("XADD", "orders", "1-1", "n", "x")));
  say("read", read(await worker(...take("a", "COUNT", "3", "STREAMS", "orders", ">"))));
  say("own", read(await worker(...take("a", "STREAMS", "orders", "0"))));
  say("acked", await worker("XACK", "orders", "workers", "1-1"));
  say("acked again", await worker("XACK", "orders", "workers", "1-1"));
  const [pending, low, high, owners] = await worker("XPENDING", "orders", "workers");
  say("pending", `${pending} ${low} ${high} ${owners.map(([name, count]) => `${name}=${count}`).join(" ")}`);
  const each = await worker("XPENDING", "orders", "workers", "-", "+", "10");
  say("each", each.map(([id, owner, , count]) => `${id} ${owner} ${count}`).join(", "));
  say("claimed", entries(await worker("XCLAIM", "orders", "workers", "b", "0", "2-1")));
  const [cursor, taken] = await worker("XAUTOCLAIM", "orders", "workers", "b", "0", "0");
  say("autoclaimed", `${cursor} ${entries(taken)}`);
  say("rest", read(await worker(...take("a", "STREAMS", "orders", ">"))));
  say("then", read(await worker(...take("a", "BLOCK", "50", "STREAMS", "orders", ">"))));
  const woken = reader(...take("c", "BLOCK", "10000", "STREAMS", "orders", ">"));
  await wait(200);
  await boss("XADD", "orders", "5-1", "n", "5");
  say("woken", read(await woken));
  say("transaction", (await transaction([
    ["XADD", "orders", "6-1", "n", "6"], ["XACK", "orders", "workers", "5-1"],
  ])).join(" "));
  say("lost group", await said(worker("XREADGROUP", "GROUP", "nobody", "a", "STREAMS", "orders", ">")));
  say("drained", read(await worker(...take("a", "STREAMS", "orders", ">"))));
  await boss("CLIENT", "KILL", "TYPE", "normal");
  say("after a kill", await patiently(() => worker("XLEN", "orders")));
  let killed = reader(...take("c", "BLOCK", "10000", "STREAMS", "orders", ">"));
  killed.catch(() => {});
  await wait(200);
  await boss("CLIENT", "KILL", "TYPE", "normal");
  await wait(200);
  await boss("XADD", "orders", "7-1", "n", "7");
  say("after a killed read", read(await patiently(() => {
    const attempt = killed ?? reader(...take("c", "STREAMS", "orders", ">"));
    killed = null;
    return attempt;
  })));
  await boss("SIM.FAULT", "lose-reply", "XACK", "client", "worker");
  say("XACK, its reply lost", await said(worker("XACK", "orders", "workers", "7-1")).then((text) => text.split(" ")[0]));
  await boss("SIM.FAULT", "lose-reply", "XADD", "client", "worker");
  await said(worker("XADD", "orders", "*", "n", "8"));
  say("XADD, its reply lost", (await boss("XRANGE", "orders", "8-0", "+")).length);
}
