import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { JobResult } from "#api/endpoints/agent.ts";
import { withContracts } from "./contracts.ts";

const pact = (consumer: string) => ({
  ...{ consumer: { name: consumer }, provider: { name: "catalog" }, interactions: [] },
  _links: { "pb:publish-verification-results": { href: `https://public.example.com/pact/results/${consumer}` } },
});

type Asked = [string, string, unknown];
type Context = Parameters<typeof withContracts>[0];

/** A workspace, and a broker that answers these paths. */
async function openPlace(answers: Record<string, [status: number, body?: unknown]>) {
  const home = await mkdtemp(join(tmpdir(), "towline-contracts-"));
  const workspace = join(home, "workspace");
  await mkdir(workspace);
  const asked: Asked[] = [];
  const lines: string[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const text = (await Array.fromAsync(request)).map(String).join("");
    asked.push([`${request.method} ${request.url}`, request.headers.authorization ?? "", text && JSON.parse(text)]);
    const [status, body] = answers[request.url ?? ""] ?? [404];
    response.writeHead(status).end(JSON.stringify(body ?? {}));
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const run = (pacts: { publish?: string; verify?: string }, work: () => Promise<JobResult>) => {
    const assignment = {
      pacts,
      env: { TOWLINE_SERVICE: "catalog" },
      build: { branch: "main", commit: "a".repeat(40), repository: "shop" },
      credentials: { password: "tw_job" },
    };
    const agent = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
    const ended = new AbortController().signal;
    const log = { say: async (line: string) => void lines.push(line) };
    return withContracts({ assignment, agent, ended, log, workspace } as unknown as Context, work);
  };
  const dispose = async () => {
    server.close();
    await rm(home, { recursive: true, force: true });
  };
  const write = (path: string, value: unknown) => writeFile(join(workspace, path), JSON.stringify(value));
  return { home, workspace, asked, lines, run, write, [Symbol.asyncDispose]: dispose };
}

const passed: JobResult = { outcome: "passed", exitStatus: 0 };

test("a test that passed publishes its pacts under service, commit and branch; one that failed publishes none", async () => {
  await using place = await openPlace({ "/pact/contracts/publish": [200] });
  await mkdir(join(place.workspace, "pacts"));
  await place.write("pacts/a.json", { provider: { name: "stock" } });
  await place.run({ publish: "pacts/*.json" }, async () => ({ outcome: "failed", exitStatus: 1 }));
  expect(place.asked).toEqual([]);
  expect(await place.run({ publish: "pacts/*.json" }, async () => passed)).toEqual(passed);
  expect(place.asked).toEqual([
    [
      ...["POST /pact/contracts/publish", "Bearer tw_job"],
      expect.objectContaining({
        ...{ pacticipantName: "catalog", pacticipantVersionNumber: "a".repeat(40), branch: "main" },
        contracts: [expect.objectContaining({ consumerName: "catalog", providerName: "stock", onConflict: "merge" })],
      }),
    ],
  ]);
  expect(place.lines).toContain("+++ Contracts: published with stock");
});

test("what cannot be published fails the step with the reason", async () => {
  await using place = await openPlace({ "/pact/contracts/publish": [409, { errors: { contracts: ["they differ"] } }] });
  const reasonOf = async () => (await place.run({ publish: "*.json" }, async () => passed)).reason;
  expect(await reasonOf()).toBe("no pact fits *.json");
  await place.write("odd.json", { consumer: 3 });
  expect(await reasonOf()).toBe("odd.json is no pact: it names no provider");
  await place.write("odd.json", { provider: { name: "stock" } });
  expect(await reasonOf()).toBe("its pacts were not taken: they differ");
  await rm(join(place.workspace, "odd.json"));
  await writeFile(join(place.home, "secret"), JSON.stringify({ provider: { name: "stock" } }));
  await symlink(join(place.home, "secret"), join(place.workspace, "odd.json"));
  expect(await reasonOf()).toBe("odd.json: it leads out of the workspace");
});

const listed = {
  _embedded: {
    pacts: ["web", "app", "tool"].map((each) => ({
      _links: { self: { href: `https://public.example.com/pact/${each}` } },
    })),
  },
};
const wanted = {
  "/pact/pacts/provider/catalog/for-verification": [200, listed],
  ...Object.fromEntries(["web", "app", "tool"].map((each) => [`/pact/${each}`, [200, pact(each)]])),
  ...Object.fromEntries(["web", "app"].map((each) => [`/pact/results/${each}`, [201]])),
} as Record<string, [number, unknown?]>;

test("a test finds the pacts that it verifies, and what it leaves of each is told; a broken one is no failure of the step", async () => {
  await using place = await openPlace(wanted);
  const result = await place.run({ verify: "pacts" }, async () => {
    expect((await readdir(join(place.workspace, "pacts"))).toSorted()).toEqual([
      "1-web.json",
      "2-app.json",
      "3-tool.json",
      "results",
    ]);
    await place.write("pacts/results/1-web.json", { success: true, testResults: [] });
    await place.write("pacts/results/2-app.json", { success: false, testResults: [] });
    await place.write("pacts/results/3-tool.json", { success: "perhaps" });
    return passed;
  });
  expect(result).toEqual(passed);
  const told = place.asked.filter(([what]) => what.includes("results")).map(([what, , body]) => [what, body]);
  const by = { providerApplicationVersion: "a".repeat(40), testResults: [] };
  expect(told).toEqual([
    ["POST /pact/results/web", { success: true, ...by }],
    ["POST /pact/results/app", { success: false, ...by }],
  ]);
  expect(place.asked.at(-1)?.[0]).toBe(`PUT /pact/pacticipants/catalog/branches/main/versions/${"a".repeat(40)}`);
  expect(place.lines.at(-1)).toContain("1 kept; NOT kept with app");
  expect(place.lines).toContainEqual(expect.stringContaining("3-tool.json was not verified"));
});

test("the folder of pacts is made anew, and none that leads out of the workspace is", async () => {
  await using place = await openPlace(wanted);
  await mkdir(join(place.home, "outside"));
  await symlink(join(place.home, "outside"), join(place.workspace, "pacts"));
  await place.run({ verify: "pacts" }, async () => passed);
  expect(await readdir(join(place.home, "outside"))).toEqual([]);
  await symlink(join(place.home, "outside"), join(place.workspace, "link"));
  for (const verify of ["link/pacts", ".", "none/pacts"])
    expect((await place.run({ verify }, async () => passed)).reason).toContain("is no place for pacts");
  expect(await readdir(join(place.home, "outside"))).toEqual([]);
});
