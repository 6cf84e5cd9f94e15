import { expect, test } from "vitest";
import { testWork } from "#testing/played-agent.ts";
import { playServer } from "#testing/played-server.ts";
import { until } from "#testing/until.ts";
import type { LateSecret } from "./attempt-records.ts";
import { openJobLog } from "./job-log.ts";

const never = new AbortController().signal;

test("a log that another process goes on with hides what the job had hidden on the way, from the same byte on", async () => {
  const raw = Buffer.from("code code\ncode x\nlast code\n");
  for (const piece of [1, 3, 7, 100]) {
    await using server = await playServer();
    const job = server.give({ work: testWork });
    let lateSecrets: LateSecret[] = [];
    const onSecret = async (secrets: LateSecret[]) => void (lateSecrets = secrets);
    const first = openJobLog(server.client, job.assignment, never);
    await first.say("~~~ begun");
    const opening = (await first.opening(onSecret)) ?? Buffer.alloc(0);
    await first.write(raw.subarray(0, 10));
    await first.addSecret("code");
    await first.write(raw.subarray(10, 17));
    await until(() => job.log().endsWith("*** x\n"));

    const begun = { opening, lateSecrets, onSecret, offset: job.logBytes().length };
    const second = openJobLog(server.client, job.assignment, never, begun);
    for (let at = 0; at < raw.length; at += piece) await second.write(raw.subarray(at, at + piece));
    await second.close();
    expect(job.log()).toBe("~~~ begun\ncode code\n*** x\nlast ***\n");
  }
});

test("what a job asks to have hidden is hidden also in a log that no other process would go on with", async () => {
  await using server = await playServer();
  const job = server.give({ work: testWork });
  const log = openJobLog(server.client, job.assignment, never);
  await log.addSecret("hide-this");
  await log.write(Buffer.from("now hide-this\n"));
  await log.close();
  expect(job.log()).toBe("now ***\n");
});
