import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sql } from "kysely";
import { Encrypter } from "age-encryption";
import { fleetEndpoints } from "#api/endpoints/fleet.ts";
import { createGit } from "#drivers/git/binary.ts";
import { systemClock } from "#kernel/clock.ts";
import { openIdentity } from "#kernel/identity.ts";
import { createHttp, type Principal, serveEndpoints } from "#kernel/http.ts";
import { jobs, startJobs } from "#kernel/jobs.ts";
import { createOutbox } from "#kernel/outbox.ts";
import { openVault } from "#kernel/vault.ts";
import { openWake } from "#kernel/wake.ts";
import { createSource, type Source } from "#source";
import { testDatabase } from "#testing/database.ts";
import { until } from "#testing/until.ts";
import { createFleet, type Fleet } from "./index.ts";
import { checkEnvironments } from "./read-files.ts";

const database = await testDatabase();
const { db, log } = database;
const home = await mkdtemp(join(tmpdir(), "towline-fleet-"));
const stack = new AsyncDisposableStack();
const author = { name: "Dev", email: "dev@example.com" };
const app = createHttp({ log });
let source: Source;
let fleet: Fleet;

beforeAll(async () => {
  const wake = stack.use(await openWake(database.url, log));
  const outbox = createOutbox({ db, wake, log });
  const deps = { db, emit: outbox.emit, jobs, clock: systemClock, log };
  const stopping = new AbortController();
  const authenticate = async (role: string | undefined) =>
    role ? ({ kind: "user", name: "ada", role, token: "t" } as Principal) : undefined;
  source = createSource({ ...deps, git: createGit(), authenticate, home, diskFloor: 0, stopping: stopping.signal });
  fleet = createFleet({ ...deps, source, vault: await openVault(home), identity: await openIdentity(home) });
  outbox.subscribe([...source.reactions, ...fleet.reactions]);
  serveEndpoints(
    app,
    { log, authenticate, stopping: stopping.signal },
    { table: fleetEndpoints, handlers: fleet.handlers },
  );
  await source.start();
  await fleet.start();
  stack.use(outbox.start());
  stack.use(startJobs({ db, wake, log, tasks: { ...source.tasks, ...fleet.tasks } }));
});

afterAll(async () => {
  await stack.disposeAsync();
  await rm(home, { recursive: true, force: true });
  await database?.[Symbol.asyncDispose]();
});

const commit = (repository: string, files: Record<string, string>) =>
  source.commitFiles({ repository, branch: "main", files, message: "change", author });

async function call(method: "GET" | "PUT" | "POST" | "DELETE", url: string, payload?: object, role = "lead") {
  const answer = await app.inject({ method, url, headers: { authorization: role }, ...(payload ? { payload } : {}) });
  return { status: answer.statusCode, body: answer.json() };
}

