import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { once } from "node:events";
import { refuse } from "#api/errors.ts";
import { type ProgramCall, type ProgramEnded, runProgram } from "#client/programs.ts";
import { createHttp, type Principal } from "#kernel/http.ts";
import { createLog } from "#kernel/log.ts";
import {
  type DeploymentsPlace,
  type DeploymentsServer,
  openDeploymentsPlace,
  quickTiming,
} from "#testing/deployments-place.ts";
import { until } from "#testing/until.ts";
import { programStore } from "./program-store.ts";

const people: Record<string, Principal> = {
  lea: { kind: "user", name: "lea", role: "lead", token: "t" },
  dev: { kind: "user", name: "dev", role: "developer", token: "t" },
  job: { kind: "job", name: "j", token: "t", grants: { repositories: {} } },
};

type Where = Pick<ProgramCall, "service" | "environment">;

/** The server's programs over HTTP, as those of `people` whose name is the token. */
async function listen(server: DeploymentsServer) {
  const app = createHttp({ log: createLog("silent") });
  const stopping = new AbortController();
  const authenticate = async (header: string | undefined) =>
    people[header?.replace("Bearer ", "") ?? ""] ?? refuse("auth.bad-token", "no such token");
  server.deployments.register(app, { authenticate, stopping: stopping.signal });
  await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as { port: number };
  const url = `http://127.0.0.1:${port}`;
  async function run(
    asked: Partial<ProgramCall["asked"]>,
    { token = "lea", input = [], ...more }: { token?: string; input?: string[] } & Partial<Where> = {},
  ) {
    const said = { output: "", errors: "", instance: "" };
    const call: ProgramCall = {
      ...{ service: "orders", environment: "test", ...more },
      asked: { command: ["copy"], reason: "to look", ...asked },
      input: (async function* () {
        for (const text of input) yield Buffer.from(text);
      })(),
    };
    const ended = await runProgram({ url, token }, call, {
      begun: (instance) => void (said.instance = instance),
      output: async (bytes, isError) => void (said[isError ? "errors" : "output"] += Buffer.from(bytes).toString()),
    });
    return { ...said, ended: ended as ProgramEnded };
  }
  return { url, run, stopping, [Symbol.asyncDispose]: () => app.close() };
}

const commit = "a".repeat(40);
const allowing = (role: string) => `target: docker\nwatch: 0s\nexec: [${role}]\n`;

async function openPlace(): Promise<DeploymentsPlace> {
  const place = await openDeploymentsPlace();
  place.world.services = ["orders"];
  place.world.environments["test"] = allowing("lead");
  place.world.secrets = { KEY: "correct-horse" };
  place.world.manifests.set(commit, "service: orders\nhttp: 8080\nsecrets: [KEY]\n");
  place.world.play = ([name], { input }) => {
    if (name === "copy") return { exitCode: 0, output: input.toString() };
    if (name === "fail") return { exitCode: 6, errors: ["no luck"] };
    return name === "wait" ? new Promise(() => {}) : undefined;
  };
  return place;
}

const waits = { command: ["wait"], reason: "to look" };

