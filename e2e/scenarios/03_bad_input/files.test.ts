import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BuildDetails } from "#api/endpoints/builds.ts";
import { orThrow, type Place } from "#api/errors.ts";
import { type Platform, startPlatform } from "#testing/platform.ts";
import { until } from "#testing/until.ts";
import type { Checkout } from "../../support/checkout.ts";
import { type CommandLine, commandLine } from "../../support/command-line.ts";
import { buildOf, cloneFleet, finished, newService, setEnvironments } from "../../support/fleet.ts";
import { leftoversOf } from "../../support/leftovers.ts";

const manifest = "service: probe\nhttp: { port: 8080, health: /health }\n";
const pipeline = "steps:\n  - key: check\n    command: perl -c server.pl\n    image: towline/base-debian:stable\n";
const longName = "a".repeat(41);

let platform: Platform;
let checkout: Checkout;
let terminal: CommandLine;

beforeAll(async () => {
  platform = await startPlatform();
  checkout = await newService(platform, "probe");
  terminal = await commandLine({ url: platform.url, token: platform.adminToken });
});

afterAll(async () => {
  await terminal?.[Symbol.asyncDispose]();
  await checkout?.[Symbol.asyncDispose]();
  await platform?.[Symbol.asyncDispose]();
});

describe("a file with an error fails the build at once and is named with line and column", () => {
  test.each([
    ["broken YAML in the pipeline file", ".towline/pipeline.yml", "steps:\n  - command: [make\n", "3:1 yaml.syntax"],
    ["a tab in the pipeline file", ".towline/pipeline.yml", "steps:\n\t- wait\n", "2:1 yaml.syntax"],
    ["broken YAML in towline.yml", "towline.yml", "service: probe\nhttp: { port: 8080\n", "3:1 yaml.syntax"],
    ["a key given twice", "towline.yml", `${manifest}service: other\n`, "3:1 yaml.duplicate-key"],
    ["a file that is no map", "towline.yml", "just words\n", "1:1 shape.wrong-type"],
    ["bytes that are no text", "towline.yml", "service: \u0000\u0001\n", "1:10 shape.wrong-value"],
    ["a port out of range", "towline.yml", "service: probe\nhttp: { port: 99999 }\n", "2:15 shape.wrong-value"],
    ["no port at all", "towline.yml", "service: probe\n", "1:1 shape.missing-key"],
    [
      "a step of two kinds",
      ".towline/pipeline.yml",
      "steps:\n  - command: a\n    deploy: test\n",
      "2:5 pipeline.step-type",
    ],
    ["steps that wait for each other", ".towline/pipeline.yml", circle(), "2:5 pipeline.cycle"],
  ])("%s", async (_, file, text, fault) => {
    const said = await faultsWith({ [file]: text });
    const [place = "", code = ""] = fault.split(" ");
    expect(said).toContain(`${file}:${place} `);
    expect(said).toContain(`[${code}]`);
  });

  test("so `towline build show` and `towline build watch` say", async () => {
    const { number } = await failedBuild({ "towline.yml": "service: probe\nhttp: { prt: 8080 }\n" });
    const line = /^ {2}towline\.yml:2:9 the key `prt` .* \[shape\.unknown-key\] did you mean `port`\?$/m;
    const shown = await terminal.run("build", "show", "probe", String(number));
    expect(shown.code).toBe(0);
    expect(shown.stdout).toMatch(line);
    const watched = await terminal.run("build", "watch", "probe");
    expect(watched.code).toBe(1);
    expect(watched.stdout).toMatch(line);
    const { fault } = (await terminal.run("build", "show", "probe", "--json")).json() as BuildDetails;
    expect(fault).toMatchObject({ code: "manifest.invalid", place: { file: "towline.yml", line: 2 } });
  });
});

describe("an unknown key is refused with the one that was probably meant", () => {
  test.each([
    ["towline.yml", "service: probe\nhtpp: { port: 8080 }\n", "2:1 did you mean `http`?"],
    ["towline.yml", "service: probe\nhttp: { port: 8080, helth: /up }\n", "2:21 did you mean `health`?"],
    [".towline/pipeline.yml", "steps:\n  - comand: make\n", "2:5 did you mean `command`?"],
    [".towline/pipeline.yml", "stps:\n  - command: make\n", "1:1 did you mean `steps`?"],
  ])("in %s: %j", async (file, text, fault) => {
    const said = await faultsWith({ [file]: text });
    const [place = "", ...fix] = fault.split(" ");
    expect(said).toContain(`${file}:${place} `);
    expect(said).toContain(fix.join(" "));
  });
});