describe("the fleet", () => {
  test("begins with the environments test and production, in this order", async () => {
    await until(async () => (await fleet.environments()).length === 2);
    expect((await fleet.environments()).map(({ name, after }) => [name, after])).toEqual([
      ["test", undefined],
      ["production", "test"],
    ]);
  });

  test("shows what was read of a manifest also when its repository has the commit no more", async () => {
    await source.ensureRepository({ name: "rewritten", allowDirectPush: true });
    await commit("rewritten", { "towline.yml": "service: rewritten\nhttp: { port: 8080 }\n" });
    await until(async () => (await fleet.service("rewritten")) !== undefined);
    // As after a push that replaced it, and its removal by git.
    await sql`update services set commit = ${"0".repeat(39)} || '1' where name = 'rewritten'`.execute(db);
    const { body } = await call("GET", "/api/services/rewritten");
    expect(body).toMatchObject({ manifestText: null, manifest: { service: "rewritten" } });
  });

  test("takes a service from the towline.yml of a default branch, and its next version", async () => {
    await source.ensureRepository({ name: "catalog", allowDirectPush: true });
    await commit("catalog", { "towline.yml": "service: catalog\nhttp: { port: 8080 }\n" });
    await until(async () => (await fleet.service("catalog")) !== undefined);
    await commit("catalog", { "towline.yml": "service: catalog\nowner: shop\nhttp: { port: 9090 }\n" });
    await until(async () => (await fleet.service("catalog"))?.manifest.port === 9090);
    expect(await fleet.service("catalog")).toMatchObject({ repository: "catalog", owner: "shop" });
    const { body } = await call("GET", "/api/services/catalog");
    expect(body.manifestText).toBe("service: catalog\nowner: shop\nhttp: { port: 9090 }\n");
    expect(body.manifest).toMatchObject({ owner: "shop", port: 9090 });
  });

  test("keeps the last good manifest when the newest has a fault", async () => {
    const before = (await fleet.service("catalog"))?.commit;
    await commit("catalog", { "towline.yml": "service: catalog\nhttp: { prot: 1 }\n" });
    const { revision } = await commit("catalog", { "README.md": "more" });
    await until(async () => (await sql`select 1 from deliveries`.execute(db)).rows.length === 0);
    expect(await fleet.service("catalog")).toMatchObject({ commit: before, manifest: { port: 9090 } });
    expect(revision).not.toBe(before);
  });

  test("is told only what has changed when everything is read again, as at each start", async () => {
    const told = async () => (await sql`select 1 from events where name like 'fleet.%'`.execute(db)).rows.length;
    const read = async () =>
      (await sql`select 1 from jobs where task = 'fleet.read'`.execute(db)).rows.length === 0 &&
      (await sql`select 1 from deliveries`.execute(db)).rows.length === 0;
    await until(read);
    const before = await told();
    await fleet.start();
    await until(read);
    expect(await told()).toBe(before);
  });

  test("leaves a service to the repository that named it first", async () => {
    await source.ensureRepository({ name: "impostor", allowDirectPush: true });
    await source.ensureRepository({ name: "other", allowDirectPush: true });
    await commit("impostor", { "towline.yml": "service: catalog\nhttp: { port: 1 }\n" });
    await commit("other", { "towline.yml": "service: other\nhttp: { port: 1 }\n" });
    await until(async () => (await fleet.service("other")) !== undefined);
    expect((await fleet.service("catalog"))?.repository).toBe("catalog");
  });

  test("takes the services of folders, and follows those that move, change their name or go", async () => {
    const manifest = (name: string) => `service: ${name}\nport: 80\n`;
    const removeAll = async (paths: string[]) =>
      source.commitFiles({
        ...{ repository: "shop", branch: "main", message: "change", author },
        files: Object.fromEntries(paths.map((each) => [each, null])),
      });
    const places = async () =>
      (await fleet.services())
        .filter(({ repository }) => repository === "shop")
        .map(({ name, folder, gone_at }) => `${name} ${gone_at ? "gone" : folder}`);
    await source.ensureRepository({ name: "shop", allowDirectPush: true });
    await commit("shop", {
      "services/pay/towline.yml": manifest("pay"),
      "services/cart/towline.yml": manifest("cart"),
    });
    await until(async () => (await places()).length === 2);
    expect(await places()).toEqual(["cart services/cart", "pay services/pay"]);
    await commit("shop", { "services/cart/towline.yml": manifest("basket") });
    await until(async () => (await places()).length === 3);
    expect(await places()).toEqual(["basket services/cart", "cart gone", "pay services/pay"]);
    await commit("shop", {
      "apps/pay/towline.yml": manifest("pay"),
      "services/cart/towline.yml": "service: basket\nprot: 1\n",
    });
    await removeAll(["services/pay/towline.yml"]);
    await until(async () => (await places()).includes("pay apps/pay"));
    expect(await places()).toEqual(["basket services/cart", "cart gone", "pay apps/pay"]);
  });

  test("lets another repository have the name of a service that its own describes no more", async () => {
    await source.ensureRepository({ name: "cart", allowDirectPush: true });
    await commit("cart", { "towline.yml": "service: cart\nport: 80\n" });
    await until(async () => (await fleet.service("cart"))?.repository === "cart");
    expect(await fleet.service("cart")).toMatchObject({ folder: "", gone_at: null });
  });

  test("gives the jobs of a service its own secrets and those for all, not those of its neighbours", async () => {
    for (const service of ["pay", "basket"])
      await call("PUT", "/api/secrets", { service, environment: "builds", name: service.toUpperCase(), value: "x" });
    expect(await fleet.jobSecrets("shop", "pay")).toEqual({ PAY: "x" });
    expect(await fleet.jobSecrets("shop", null)).toEqual({});
    expect(await fleet.jobSecrets("cart", "pay")).toEqual({});
  });

  test("shows the fault of an environment file with its place, and keeps what was in force", async () => {
    await commit("fleet", {
      "environments/test.yml": "target: docker\nwatch: 9s\n",
      "environments/production.yml": "target: moon\n",
    });
    await until(async () => (await fleet.environment("test"))?.watch === 9_000);
    expect(await fleet.environment("production")).toMatchObject({ after: "test" });
    const { body } = await call("GET", "/api/environments");
    const production = body.environments.find(({ name }: { name: string }) => name === "production");
    expect(production.faults[0]).toMatchObject({ file: "environments/production.yml", line: 1 });
  });

  test("forgets an environment whose file is gone, and takes none called builds", async () => {
    await source.commitFiles({
      ...{ repository: "fleet", branch: "main", message: "change", author },
      files: { "environments/production.yml": null, "environments/builds.yml": "target: docker\n" },
    });
    await until(async () => (await fleet.environments()).length === 1);
    expect(await fleet.environment("builds")).toBeUndefined();
  });
});