describe("a program inside of an instance", () => {
  let place: DeploymentsPlace;
  let server: DeploymentsServer;
  let http: Awaited<ReturnType<typeof listen>>;
  beforeAll(async () => {
    place = await openPlace();
    server = await place.server();
    http = await listen(server);
    const { number } = await server.publish("orders", commit);
    await server.deploy("orders", number);
  });
  afterAll(async () => {
    await http?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
    await place?.[Symbol.asyncDispose]();
  });
  const begun = () => place.events("deployments.program-begun");
  const ends = () => place.events("deployments.program-ended");
  /** Opens one that waits, and resolves once it runs. */
  const open = async () => {
    const socket = new WebSocket(`${http.url.replace("http", "ws")}/api/programs/orders/test`, {
      headers: { authorization: "Bearer lea" },
    });
    await once(socket, "open");
    socket.send(JSON.stringify({ type: "begin", ...waits }));
    await once(socket, "message");
    return socket;
  };

  test("reads its input, and its output, errors and exit code come back", async () => {
    const copied = await http.run({}, { input: ["one ", "two"] });
    expect(copied).toMatchObject({ output: "one two", ended: { end: "exited", exitCode: 0 } });
    expect(copied.instance).toBe((await place.serving("orders")).instances[0]);
    expect(await http.run({ command: ["fail"] })).toMatchObject({ errors: "no luck\n", ended: { exitCode: 6 } });
  });

  test("is in the record before it starts and when it ends, with who, what and why, but no secret", async () => {
    const before = (await begun()).length;
    await http.run({ command: ["fail", "--key=correct-horse"], reason: "is correct-horse the key?" });
    const [told] = (await begun()).slice(before);
    expect(told).toMatchObject({
      ...{ service: "orders", environment: "test", actor: "lea", terminal: false },
      ...{ command: ["fail", "--key=•••"], reason: "is ••• the key?" },
    });
    expect((await ends()).at(-1)).toMatchObject({ program: told?.program, end: "exited", exitCode: 6 });
  });

  test("is for the roles that the environment names, and for nobody where it names none", async () => {
    const before = (await begun()).length;
    expect((await http.run({}, { token: "dev" })).ended).toMatchObject({ refused: "exec.not-allowed" });
    expect((await http.run({}, { environment: "production" })).ended).toMatchObject({
      refused: "exec.not-allowed",
      message: "production allows to nobody to run programs inside of instances; you are lead",
    });
    expect((await http.run({}, { token: "job" })).ended).toMatchObject({ refused: "auth.forbidden" });
    expect((await http.run({}, { token: "nobody" })).ended).toMatchObject({ refused: "auth.bad-token" });
    expect((await begun()).length).toBe(before);
  });

  test("is refused without a reason, in an instance or environment that is not there, and where the image has no such program", async () => {
    expect((await http.run({ reason: "  " })).ended).toMatchObject({ refused: "request.invalid" });
    expect((await http.run({ command: ["a\0b"] })).ended).toMatchObject({ refused: "request.invalid" });
    const [instance = ""] = (await place.serving("orders")).instances;
    const unknown = (await http.run({ instance: "other" })).ended;
    expect(unknown).toMatchObject({ refused: "not-found", fix: `Those that run: ${instance}.` });
    expect((await http.run({}, { environment: "nowhere" })).ended).toMatchObject({ refused: "not-found" });
    expect((await http.run({}, { service: "nothing" })).ended).toMatchObject({ refused: "not-found" });
    expect((await http.run({ command: ["none"] })).ended).toMatchObject({ end: "failed", exitCode: null });
  });

  test("ends when who ran it goes away, and nobody runs more than five", async () => {
    const sockets = await Promise.all(Array.from({ length: 5 }, open));
    expect((await http.run({})).ended).toMatchObject({ refused: "limit.reached" });
    const before = (await ends()).length;
    for (const socket of sockets) socket.terminate();
    await until(async () => (await ends()).length === before + 5);
    expect((await ends()).slice(before).map(({ end }) => end)).toEqual(Array(5).fill("left"));
    expect((await http.run({})).ended).toMatchObject({ exitCode: 0 });
  });

  test("whose server died is told as lost", async () => {
    const id = "11111111-1111-4111-8111-111111111111";
    const row = { id, service: "orders", environment: "test", instance: "gone", actor: "lea", started_at: new Date() };
    await programStore(place.database.db).insert(row);
    await until(async () => (await ends()).at(-1)?.program === id);
    expect((await ends()).at(-1)).toMatchObject({ end: "lost", actor: "lea" });
    expect(await programStore(place.database.db).open()).toEqual([]);
  });
});

test("a program ends when its time is over, when who ran it may no longer, and when the server stops", async () => {
  await using place = await openPlace();
  const running = async () => (await programStore(place.database.db).open()).length > 0;
  {
    await using server = await place.server({ timing: { ...quickTiming, programMs: 500 } });
    await using http = await listen(server);
    await server.deploy("orders", (await server.publish("orders", commit)).number);
    expect((await http.run(waits)).ended).toMatchObject({ end: "late", exitCode: null });
  }
  await using server = await place.server({ timing: { ...quickTiming, doubtMs: 50 } });
  await using http = await listen(server);
  const denied = http.run(waits);
  await until(running);
  place.world.environments["test"] = allowing("admin");
  expect((await denied).ended).toMatchObject({ end: "denied" });
  place.world.environments["test"] = allowing("lead");
  const stopped = http.run(waits);
  await until(running);
  http.stopping.abort();
  expect((await stopped).ended).toMatchObject({ end: "stopped" });
});
