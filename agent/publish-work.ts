import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve, sep } from "node:path";
import type { JobResult, Work } from "#api/endpoints/agent.ts";
import { ask, docker } from "./containers.ts";
import type { JobContext } from "./run-job.ts";

/** Builds the image once and pushes it to the platform's registry; the digest it gets there is what every environment runs. */
export async function publish(context: JobContext, work: Extract<Work, { kind: "publish" }>): Promise<JobResult> {
  const { agent, assignment, log } = context;
  const registry = new URL(agent.url).host;
  const reference = `${registry}/${work.service}:${assignment.build.commit}`;
  await log.say(`~~~ Building ${work.service}`);
  const built = await build(context, work, reference);
  if (built !== 0) return { outcome: "failed", exitStatus: built, reason: "the image could not be built" };
  await log.say(`~~~ Pushing ${reference}`);
  await using config = await dockerConfig(registry, assignment.credentials);
  const pushed = await docker({
    args: ["push", "--quiet", reference],
    env: { DOCKER_CONFIG: config.folder },
    signal: context.ended,
    onOutput: (bytes) => log.write(bytes),
  });
  if (pushed !== 0) return { outcome: "failed", exitStatus: pushed, reason: "the registry did not take the image" };
  const digest = await digestOf(reference, `${registry}/${work.service}`);
  await log.say(`+++ ${work.service}@${digest}`);
  return { outcome: "passed", exitStatus: 0, image: { reference: `${registry}/${work.service}@${digest}`, digest } };
}

async function build(
  { assignment, workspace, ended, log }: JobContext,
  work: Extract<Work, { kind: "publish" }>,
  reference: string,
): Promise<number> {
  const context = await inside(workspace, work.context);
  const dockerfile = await inside(workspace, work.dockerfile);
  const label = `org.opencontainers.image.revision=${assignment.build.commit}`;
  const args = [
    ...["build", "--tag", reference, "--file", dockerfile, "--label", label],
    ...Object.entries(work.args).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
    context,
  ];
  return docker({ args, signal: ended, onOutput: (bytes) => log.write(bytes) });
}

/** The path within the checkout, links followed: a repository must not build from the agent's other files. */
async function inside(workspace: string, path: string): Promise<string> {
  const root = await realpath(workspace);
  const target = await realpath(resolve(root, path)).catch(() => {
    throw new Error(`${path} does not exist in the repository`);
  });
  if (target !== root && !target.startsWith(root + sep)) throw new Error(`${path} leads out of the repository`);
  return target;
}

async function digestOf(reference: string, repository: string): Promise<string> {
  const digests = JSON.parse(
    await ask(["image", "inspect", "--format", "{{json .RepoDigests}}", reference]),
  ) as string[];
  const found = digests.find((each) => each.startsWith(`${repository}@`));
  if (!found) throw new Error(`Docker names no digest for ${reference} after the push`);
  return found.slice(repository.length + 1);
}

/** Credentials for one push, in a folder of their own: `docker login` would write them into the user's. */
async function dockerConfig(registry: string, { user, password }: { user: string; password: string }) {
  const folder = await mkdtemp(join(tmpdir(), "towline-docker-"));
  const auth = Buffer.from(`${user}:${password}`).toString("base64");
  await writeFile(join(folder, "config.json"), JSON.stringify({ auths: { [registry]: { auth } } }), { mode: 0o600 });
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}
