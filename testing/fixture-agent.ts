/** An agent in a process of its own, for the tests to kill: `node fixture-agent.ts <home> <url> <image>`. */
import { orThrow } from "#api/errors.ts";
import { openCompose } from "#drivers/compose/cli.ts";
import { connectEngine } from "#drivers/engine/engine.ts";
import { createLog } from "#kernel/log.ts";
import { usualOptions } from "./agent-options.ts";
import { startAgent } from "#agent/agent.ts";
import { connectServer } from "#agent/connect-server.ts";

const [, , home = "", url = "", defaultImage = ""] = process.argv;
orThrow(
  await startAgent(
    {
      ...usualOptions,
      ...{ ...connectServer({ url, token: "tw_token-of-the-agent", home }), home, capacity: 3, defaultImage },
      ...{ compose: orThrow(await openCompose()), engine: connectEngine(), log: createLog("info") },
    },
    new AbortController().signal,
  ),
);
