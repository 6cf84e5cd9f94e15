/** A process that runs `compose.yml` of a folder, for the tests to kill: `node fixture-caller.ts <folder> <project>`. */
import { orThrow } from "#api/errors.ts";
import { openCompose } from "./cli.ts";

const [, , directory = "", project = ""] = process.argv;
const compose = orThrow(await openCompose());
await compose.run({
  project,
  directory,
  file: "compose.yml",
  service: "run",
  env: {},
  labels: {},
  deadlineMs: 120_000,
  onOutput: (bytes) => void process.stdout.write(bytes),
});
