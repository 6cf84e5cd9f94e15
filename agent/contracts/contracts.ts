/** What a test says of contracts: the pacts of its service with others, and whether it keeps those that others have with it. */
import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { JobResult } from "#api/endpoints/agent.ts";
import { inside } from "../inside.ts";
import type { JobContext } from "../job-context.ts";
import { findFiles, readInside } from "../workspace-files.ts";
import { type AskBroker, brokerOf, faultOf } from "./broker.ts";

const mostPacts = 200;
const mostBytes = 8 * 1024 * 1024;
/** Below the folder of the pacts: what came of each, under its name. */
const resultsFolder = "results";

type Context = Pick<JobContext, "agent" | "assignment" | "ended" | "log" | "workspace">;

/** Gives the work the pacts that it verifies, and publishes afterwards what it found, and its own pacts if it passed. */
export async function withContracts(context: Context, run: () => Promise<JobResult>): Promise<JobResult> {
  const { pacts } = context.assignment;
  if (!pacts) return run();
  const ask = brokerOf(context);
  if (!ask) await context.log.say("there is no server: no pact is fetched or published");
  try {
    const fetched = pacts.verify === undefined ? [] : await fetchPacts(context, pacts.verify, ask);
    const result = await run();
    if (!ask || context.ended.aborted || result.exitStatus === undefined) return result;
    if (pacts.verify !== undefined) await publishResults(context, { folder: pacts.verify, fetched, ask });
    if (pacts.publish !== undefined && result.outcome === "passed") await publishPacts(context, pacts.publish, ask);
    return result;
  } catch (error) {
    if (!(error instanceof ContractFault)) throw error;
    return { outcome: "failed", exitStatus: 1, reason: error.message };
  }
}

class ContractFault extends Error {}

/** The service; of a repository without one, its own name. */
const pacticipantOf = ({ assignment: { env, build } }: Context) => env["TOWLINE_SERVICE"] ?? build.repository;

interface Fetched {
  /** Of the file. */
  name: string;
  results: string;
}

/** Those of consumers' main branches and of all that serves anywhere; and the one that a build was started for. */
async function fetchPacts(context: Context, folder: string, ask: AskBroker | undefined): Promise<Fetched[]> {
  const { assignment, workspace, log } = context;
  const place = await emptyFolder(workspace, folder);
  if (!ask) return [];
  const provider = pacticipantOf(context);
  const wanted = {
    providerVersionBranch: assignment.build.branch,
    includePendingStatus: true,
    consumerVersionSelectors: [{ mainBranch: true }, { matchingBranch: true }, { deployedOrReleased: true }],
  };
  const listed = await ask("POST", `/pacts/provider/${encodeURIComponent(provider)}/for-verification`, wanted);
  if (!listed) return [];
  if (listed.status !== 200 && listed.status !== 404)
    throw new ContractFault(`pacts cannot be had: ${faultOf(listed)}`);
  const { _embedded: { pacts = [] } = {} } = (listed.body ?? {}) as { _embedded?: { pacts?: { _links: Links }[] } };
  const hrefs = pacts.map(({ _links }) => _links["self"]?.href ?? "");
  const own = assignment.env["PACT_URL"];
  const more = own !== undefined && !hrefs.some((href) => href.includes(own)) ? own : undefined;
  const fetched: Fetched[] = [];
  for (const [index, href] of [...new Set([...hrefs, ...(more ? [more] : [])])].slice(0, mostPacts).entries()) {
    const answer = await ask("GET", href);
    const pact = (answer?.status === 200 ? answer.body : undefined) as Pact | undefined;
    if (!pact) continue;
    const name = `${index + 1}-${(pact.consumer?.name ?? "consumer").replaceAll(/[^\w.-]/g, "_").slice(0, 100)}.json`;
    await writeFile(join(place, name), JSON.stringify(pact, undefined, 2));
    fetched.push({ name, results: pact._links?.["pb:publish-verification-results"]?.href ?? "" });
  }
  await log.say(`~~~ Contracts: ${fetched.length} to verify, in ${folder}`);
  return fetched;
}

