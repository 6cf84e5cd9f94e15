import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readReports } from "./read-reports.ts";

const report = (name: string) => `<testsuite name="s"><testcase name="${name}"/></testsuite>`;

/** `outside` lies beside the workspace. */
async function openWorkspace() {
  const home = await mkdtemp(join(tmpdir(), "towline-reports-"));
  const workspace = join(home, "workspace");
  await mkdir(join(workspace, "reports/deep"), { recursive: true });
  return {
    workspace,
    outside: join(home, "outside"),
    write: (path: string, content: string | Buffer) => writeFile(join(workspace, path), content),
    read: (...patterns: string[]) => readReports(workspace, patterns),
    [Symbol.asyncDispose]: () => rm(home, { recursive: true, force: true }),
  };
}

test("all files that a pattern names are read, each once", async () => {
  await using place = await openWorkspace();
  await place.write("reports/a.xml", report("one"));
  await place.write("reports/deep/b.xml", report("two"));
  await place.write("reports/c.txt", report("three"));
  const { files, cases, faults } = await place.read("reports/**/*.xml", "reports/a.xml");
  expect([files, cases.map(({ name }) => name), faults]).toEqual([2, ["one", "two"], []]);
  expect(await place.read("nothing/*.xml")).toEqual({ files: 0, cases: [], faults: [] });
});

test("what leads out of the workspace is not read, whatever way it takes", async () => {
  await using place = await openWorkspace();
  await mkdir(place.outside);
  await writeFile(join(place.outside, "secret.xml"), report("secret"));
  await symlink(join(place.outside, "secret.xml"), join(place.workspace, "reports/link.xml"));
  await symlink(place.outside, join(place.workspace, "reports/folder"));
  const found = await place.read(
    "reports/*.xml",
    "reports/folder/*.xml",
    "../outside/*.xml",
    join(place.outside, "*.xml"),
  );
  expect(found.cases).toEqual([]);
  expect(found.faults.every((fault) => fault.includes("leads out of the workspace"))).toBe(true);
});

test("what is no file, or too large, is said and holds nobody up", async () => {
  await using place = await openWorkspace();
  execFileSync("mkfifo", [join(place.workspace, "reports/pipe.xml")]);
  await mkdir(join(place.workspace, "reports/folder.xml"));
  await place.write("reports/huge.xml", "");
  await truncate(join(place.workspace, "reports/huge.xml"), 33 * 1024 * 1024);
  await place.write("reports/good.xml", report("one"));
  const { cases, faults } = await place.read("reports/*.xml");
  expect(cases.map(({ name }) => name)).toEqual(["one"]);
  expect(faults).toEqual([
    "reports/folder.xml: it is no file",
    "reports/huge.xml: it is larger than 32 MiB",
    "reports/pipe.xml: it is no file",
  ]);
});

test("a report may be in another encoding than UTF-8", async () => {
  await using place = await openWorkspace();
  const declared = (encoding: string) => `<?xml version="1.0" encoding="${encoding}"?>${report("Größe")}`;
  await place.write("reports/a.xml", Buffer.from(declared("ISO-8859-1"), "latin1"));
  await place.write("reports/b.xml", Buffer.from(`\uFEFF${declared("UTF-16")}`, "utf16le"));
  await place.write("reports/c.xml", declared("no-such-encoding"));
  const { cases } = await place.read("reports/*.xml");
  expect(cases.map(({ name }) => name)).toEqual(["Größe", "Größe", "Größe"]);
});

test("more results than a job may have are cut off with a word", async () => {
  await using place = await openWorkspace();
  const many = Array.from({ length: 60_000 }, (_, at) => `<testcase name="t${at}"/>`).join("");
  await place.write("reports/a.xml", `<testsuite name="s">${many}</testsuite>`);
  const { cases, faults } = await place.read("reports/*.xml");
  expect(cases.length).toBe(50_000);
  expect(faults).toEqual(["only the first 50000 results are kept"]);
});
