import { setTimeout as sleep } from "node:timers/promises";
import type { BuildDetails, BuildSummary, StepView } from "#api/endpoints/builds.ts";
import { refuse } from "#api/errors.ts";
import type { Client } from "#client/client.ts";
import { pairsOf, severalOf } from "../pairs.ts";
import { renderNotifications } from "../notifications.ts";
import { renderAnnotations } from "../annotations.ts";
import { accepted, age, CommandRefused, paint, print, printJson, shortCommit, table } from "../output.ts";
import { openClient, type SessionFlags } from "../session.ts";
import { summaryOfTests } from "./test-lines.ts";

export interface BuildFlags extends SessionFlags {
  json?: boolean;
  step?: string;
  branch?: string;
  service?: string;
}

interface CreateFlags extends BuildFlags {
  commit?: string;
  message?: string;
  env?: string[];
  metaData?: string[];
}

interface ApproveFlags extends BuildFlags {
  field?: string[];
}

const pollMs = 500;

export async function listBuilds(flags: BuildFlags, repository?: string): Promise<void> {
  const client = await openClient(flags);
  const { builds } = accepted(
    await client.listBuilds({ query: { repository, service: flags.service, branch: flags.branch, limit: 30 } }),
  );
  if (flags.json) return printJson({ builds });
  const rows = builds.map((build) => [
    title(build),
    mark(build),
    build.branch,
    shortCommit(build.commit),
    age(build.createdAt),
    firstLine(build),
  ]);
  print(table(["BUILD", "STATE", "BRANCH", "COMMIT", "AGE", "MESSAGE"], rows));
}

export async function createBuild(flags: CreateFlags, repository: string): Promise<void> {
  const client = await openClient(flags);
  const { service, branch, commit, message, env, metaData } = flags;
  const given = { env: pairsOf("--env", env), metaData: pairsOf("--meta-data", metaData) };
  const body = { repository, service, branch, commit, message, ...given };
  const build = accepted(await client.createBuild({ body }));
  if (flags.json) printJson(build);
  else print(`${title(build)} ${mark(build)}  ${build.branch} ${shortCommit(build.commit)}`);
}

export async function showBuild(flags: BuildFlags, repository: string, number?: string): Promise<void> {
  const client = await openClient(flags);
  const build = await findBuild(client, { ...flags, repository, number });
  const { annotations } = accepted(await client.listAnnotations({ params: { id: build.id } }));
  const { notifications } = accepted(await client.listNotifications({ params: { id: build.id } }));
  if (flags.json) return printJson({ ...build, annotations, notifications });
  print(renderBuild(build));
  for (const line of await summaryOfTests(client, build.id)) print(line);
  for (const line of renderNotifications(notifications)) print(line);
  if (annotations.length > 0)
    print(`
${renderAnnotations(annotations)}`);
}

/** Prints what changes until the build ends or stands at a gate; the exit status is 1 when it did not pass. */
export async function watchBuild(flags: BuildFlags, repository: string, number?: string): Promise<void> {
  const client = await openClient(flags);
  let build = await findBuild(client, { ...flags, repository, number });
  let shown = new Set<string>();
  for (;;) {
    const lines = build.steps.filter((step) => step.kind !== "wait").map(renderStep);
    if (!flags.json) lines.filter((line) => !shown.has(line)).forEach((line) => print(line));
    shown = new Set(lines);
    if (build.state === "finished" || build.state === "blocked") break;
    await sleep(pollMs);
    build = accepted(await client.showBuild({ params: { id: build.id } }));
  }
  if (flags.json) printJson(build);
  else print(`${title(build)} ${mark(build)}${renderFault(build)}`);
  const isRed = build.state === "finished" ? build.outcome !== "passed" : build.blockedState === "failed";
  if (isRed) process.exitCode = 1;
}

export async function cancelBuild(flags: BuildFlags, repository: string, number?: string): Promise<void> {
  const client = await openClient(flags);
  const { id } = await findBuild(client, { ...flags, repository, number });
  show(accepted(await client.cancelBuild({ params: { id } })), flags);
}

export async function retryBuild(flags: BuildFlags, repository: string, number?: string): Promise<void> {
  const client = await openClient(flags);
  const { id } = await findBuild(client, { ...flags, repository, number });
  show(accepted(await client.retryBuild({ params: { id }, body: { step: flags.step } })), flags);
}

