import { spawn } from "node:child_process";
import { once } from "node:events";
import { chown, mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dockerLines } from "#drivers/compose/docker.ts";
import { image } from "#testing/agent-bed.ts";

const nobody = 65_534;

test("an agent that is not root removes what containers wrote as root", async () => {
  const home = await mkdtemp(join(tmpdir(), "towline-leftovers-"));
  const folder = join(home, "tw-0badcafe-work-1");
  await mkdir(folder);
  await using _ = { [Symbol.asyncDispose]: () => rm(home, { recursive: true, force: true }) };
  const write = "mkdir -m 700 /work/out && touch /work/out/file && chmod 500 /work/out";
  await dockerLines("run", "--rm", "--volume", `${folder}:/work`, image, "sh", "-c", write);
  const asNobody = process.getuid?.() === 0 ? { uid: nobody, gid: (await stat("/var/run/docker.sock")).gid } : {};
  if (asNobody.uid) await Promise.all([home, folder].map((path) => chown(path, nobody, nobody)));
  const fixture = join(import.meta.dirname, "fixture-remove-folder.ts");
  const child = spawn(process.execPath, [fixture, folder, image], { ...asNobody, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (bytes: Buffer) => (said += bytes.toString()));
  await once(child, "close");
  expect(said).toBe("");
  expect(await readdir(home)).toEqual([]);
  expect(await dockerLines("ps", "-aq", "--filter", "name=tw-0badcafe-work-1-rm")).toEqual([]);
});