async function versionsIn(name: string): Promise<Record<string, number>> {
  const environment = await fleet.environment(name);
  if (!environment) throw new Error(`there is no environment ${name}`);
  return fleet.secretVersions("catalog", environment);
}

describe("a secret", () => {
  const set = (name: string, value: string, scope: object = {}) =>
    call("PUT", "/api/secrets", { name, value, ...scope });

  test("is kept sealed and shown by name only", async () => {
    await set("KEY", "a-very-secret-value");
    const { rows } = await sql<{ text: string }>`select secrets::text as text from secrets`.execute(db);
    expect(rows.some(({ text }) => text.includes("a-very-secret-value"))).toBe(false);
    expect(JSON.stringify((await call("GET", "/api/secrets")).body)).not.toContain("a-very-secret-value");
  });

  test("of the narrowest scope wins, and builds get only their own", async () => {
    await set("TOKEN", "for all");
    await set("TOKEN", "for catalog", { service: "catalog" });
    await set("TOKEN", "for catalog in test", { service: "catalog", environment: "test" });
    await set("TOKEN", "for builds", { service: "catalog", environment: "builds" });
    expect((await fleet.secretsFor("catalog", "test"))["TOKEN"]).toBe("for catalog in test");
    expect((await fleet.secretsFor("catalog", "production"))["TOKEN"]).toBe("for catalog");
    expect((await fleet.secretsFor("orders", "test"))["TOKEN"]).toBe("for all");
    expect(await fleet.jobSecrets("catalog", "catalog")).toEqual({ TOKEN: "for builds" });
  });

  test("has another version whenever it is set, also after it was deleted", async () => {
    const version = async () => (await versionsIn("test"))["TURNS"] ?? 0;
    await set("TURNS", "one", { service: "catalog" });
    const first = await version();
    await set("TURNS", "two", { service: "catalog" });
    const second = await version();
    await call("DELETE", "/api/secrets?name=TURNS&service=catalog");
    expect(await version()).toBe(0);
    await set("TURNS", "one", { service: "catalog" });
    expect(new Set([first, second, await version(), 0]).size).toBe(4);
  });

  test("is sealed anew when the key is rotated, by an admin, and stays the same value of the same version", async () => {
    await set("ROTATED", "stays", { service: "catalog" });
    const sealed = async () =>
      (await sql<{ sealed: string }>`select sealed from secrets where name = 'ROTATED'`.execute(db)).rows[0]?.sealed;
    const before = [await sealed(), (await versionsIn("test"))["ROTATED"]];
    expect((await call("POST", "/api/secrets/rotate-key", undefined, "lead")).status).toBe(403);
    const { body } = await call("POST", "/api/secrets/rotate-key", undefined, "admin");
    expect(body.resealed).toBeGreaterThan(0);
    expect((await sealed())?.split(".")[1]).toBe(body.key);
    expect(await sealed()).not.toBe(before[0]);
    expect((await fleet.secretsFor("catalog", "test"))["ROTATED"]).toBe("stays");
    expect((await versionsIn("test"))["ROTATED"]).toBe(before[1]);
    expect((await call("POST", "/api/secrets/rotate-key", undefined, "admin")).body.resealed).toBe(body.resealed);
  });

  test("stands in Git, encrypted to the public key; it wins over one that was set, and that of the service over all", async () => {
    const { recipient } = (await call("GET", "/api/secrets/public-key", undefined, "viewer")).body;
    const sealed = async (text: string) => {
      const encrypter = new Encrypter();
      encrypter.addRecipient(recipient);
      return Buffer.from(await encrypter.encrypt(text)).toString("base64");
    };
    await set("IN_GIT", "by command", { service: "catalog", environment: "test" });
    const put = async (one: string, all: string) => {
      const own = `services: { catalog: { secrets: { IN_GIT: ${one} } } }`;
      await commit("fleet", { "environments/test.yml": `target: docker\nsecrets: { IN_GIT: ${all} }\n${own}\n` });
      await until(async () => (await fleet.environment("test"))?.secrets["catalog"]?.["IN_GIT"] === one);
    };
    const all = await sealed("for all");
    await put(await sealed("for catalog"), all);
    expect((await fleet.secretsFor("catalog", "test"))["IN_GIT"]).toBe("for catalog");
    expect((await fleet.secretsFor("orders", "test"))["IN_GIT"]).toBe("for all");
    const version = async () => (await versionsIn("test"))["IN_GIT"];
    const before = await version();
    await put(await sealed("another"), all);
    expect(await version()).not.toBe(before);
    const { rows } = await sql<{ text: string }>`select environments::text as text from environments`.execute(db);
    expect(rows.some(({ text }) => text.includes("for all"))).toBe(false);
  });

  test("in Git that this installation cannot open is refused with its place", async () => {
    const other = await mkdtemp(join(tmpdir(), "towline-other-"));
    const encrypter = new Encrypter();
    encrypter.addRecipient((await openIdentity(other)).recipient);
    const foreign = Buffer.from(await encrypter.encrypt("hush")).toString("base64");
    const text = `target: docker\nsecrets:\n  KEY: ${foreign}\n`;
    const files = { listFiles: async () => ["environments/test.yml"], readFile: async () => text };
    const [fault, ...more] = await checkEnvironments(await openIdentity(home), files);
    expect(more).toEqual([]);
    expect(fault).toMatchObject({ code: "environment.foreign-secret", place: { line: 3, column: 8 } });
    await rm(other, { recursive: true });
  });

  test("is set and deleted by leads only, and each change is on record with who did it", async () => {
    expect((await call("PUT", "/api/secrets", { name: "X", value: "v" }, "developer")).status).toBe(403);
    await set("X", "v");
    expect((await call("DELETE", "/api/secrets?name=X")).body).toEqual({ deleted: true });
    expect((await call("DELETE", "/api/secrets?name=X")).body.error.code).toBe("not-found");
    const { rows } = await sql<{
      change: string;
      actor: string;
    }>`select payload ->> 'change' as change, payload ->> 'actor' as actor
      from events where name = 'fleet.secret-changed' and payload ->> 'name' = 'X' order by id`.execute(db);
    expect(rows).toEqual([
      { change: "set", actor: "ada" },
      { change: "deleted", actor: "ada" },
    ]);
  });

  test("of a backing service is made once, also by two who ask at once, and reaches no service by name", async () => {
    const [one, two] = await Promise.all([fleet.backingPassword("test", "db"), fleet.backingPassword("test", "db")]);
    expect(one).toBe(two);
    expect(await fleet.backingPassword("production", "db")).not.toBe(one);
    expect(Object.values(await fleet.secretsFor("catalog", "test"))).not.toContain(one);
  });
});

