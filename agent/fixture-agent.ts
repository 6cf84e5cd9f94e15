/** An agent in a process of its own, for the tests to kill: `node fixture-agent.ts <home> <url> <image>`. */
import { orThrow } from "#api/errors.ts";
import { createClient } from "#client/client.ts";
import { openCompose } from "#drivers/compose/cli.ts";
import { connectEngine } from "#drivers/engine/engine.ts";
import { createLog } from "#kernel/log.ts";
import { startAgent } from "./agent.ts";

const [, , home = "", url = "", defaultImage = ""] = process.argv;
orThrow(
  await startAgent(
    {
      client: createClient({ url, token: "tw_token-of-the-agent" }),
      ...{
        url,
        home,
        capacity: 3,
        tags: {},
        defaultImage,
        diskFloor: 0,
        limits: { processes: 512 },
        cacheSize: 2 ** 30,
        enginePatienceMs: 60_000,
      },
      ...{ compose: orThrow(await openCompose()), engine: connectEngine(), log: createLog("info") },
    },
    new AbortController().signal,
  ),
);
