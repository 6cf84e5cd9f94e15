import { createHash } from "node:crypto";
import { request } from "node:http";
import { beforeEach, afterEach, expect, test } from "vitest";
import type { Assignment } from "#api/endpoints/agent.ts";
import { isRefusal, orThrow } from "#api/errors.ts";
import { files, finish, mustLease, push } from "#testing/build-hands.ts";
import { type BuildsPlace, type BuildsServer, openBuildsPlace } from "#testing/builds-place.ts";
import { until } from "#testing/until.ts";

let place: BuildsPlace;
const one = files("steps:\n  - command: one\n    key: one\n");

beforeEach(async () => {
  place = await openBuildsPlace();
});

afterEach(() => place?.[Symbol.asyncDispose]());

const hex = (algorithm: string, bytes: Buffer) => createHash(algorithm).update(bytes).digest("hex");

function announcement(path: string, bytes: Buffer) {
  const sums = { sha1: hex("sha1", bytes), digest: `sha256:${hex("sha256", bytes)}` };
  return { body: { path, size: bytes.length, ...sums, contentType: "text/plain" } };
}

function put(server: BuildsServer, { credentials }: Assignment, place: { id: string; at: number }, bytes: Buffer) {
  const headers = { authorization: `Bearer ${credentials.password}`, "content-type": "application/octet-stream" };
  const address = `${server.url}/api/job/artifacts/${place.id}/content?at=${place.at}`;
  return fetch(address, { method: "PUT", headers, body: new Uint8Array(bytes) });
}

async function keep(server: BuildsServer, job: Assignment, path: string, text: string): Promise<string> {
  const bytes = Buffer.from(text);
  const { id, at } = orThrow(await server.job(job).createArtifact(announcement(path, bytes)));
  if (at !== null) expect((await put(server, job, { id, at }, bytes)).status).toBe(200);
  return id;
}

function fetchContent(server: BuildsServer, token: string, id: string, headers: Record<string, string> = {}) {
  return fetch(`${server.url}/api/artifacts/${id}/content`, {
    headers: { ...headers, authorization: `Bearer ${token}` },
  });
}

async function begun(server: BuildsServer, repository = "orders") {
  const build = await push(place, server, { repository, files: one });
  return { build, job: await mustLease(server) };
}

test("what a job keeps is found by people and later jobs, whole or in parts, and never shown as a page", async () => {
  const server = await place.server();
  const { build, job } = await begun(server);
  const id = await keep(server, job, "dist/büild.txt", "0123456789");
  const found = orThrow(await server.admin.listArtifacts({ params: { id: build.id }, query: { query: "dist/*" } }));
  expect(found.artifacts).toMatchObject([
    { id, path: "dist/büild.txt", size: 10, job: job.job, step: "one", attempt: 1 },
  ]);
  const token = job.credentials.password;
  const whole = await fetchContent(server, token, id);
  expect(await whole.text()).toBe("0123456789");
  expect(Object.fromEntries(whole.headers)).toMatchObject({
    "content-disposition": "attachment; filename=\"b_ild.txt\"; filename*=UTF-8''b%C3%BCild.txt",
    "content-security-policy": "default-src 'none'; sandbox",
    "x-content-type-options": "nosniff",
    "content-type": "text/plain",
  });
  const part = await fetchContent(server, token, id, { range: "bytes=3-5" });
  expect([part.status, part.headers.get("content-range"), await part.text()]).toEqual([206, "bytes 3-5/10", "345"]);
  expect((await fetchContent(server, token, id, { range: "bytes=10-" })).status).toBe(416);
  expect((await fetchContent(server, "tw_wrong", id)).status).toBe(401);
  const { job: foreign } = await begun(server, "billing");
  expect((await fetchContent(server, foreign.credentials.password, id)).status).toBe(404);
});

test("an upload that breaks off goes on where it stands; the same content is not sent twice", async () => {
  const server = await place.server();
  const { build, job } = await begun(server);
  const bytes = Buffer.from(Array.from({ length: 600_000 }, (_, at) => at % 251));
  const wish = announcement("big.bin", bytes);
  const { id } = orThrow(await server.job(job).createArtifact(wish));
  await breakOff(server, job, id, bytes.subarray(0, 200_000));
  let at: number | null = 0;
  await until(async () => {
    const again = orThrow(await server.job(job).createArtifact(wish));
    expect(again.id).toBe(id);
    at = again.at;
    return at === 200_000;
  });
  expect(orThrow(await server.job(job).searchArtifacts({ query: {} })).artifacts).toEqual([]);
  expect((await put(server, job, { id, at: 100 }, bytes)).status).toBe(409);
  expect((await put(server, job, { id, at: 200_000 }, bytes.subarray(200_000))).status).toBe(200);
  const content = await fetchContent(server, job.credentials.password, id);
  expect(Buffer.from(await content.arrayBuffer()).equals(bytes)).toBe(true);
  expect(orThrow(await server.job(job).createArtifact({ body: { ...wish.body, path: "copy.bin" } })).at).toBeNull();
  const { artifacts } = orThrow(await server.admin.listArtifacts({ params: { id: build.id }, query: {} }));
  expect(artifacts.map(({ path }) => path)).toEqual(["big.bin", "copy.bin"]);
});