describe("a name that could mean more to a shell, a path, SQL or HAProxy goes no further than its file", () => {
  test.each([
    "../../etc/passwd",
    "`id`; $(id)",
    "'; drop table builds; --",
    "probe\n  http-request deny",
    "Próbe",
    longName,
  ])("as the service %j", async (name) => {
    const said = await faultsWith({ "towline.yml": `service: ${JSON.stringify(name)}\nhttp: 8080\n` });
    expect(said).toMatch(/^towline\.yml:1:10 .* \[shape\.wrong-value\]/);
  });

  test("anywhere else in towline.yml, all told at once", async () => {
    const lines = [
      "service: probe",
      'http: { port: 8080, health: "/x\\n  use_backend other" }',
      "needs: ['../secrets']",
      "uses: ['db;x']",
      "secrets: ['A=B']",
      "variables: { 'LD PRELOAD': x }",
      "image: { context: ../.., dockerfile: /etc/passwd, args: { '--network': host } }",
    ];
    const said = await faultsWith({ "towline.yml": `${lines.join("\n")}\n` });
    const places = [...said.matchAll(/^towline\.yml:(\d+:\d+) /gm)].map(([, place]) => place);
    expect(places).toEqual(["2:29", "3:9", "4:8", "5:11", "6:14", "7:19", "7:38", "7:59"]);
  });

  test.each([
    ["environment", "steps:\n  - publish: .\n  - wait\n  - deploy: $$(reboot)\n"],
    ["publish context", "steps:\n  - publish: ../..\n"],
    ["Compose file", "steps:\n  - test: { compose: ../../compose.yml, run: unit }\n"],
    ["Compose service", "steps:\n  - test: { compose: compose.test.yml, run: '--privileged' }\n"],
    ["image", "steps:\n  - command: make\n    image: '--privileged'\n"],
    ["step key", "steps:\n  - key: '../x y'\n    command: make\n"],
  ])("as a step's %s: %j", async (_, text) => {
    expect(await faultsWith({ ".towline/pipeline.yml": text })).toMatch(/^\.towline\/pipeline\.yml:[2-5]:\d+ /);
  });
});

describe("the fleet repository", () => {
  test("takes no push with a broken environment: the words say where it is, and what was there stays", async () => {
    await setEnvironments(platform, { test: "target: docker\nwatch: 500ms\n" });
    const refused = await refusalOf({ "environments/test.yml": "target: docker\nwach: 500ms\n" });
    expect(refused).toContain("environments/test.yml:2:1");
    expect(refused).toContain("wach");
    const kept = (await listEnvironments()).find(({ name }) => name === "test");
    expect(kept).toMatchObject({ target: "docker", faults: [] });
  });

  test("takes no environment whose file name could mean more", async () => {
    const names = ["a b", "$(id)", "Test", "x;y", "'quoted'", "é", "-x", "builds", longName];
    const refused = await refusalOf(
      Object.fromEntries([...names, "staging"].map((name) => [`environments/${name}.yml`, "target: docker\n"])),
    );
    for (const name of names) expect(refused).toContain(`environments/${name}.yml:1:1`);
    expect(refused).not.toContain("environments/staging.yml");
    expect((await listEnvironments()).map(({ name }) => name).toSorted()).toEqual(["production", "test"]);
  });
});

test("afterwards nothing is left behind, and a good push passes", async () => {
  await rm(join(checkout.folder, ".towline"), { recursive: true });
  await mkdir(join(checkout.folder, ".towline"));
  await checkout.write(".towline/pipeline.yml", pipeline);
  await checkout.write("towline.yml", manifest);
  const build = await buildOf(platform.client, await checkout.push("Good again"), finished);
  expect(build.outcome, JSON.stringify(build)).toBe("passed");
  await until(async () => (await leftoversOf(platform)).length === 0);
});

/** The faults of the build with these files, as people see them; it must have failed without a single step. */
async function faultsWith(files: Record<string, string>): Promise<string> {
  const build = await failedBuild(files);
  const { faults = [] } = build.fault ?? {};
  return faults.map(({ place, message, code, fix }) => `${at(place)} ${message} [${code}] ${fix ?? ""}`).join("\n");
}

const at = (place?: Place) => (place ? `${place.file}:${place.line}:${place.column}` : "");

async function failedBuild(files: Record<string, string>): Promise<BuildDetails> {
  for (const [path, text] of Object.entries({ "towline.yml": manifest, ".towline/pipeline.yml": pipeline, ...files }))
    await checkout.write(path, text);
  const build = await buildOf(platform.client, await checkout.push("A fault"), finished);
  expect(build).toMatchObject({ outcome: "failed", steps: [] });
  return build;
}

function circle(): string {
  return "steps:\n  - key: a\n    command: x\n    depends_on: b\n  - key: b\n    command: x\n    depends_on: a\n";
}

/** What a push of these files to the fleet is told; it must be refused. */
async function refusalOf(files: Record<string, string>): Promise<string> {
  await using fleet = await cloneFleet(platform);
  for (const [path, text] of Object.entries(files)) await fleet.write(path, text);
  return await fleet.push("Environments of the test").then(
    () => "it was taken",
    (error: unknown) => String((error as { stderr?: string }).stderr),
  );
}

async function listEnvironments() {
  return orThrow(await platform.client.listEnvironments({})).environments;
}
