import type { JobResult, Work } from "#api/endpoints/agent.ts";
import { dockerBuild } from "./docker-client.ts";
import { inside } from "./inside.ts";
import { builtLabels, keepNewest, markBuilder } from "./built-images.ts";
import { push } from "./images.ts";
import { mustAnswer } from "./readiness.ts";
import type { JobContext } from "./job-context.ts";

type PublishWork = Extract<Work, { kind: "publish" }>;

/** Builds the image once and pushes it to the platform's registry; the digest it gets there is what every environment runs. */
export async function publish(context: JobContext, work: PublishWork): Promise<JobResult> {
  const { agent, assignment, ended, log } = context;
  if (agent.url === undefined) throw new Error("there is no registry to publish to");
  const repository = `${new URL(agent.url).host}/${work.service}`;
  const tag = tagOf(assignment.build);
  await log.say(`~~~ Building ${work.service}`);
  const args = await buildArguments(context, work, `${repository}:${tag}`);
  if (!Array.isArray(args)) return args;
  await markBuilder(agent.engine, agent.labels);
  const built = await dockerBuild({ args, signal: ended, onOutput: (bytes) => log.write(bytes) });
  if (built !== 0) {
    await mustAnswer(agent.engine);
    return { outcome: "failed", exitStatus: built, reason: "the image could not be built" };
  }
  await log.say(`~~~ Pushing ${repository}:${tag}`);
  const { user: username, password } = assignment.credentials;
  const { engine } = agent;
  const digest = await push(engine, { repository, tag, auth: { username, password }, signal: ended, say: log.say });
  await keepNewest(engine, agent.id, { service: work.service, tag }).catch((error: unknown) =>
    agent.log.warn({ err: error, repository }, "older images were not removed"),
  );
  const reference = `${repository}@${digest}`;
  await log.say(`+++ ${reference}`);
  return { outcome: "passed", exitStatus: 0, image: { reference, digest } };
}

/** A branch may hold the same commit as the default one, whose tag only a build of that may set. */
function tagOf({ branch, commit }: { branch: string; commit: string }): string {
  return branch === "main" ? commit : `preview-${commit}`;
}

async function buildArguments(
  { agent, assignment, workspace }: JobContext,
  { context, dockerfile, args }: PublishWork,
  image: string,
): Promise<string[] | JobResult> {
  const [root, file] = await Promise.all([inside(workspace, context), inside(workspace, dockerfile)]);
  if (root === undefined) return notInside(context);
  if (file === undefined) return notInside(dockerfile);
  return [
    ...["--tag", image, "--file", file],
    ...builtLabels(agent.id, assignment.build.commit).flatMap((label) => ["--label", label]),
    ...Object.entries(args).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
    root,
  ];
}

function notInside(path: string): JobResult {
  return { outcome: "failed", reason: `the repository has no ${path}, or it leads out of the repository` };
}
