/** `./towline test [stage…] [path…]`: checks, then the tests from the quick to the slow, then one line that counts them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { isRefusal, type Refusal } from "#api/errors.ts";
import { baseImageNames } from "../base-images/catalogue.ts";
import { ensureBaseImages } from "../base-images/ensure.ts";
import { canInstall, installPackages } from "../host/apt.ts";
import { ensureDocker } from "../host/docker.ts";
import { findProgram } from "../host/programs.ts";
import { runChecks } from "./checks.ts";
import { add, closingLine, judged, nothing, type Outcome } from "./outcome.ts";
import { needsDocker, parseSelection, runsOf, type Selection, type Stage } from "./selection.ts";
import { runVitest } from "./vitest.ts";

/** Answers the exit code (0: nothing failed), or a refusal of the words. Never asks: a test run may install Docker. */
export async function runTests(words: string[]): Promise<number | Refusal> {
  const selection = parseSelection(words);
  if (isRefusal(selection)) return selection;
  const total = await runStages(selection);
  say("");
  for (const { name, reason } of total.skipped) say(`skipped: ${name}: ${reason ?? "no reason given"}`);
  const verdict = judged(total);
  if (verdict.failed > total.failed) say("A test that is skipped without a reason counts as failed.");
  // Asked for something, and nothing ran: a path that matches no test must not look like success.
  if (verdict.passed + verdict.failed + verdict.skipped.length === 0) {
    say("No test matches.");
    verdict.failed = 1;
  }
  say(closingLine(verdict));
  return verdict.failed === 0 ? 0 : 1;
}

async function runStages({ stages, filters }: Selection): Promise<Outcome> {
  // Installing waits for mirrors and disks, which the first stages leave alone.
  const preparing = stages.some(needsDocker) ? prepare() : undefined;
  // What it throws is told where it is waited for.
  preparing?.catch(() => undefined);
  let total = nothing;
  for (const together of runsOf(stages)) {
    say(`\n── ${together.join(", ")} ──`);
    const refusal = together.some(needsDocker) ? await preparing : undefined;
    total = add(total, refusal ? cannotRun(refusal) : await runTogether(together, filters));
  }
  return total;
}

async function runTogether(stages: Stage[], filters: string[]): Promise<Outcome> {
  const checked = stages.includes("check") ? await runChecks() : nothing;
  return add(checked, await runVitest(stages, filters));
}

/** Takes pictures of the web interface on a platform of its own; answers the exit code. */
export async function takeScreens(folder: string): Promise<number> {
  const refused = await prepare();
  if (refused) return cannotRun(refused).failed;
  const main = join(import.meta.dirname, "../../e2e/screens/main.ts");
  const child = spawn(process.execPath, [main, folder], { stdio: "inherit" });
  const [code] = (await once(child, "exit")) as [number | null];
  return code ?? 1;
}

/** Containers and their images, for the stages that need them. */
async function prepare(): Promise<Refusal | undefined> {
  const docker = await ensureDocker({ assumeYes: true, interactive: false, log: say });
  if (isRefusal(docker)) return docker;
  const images = await ensureBaseImages(baseImageNames, { log: say });
  if (isRefusal(images)) return images;
  await installClients();
  return undefined;
}

/** Real programs whose tests are skipped where they are missing: no reason to stop. */
async function installClients(): Promise<void> {
  for (const { name, what, packages } of [
    { name: "skopeo", what: "registry client", packages: ["skopeo"] },
    { name: "chromium-headless-shell", what: "browser", packages: ["chromium-headless-shell"] },
    { name: "swift-proxy-server", what: "S3 service", packages: swift },
  ]) {
    if ((await findProgram(name)) !== undefined || !(await canInstall())) continue;
    const missing = `The ${what} ${name} is missing`;
    const refused = await installPackages({ packages, missing, code: "host.tool-missing", log: say });
    if (refused) say(refused.message);
  }
}

const swift = ["swift-proxy", "swift-account", "swift-container", "swift-object"];

function cannotRun(refusal: Refusal): Outcome {
  say(`✗ cannot run: ${refusal.message} [${refusal.refused}]`);
  if (refusal.fix) say(`  ${refusal.fix}`);
  return { ...nothing, failed: 1 };
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
