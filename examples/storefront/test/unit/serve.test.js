import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, get } from "node:http";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

const slow = `
  import { serve } from "./src/serve.js";
  serve(({ path }) => new Promise((answer) => setTimeout(answer, path === "/slow" ? 800 : 0, { status: 200, body: { path } })), 0);
`;

const faulty = `
  import { serve } from "./src/serve.js";
  serve(() => { throw new Error("on purpose"); }, 0);
`;

async function start(context, code, stderr) {
  const service = spawn(process.execPath, ["--input-type=module", "--eval", code], { stdio: ["ignore", "pipe", stderr] });
  context.after(() => service.kill("SIGKILL"));
  const [line] = await once(createInterface(service.stdout), "line");
  return { service, exited: once(service, "exit"), port: JSON.parse(line).port };
}

async function ask(port, path, agent) {
  const [response] = await once(get({ port, path, agent }), "response");
  const body = (await response.toArray()).join("");
  return { status: response.statusCode, body: JSON.parse(body), connection: response.headers.connection };
}

test("after SIGTERM what has begun is answered, so is what comes on a kept connection, and then it ends", async (context) => {
  const { service, exited, port } = await start(context, slow, "inherit");
  const kept = new Agent({ keepAlive: true, maxSockets: 1 });
  assert.equal((await ask(port, "/first", kept)).connection, "keep-alive");
  const begun = ask(port, "/slow", new Agent());
  await sleep(100);
  service.kill("SIGTERM");
  await sleep(100);
  assert.deepEqual(await ask(port, "/late", kept), { status: 200, body: { path: "/late" }, connection: "close" });
  assert.equal((await begun).status, 200);
  assert.deepEqual(await exited, [0, null]);
});

test("a fault in the code is answered with 500 and does not end the service", async (context) => {
  const { port } = await start(context, faulty, "ignore");
  assert.equal((await ask(port, "/")).status, 500);
  assert.equal((await ask(port, "/")).status, 500);
});