describe("environments of pull requests", () => {
  const key = (name: string, environment?: string) =>
    call("PUT", "/api/secrets", { name, value: "hush", service: "catalog", ...(environment ? { environment } : {}) });
  const template = { "environments/preview.yml": "target: docker\nborrow: test\nvariables: { A: b }\n" };

  test("are there as soon as the fleet has a template, which is none itself", async () => {
    expect([await fleet.previews(), await fleet.environment("preview-3")]).toEqual([undefined, undefined]);
    await commit("fleet", template);
    await until(async () => (await fleet.previews()) !== undefined);
    expect(await fleet.previews()).toEqual({ borrow: "test", keep: 259_200_000, most: 5 });
    expect(await fleet.environment("preview-3")).toMatchObject({ name: "preview-3", variables: { A: "b" } });
    expect(await fleet.environment("preview")).toBeUndefined();
    expect((await fleet.environments()).map(({ name }) => name)).not.toContain("preview");
  });

  test("get no secret but those that were set for previews by name", async () => {
    for (const environment of [undefined, "test", "production", "preview"])
      await key(`FOR_${(environment ?? "all").toUpperCase()}`, environment);
    expect(await fleet.secretsFor("catalog", "preview-3")).toEqual({ FOR_PREVIEW: "hush" });
    expect(Object.keys(await versionsIn("preview-3"))).toEqual(["FOR_PREVIEW"]);
    expect(await fleet.secretsFor("catalog", "test")).not.toHaveProperty("FOR_PREVIEW");
  });

  test("lose the passwords that were made for them when they end", async () => {
    const made = await fleet.backingPassword("preview-3", "db");
    expect(await fleet.backingPassword("preview-3", "db")).toBe(made);
    await fleet.forgetPreview("preview-3");
    expect(await fleet.backingPassword("preview-3", "db")).not.toBe(made);
    const kept = await fleet.backingPassword("test", "db");
    await fleet.forgetPreview("test");
    expect(await fleet.backingPassword("test", "db")).toBe(kept);
  });
});