/** Announces more than it sends, and hangs up. */
async function breakOff(server: BuildsServer, { credentials }: Assignment, id: string, bytes: Buffer): Promise<void> {
  const sending = request(`${server.url}/api/job/artifacts/${id}/content`, {
    method: "PUT",
    headers: { authorization: `Bearer ${credentials.password}`, "content-length": 600_000 },
  });
  sending.on("error", () => {});
  await new Promise<void>((resolve) => sending.write(bytes, () => resolve()));
  setTimeout(() => sending.destroy(), 200);
}

test("content that is not what was announced is refused and nothing of it stays", async () => {
  const server = await place.server();
  const { job } = await begun(server);
  for (const sent of ["0123456780", "0123456789 and more"]) {
    const { id } = orThrow(await server.job(job).createArtifact(announcement("x", Buffer.from("0123456789"))));
    const answer = await put(server, job, { id, at: 0 }, Buffer.from(sent));
    expect(await answer.json()).toMatchObject({ error: { code: "artifact.changed" } });
  }
  expect(orThrow(await server.job(job).searchArtifacts({ query: {} })).artifacts).toEqual([]);
});

test("later attempts inherit what earlier ones kept, and replace it path by path", async () => {
  const server = await place.server();
  const { build, job } = await begun(server);
  await keep(server, job, "a", "first");
  await keep(server, job, "a", "first again");
  await keep(server, job, "b", "first");
  await finish(server, job, { outcome: "failed", exitStatus: 1 });
  orThrow(await server.admin.retryBuild({ params: { id: build.id } }));
  const second = await mustLease(server);
  await keep(server, second, "b", "second");
  const paths = async (retried: "true" | "false") =>
    orThrow(await server.job(second).searchArtifacts({ query: { retried } })).artifacts.map(
      ({ path, attempt }) => `${path}@${attempt}`,
    );
  expect(await paths("false")).toEqual(["a@1", "b@2"]);
  expect(await paths("true")).toEqual(["a@1", "b@2", "b@1"]);
  const stale = await server.job(job).createArtifact(announcement("c", Buffer.from("x")));
  expect(stale).toMatchObject({ refused: "lease.stale" });
});

test("hostile paths, other jobs' uploads and odd requests are refused with codes", async () => {
  const server = await place.server();
  const { job } = await begun(server);
  const x = Buffer.from("x");
  expect(await server.job(job).createArtifact(announcement("../x", x))).toMatchObject({ refused: "artifact.invalid" });
  const type = { body: { ...announcement("x", x).body, contentType: "text/html\r\nx: y" } };
  expect(await server.job(job).createArtifact(type)).toMatchObject({ refused: "request.invalid" });
  expect(await server.job(job).searchArtifacts({ query: { query: "a{" } })).toMatchObject({
    refused: "request.invalid",
  });
  const { id } = orThrow(await server.job(job).createArtifact(announcement("x", x)));
  const { job: foreign } = await begun(server, "billing");
  expect((await put(server, foreign, { id, at: 0 }, x)).status).toBe(404);
  expect((await put(server, job, { id: "../../x", at: 0 }, x)).status).toBe(404);
  expect((await put(server, job, { id, at: Number.NaN }, x)).status).toBe(400);
  expect((await put(server, job, { id, at: 5 }, x)).status).toBe(409);
  expect((await fetchContent(server, job.credentials.password, id)).status).toBe(404);
});

test("artifacts of builds that ended long ago are removed, with content that no other has", async () => {
  // Ahead of the true time, by which tokens are judged.
  let ahead = 0;
  const clock = { now: () => new Date(Date.now() + ahead), advance: (ms: number) => void (ahead += ms) };
  const server = await place.server({ clock, artifactDays: 10 });
  const { build, job } = await begun(server);
  const gone = await keep(server, job, "a", "only here");
  await keep(server, job, "b", "shared");
  await finish(server, job, { outcome: "passed", exitStatus: 0 });
  clock.advance(11 * 24 * 60 * 60 * 1000);
  const { job: later } = await begun(server);
  const kept = await keep(server, later, "b", "shared");
  await server.builds.tasks["builds.sweep-artifacts"]?.({}, new AbortController().signal);
  const list = orThrow(await server.admin.listArtifacts({ params: { id: build.id }, query: {} }));
  expect(list.artifacts).toEqual([]);
  expect((await fetchContent(server, later.credentials.password, gone)).status).toBe(404);
  expect(await (await fetchContent(server, later.credentials.password, kept)).text()).toBe("shared");
  const again = await server.job(later).createArtifact(announcement("c", Buffer.from("only here")));
  expect(isRefusal(again) ? again : again.at).toBe(0);
});
