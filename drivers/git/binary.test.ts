import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { until } from "#testing/until.ts";
import { createGit } from "./binary.ts";

/** A `git` that answers in two parts, the second when it is asked for. */
const program = "#!/bin/sh\nprintf 'Status: 200 OK\\r\\n\\r\\n'\nread -r go\nprintf 'the rest'\n";

async function servedBy(text: string) {
  const root = await mkdtemp(join(tmpdir(), "towline-git-"));
  const path = join(root, "git");
  await writeFile(path, text, { mode: 0o755 });
  return {
    cgi: createGit(path).serve({ root, env: {}, hooks: root, maxPackBytes: 1_000_000, deadlineMs: 30_000 }),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true }),
  };
}

test("an answer that is given up in the middle of being read ends, and keeps no pipe open", async () => {
  await using served = await servedBy(program);
  const { cgi } = served;
  cgi.channel.resume();
  const chunks = cgi.output.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>;
  expect((await chunks.next()).value?.toString()).toContain("Status");
  cgi.input.end("go\n");
  await until(() => cgi.output.readableLength > 0);
  cgi.kill();
  await cgi.ended;
  expect(cgi.output.closed).toBe(true);
  expect(await chunks.next()).toMatchObject({ done: true });
});
