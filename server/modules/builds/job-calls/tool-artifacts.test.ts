import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { files, mustLease, push } from "#testing/build-hands.ts";
import { type BuildsPlace, type BuildsServer, openBuildsPlace } from "#testing/builds-place.ts";
import { toolOf } from "#testing/tool-call.ts";

let place: BuildsPlace;
let server: BuildsServer;
let root: string;

beforeEach(async () => {
  place = await openBuildsPlace();
  server = await place.server();
  root = await mkdtemp(join(tmpdir(), "towline-workspace-"));
  await mkdir(join(root, "dist/sub"), { recursive: true });
  await writeFile(join(root, "dist/app.js"), "console.log(1)\n");
  await writeFile(join(root, "dist/sub/data.bin"), Buffer.alloc(700_000, 7));
  await writeFile(join(root, "report.xml"), "<ok/>\n");
});

afterEach(async () => {
  await place?.[Symbol.asyncDispose]();
  await rm(root, { recursive: true, force: true });
});

async function job(repository = "orders") {
  const build = await push(place, server, { repository, files: files("steps:\n  - command: one\n    key: one\n") });
  const workspace = { root, seen: "/workspace" };
  return { build, ...toolOf(server.url, await mustLease(server), { workspace }) };
}

test("buildkite-agent artifact: upload, search, shasum and download", async () => {
  const { call } = await job();
  const kept = await call("artifact", "upload", "dist/**/*;report.xml; nothing/*");
  expect(kept).toMatchObject({ status: 0, stdout: "" });
  expect(kept.stderr).toContain("no file is meant by nothing/*");
  const found = await call("artifact", "search", "*", "--format", "%p %s\\n");
  expect(found.stdout).toBe("dist/app.js 15\ndist/sub/data.bin 700000\nreport.xml 6\n");
  const sum = await call("artifact", "shasum", "report.xml");
  expect(sum.stdout).toMatch(/^[0-9a-f]{40}\n$/);
  expect((await call("artifact", "shasum", "report.xml", "--sha256")).stdout).toMatch(/^[0-9a-f]{64}\n$/);
  expect(await call("artifact", "download", "dist/*", "fetched/")).toMatchObject({ status: 0 });
  expect(await readFile(join(root, "fetched/dist/app.js"), "utf8")).toBe("console.log(1)\n");
  expect((await readFile(join(root, "fetched/dist/sub/data.bin"))).equals(Buffer.alloc(700_000, 7))).toBe(true);
});

test("a later job of the build fetches what an earlier one kept, by step or of another build", async () => {
  const first = await job();
  await first.call("artifact", "upload", "report.xml");
  const second = await job();
  const other = ["--build", first.build.id];
  expect((await second.call("artifact", "search", "report.xml")).status).toBe(1);
  expect((await second.call("artifact", "search", "x", "--allow-empty-results")).status).toBe(0);
  expect((await second.call("artifact", "search", "report.xml", ...other, "--step", "one")).status).toBe(0);
  expect((await second.call("artifact", "search", "report.xml", ...other, "--step", "two")).status).toBe(1);
  await rm(join(root, "report.xml"));
  expect((await second.call("artifact", "download", "report.xml", ".", ...other)).status).toBe(0);
  expect(await readFile(join(root, "report.xml"), "utf8")).toBe("<ok/>\n");
});

test("what cannot be kept or fetched is told, and leaves nothing behind", async () => {
  const { call } = await job();
  await symlink("/etc/passwd", join(root, "dist/passwd"));
  await symlink("/tmp", join(root, "way"));
  const kept = await call("artifact", "upload", "dist/*");
  expect(kept.stderr).toContain("dist/passwd is no file of the workspace");
  expect((await call("artifact", "search", "*")).stdout).not.toContain("passwd");
  expect(await call("artifact", "upload", "/etc/*")).toMatchObject({ status: 1 });
  const elsewhere = await call("artifact", "upload", "dist/*", "s3://bucket/");
  expect(elsewhere).toMatchObject({ status: 1, stderr: expect.stringContaining("leave s3://bucket/ out") });
  expect((await call("artifact", "download", "none*", ".")).stderr).toContain("no artifact is found by none*");
  expect((await call("artifact", "download", "dist/*", "/etc")).stderr).toContain("lies outside of /workspace");
  expect((await call("artifact", "download", "dist/*", "way")).stderr).toContain(
    "a link or something else is in the way",
  );
  await call("artifact", "upload", "report.xml");
  expect((await call("artifact", "shasum", "*")).stderr).toContain("several artifacts are found");
});

test("buildkite-agent annotate and annotation remove", async () => {
  const { call, feed, build } = await job();
  const annotations = async () => {
    const answer = await server.admin.listAnnotations({ params: { id: build.id } });
    return "annotations" in answer
      ? answer.annotations.map(({ context, style, priority, body }) => [context, style, priority, body])
      : answer;
  };
  expect(await call("annotate", "All **well**, hush")).toEqual({ status: 0, stdout: "", stderr: "" });
  await feed("2 failed", "annotate", "--style", "error", "--context", "junit", "--priority", "9");
  await call("annotate", ": a", "--context", "junit", "--append");
  await call("annotate", "--context", "junit", "--style", "warning");
  expect(await annotations()).toEqual([
    ["junit", "warning", 9, "2 failed: a"],
    ["default", "default", 3, "All **well**, ***"],
  ]);
  expect(await call("annotation", "remove", "--context", "junit")).toMatchObject({ status: 0 });
  expect(await call("annotation", "remove", "--context", "junit")).toMatchObject({ status: 1 });
  expect((await call("annotate", "x", "--style", "red")).stderr).toContain("a style is one of");
  expect((await call("annotate", "x", "--priority", "11")).stderr).toContain("a priority is 1 to 10");
  expect((await call("annotate", "--context", "fresh", "--style", "info")).stderr).toContain("needs a text");
  expect((await feed("x".repeat(1024 * 1024 + 1), "annotate")).stderr).toContain("1048576 are taken");
});