/** Opens a gate: the newest build of the repository that stands at one, unless a number is given. */
export async function approve(flags: ApproveFlags, repository: string, number?: string): Promise<void> {
  const client = await openClient(flags);
  const build = number
    ? await findBuild(client, { ...flags, repository, number })
    : await findBlocked(client, repository, flags.service);
  const body = { step: flags.step, fields: severalOf("--field", flags.field) };
  show(accepted(await client.unblockStep({ params: { id: build.id }, body })), flags);
}

interface WantedBuild {
  repository: string;
  number?: string | undefined;
  service?: string | undefined;
}

/** The newest build of the repository, or of one of its services; or the one with the number. */
export async function findBuild(client: Client, { repository, number, service }: WantedBuild): Promise<BuildDetails> {
  const query = { repository, service, limit: 1, ...(number ? { number: Number(number.replace(/^#/, "")) } : {}) };
  const { builds } = accepted(await client.listBuilds({ query }));
  const [found] = builds;
  if (!found) throw new CommandRefused(refuse("not-found", `${repository} has no build${number ? ` ${number}` : ""}`));
  return accepted(await client.showBuild({ params: { id: found.id } }));
}

async function findBlocked(client: Client, repository: string, service?: string): Promise<BuildSummary> {
  const { builds } = accepted(await client.listBuilds({ query: { repository, service, state: "blocked", limit: 1 } }));
  const [found] = builds;
  if (!found) throw new CommandRefused(refuse("build.wrong-state", `no build of ${repository} stands at a gate`));
  return found;
}

function show(build: BuildDetails, { json }: BuildFlags): void {
  if (json) printJson(build);
  else print(renderBuild(build));
}

export function renderBuild(build: BuildDetails): string {
  const steps = build.steps.filter(({ kind }) => kind !== "wait").map((step) => `  ${renderStep(step)}`);
  const warnings = build.warnings.map(
    ({ message, place }) => `  ${paint("yellow", "warning")} ${place ? `${place.file}:${place.line} ` : ""}${message}`,
  );
  return [
    `${title(build)} ${mark(build)}  ${build.branch} ${shortCommit(build.commit)} ${firstLine(build)}${renderFault(build)}`,
    ...steps,
    ...warnings,
  ].join("\n");
}

export function renderStep(step: StepView): string {
  const fields = step.state === "blocked" && step.fields.length > 0 ? `; ${step.fields.map(askField).join(", ")}` : "";
  const why =
    step.waits.length > 0 ? `waits ${step.waits.map(({ text }) => text).join("; ")}${fields}` : (step.reason ?? "");
  const tries = step.attempts.length > 1 ? ` (attempt ${step.attempts.length})` : "";
  return `${stepMark(step)} ${step.label}${tries}${why ? paint("dim", `  ${why}`) : ""}`;
}

/** How a field is answered on the command line. */
function askField({ key, options, required }: StepView["fields"][number]): string {
  const values = options ? options.map(({ value }) => value).join("|") : "…";
  return `--field ${key}=${values}${required ? "" : " (may stay empty)"}`;
}

function stepMark({ state, outcome }: StepView): string {
  if (outcome === "passed") return paint("green", "✓");
  if (outcome === "skipped" || outcome === "superseded") return paint("dim", "−");
  if (outcome === "soft-failed") return paint("yellow", "✗");
  if (outcome) return paint("red", "✗");
  return state === "waiting" || state === "blocked" ? paint("dim", "…") : paint("cyan", "▸");
}

function mark({ state, outcome, blockedState, supersededBy }: BuildSummary): string {
  const word = supersededBy === null ? (outcome ?? state) : `superseded by #${supersededBy}`;
  const styles = { passed: "green", failed: "red", failing: "red", canceled: "red", blocked: "yellow" } as const;
  const painted = paint(word in styles ? styles[word as keyof typeof styles] : "cyan", word);
  // At most gates nothing is wrong, and nobody needs to read that.
  return blockedState === null || blockedState === "passed" ? painted : `${painted} (${blockedState})`;
}

function renderFault({ fault }: BuildDetails): string {
  if (!fault) return "";
  const lines = fault.faults.length > 0 ? fault.faults : [fault];
  return lines
    .map(
      ({ code, message, place, fix }) =>
        `\n  ${place ? `${place.file}:${place.line}:${place.column} ` : ""}${message} [${code}]${fix ? ` ${fix}` : ""}`,
    )
    .join("");
}

/** A build of one of several services of its repository says so. */
const title = ({ repository, number, service, folder }: BuildSummary) =>
  paint("bold", `${repository} #${number}${folder === "" ? "" : ` ${service ?? folder}`}`);
const firstLine = ({ message }: BuildSummary) => (message ?? "").split("\n")[0] ?? "";
