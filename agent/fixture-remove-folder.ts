/** Removes a folder as the user it runs as: `node fixture-remove-folder.ts <folder> <image>`. */
import { orThrow } from "#api/errors.ts";
import { openCompose } from "#drivers/compose/cli.ts";
import { connectEngine } from "#drivers/engine/engine.ts";
import { createLog } from "#kernel/log.ts";
import { agentLabel, homeLabel } from "./containers.ts";
import { createLeftovers } from "./leftovers.ts";

const [, , folder = "", defaultImage = ""] = process.argv;
const leftovers = createLeftovers({
  ...{ home: "/nowhere", id: "0badcafe", engine: connectEngine(), defaultImage, log: createLog("info") },
  labels: { [agentLabel]: "0badcafe", [homeLabel]: "nowhere" },
  compose: orThrow(await openCompose()),
});
await leftovers.removeFolder(folder);