/** Whatever the checkout has under that name gives way: it could be a link to somewhere else. */
async function emptyFolder(workspace: string, folder: string): Promise<string> {
  const parent = await inside(workspace, dirname(folder));
  const [root, name] = [await inside(workspace, "."), basename(folder)];
  if (parent === undefined || name === "." || name === ".." || join(parent, name) === root)
    throw new ContractFault(
      `\`verify: ${folder}\` is no place for pacts: name a folder in one that the repository has`,
    );
  const place = join(parent, name);
  await rm(place, { recursive: true, force: true });
  await mkdir(join(place, resultsFolder), { recursive: true });
  // Whoever the work runs as writes there.
  await chmod(join(place, resultsFolder), 0o777);
  return place;
}

type Links = Record<string, { href?: string } | undefined>;

interface Pact {
  consumer?: { name?: string };
  _links?: Links;
}

interface ToTell {
  folder: string;
  fetched: readonly Fetched[];
  ask: AskBroker;
}

/** One that says of itself neither yes nor no is no result. */
async function publishResults(context: Context, { folder, fetched, ask }: ToTell): Promise<void> {
  const { assignment, workspace, log } = context;
  const { branch, commit } = assignment.build;
  const provider = encodeURIComponent(pacticipantOf(context));
  let kept = 0;
  const broken: string[] = [];
  for (const { name, results } of fetched) {
    const bytes = await readInside(workspace, join(folder, resultsFolder, name), mostBytes);
    const told = typeof bytes === "string" ? undefined : resultIn(bytes);
    if (!told) {
      await log.say(`${name} was not verified: there is no result in ${join(folder, resultsFolder, name)}`);
      continue;
    }
    const answer = await ask("POST", results, { ...told, providerApplicationVersion: commit });
    if (answer && answer.status >= 300) throw new ContractFault(`a result was not taken: ${faultOf(answer)}`);
    if (told.success) kept++;
    else broken.push(name.replace(/^\d+-|\.json$/g, ""));
  }
  // A build that only verifies is on no branch of the service.
  if (kept + broken.length > 0 && assignment.env["PACT_URL"] === undefined)
    await ask("PUT", `/pacticipants/${provider}/branches/${encodeURIComponent(branch)}/versions/${commit}`, {});
  const not = broken.length > 0 ? `; NOT kept with ${broken.join(", ")}: it does not go where they serve` : "";
  await log.say(`+++ Contracts: ${kept} kept${not}`);
}

function resultIn(bytes: Buffer): { success: boolean } | undefined {
  try {
    const value = JSON.parse(bytes.toString()) as { success?: unknown };
    return typeof value.success === "boolean" ? (value as { success: boolean }) : undefined;
  } catch {
    return undefined;
  }
}

/** All in one request: all of them or none. Parts of one commit that several steps write are put together. */
async function publishPacts(context: Context, pattern: string, ask: AskBroker): Promise<void> {
  const { assignment, workspace, log } = context;
  const { branch, commit } = assignment.build;
  const consumerName = pacticipantOf(context);
  const { paths, fault } = await findFiles(workspace, [pattern], mostPacts);
  if (paths.length === 0) throw new ContractFault(`no pact fits ${pattern}`);
  if (fault) throw new ContractFault(`${pattern}: ${fault}`);
  const contracts = [];
  for (const path of paths) {
    const bytes = await readInside(workspace, path, mostBytes);
    if (typeof bytes === "string") throw new ContractFault(`${path}: ${bytes}`);
    const providerName = providerIn(bytes);
    if (providerName === undefined) throw new ContractFault(`${basename(path)} is no pact: it names no provider`);
    const content = bytes.toString("base64");
    const kind = { specification: "pact", contentType: "application/json", onConflict: "merge" };
    contracts.push({ consumerName, providerName, content, ...kind });
  }
  const body = { pacticipantName: consumerName, pacticipantVersionNumber: commit, branch, contracts };
  const answer = await ask("POST", "/contracts/publish", body);
  if (!answer) return;
  if (answer.status >= 300) throw new ContractFault(`its pacts were not taken: ${faultOf(answer)}`);
  await log.say(`+++ Contracts: published ${contracts.map(({ providerName }) => `with ${providerName}`).join(", ")}`);
}

function providerIn(bytes: Buffer): string | undefined {
  try {
    const { provider } = JSON.parse(bytes.toString()) as { provider?: { name?: unknown } };
    return typeof provider?.name === "string" ? provider.name : undefined;
  } catch {
    return undefined;
  }
}
