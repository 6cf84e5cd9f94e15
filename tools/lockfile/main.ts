/** `node tools/lockfile/main.ts` after `npm install` changed package-lock.json. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { completed, missingEntries, type Lockfile } from "./complete.ts";

const path = new URL("../../package-lock.json", import.meta.url).pathname;
const lock = JSON.parse(readFileSync(path, "utf8")) as Lockfile;
const missing = missingEntries(lock).map(([name]) => name);
if (missing.length > 0) {
  writeFileSync(`${path}.new`, `${JSON.stringify(completed(lock), null, 2)}\n`);
  renameSync(`${path}.new`, path);
}
process.stdout.write(`package-lock.json: ${missing.length} platform packages added\n`);
