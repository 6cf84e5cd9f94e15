import { setTimeout as sleep } from "node:timers/promises";
import type { CallOutput } from "#api/endpoint.ts";
import type { AllEndpoints } from "#api/endpoints.ts";
import { refuse } from "#api/errors.ts";
import type { Client } from "#client/client.ts";
import { ask } from "../prepare.ts";
import { accepted, CommandRefused, paint, print, printJson, shortCommit } from "../output.ts";
import { openClient, type SessionFlags } from "../session.ts";
import { endOf } from "./status.ts";

export interface DeployFlags extends SessionFlags {
  json?: boolean;
  yes?: boolean;
  release?: string;
  plan?: boolean;
  overrideFreeze?: string;
  reason?: string;
}

type Plan = CallOutput<AllEndpoints["planDeployment"]>;
type Deployment = CallOutput<AllEndpoints["createDeployment"]>;

const pollMs = 300;

/** Shows the plan, asks on a terminal, deploys and follows the rollout to its end; exit status 1 unless it succeeded. */
export async function deploy(flags: DeployFlags, service: string, environment: string): Promise<void> {
  const client = await openClient(flags);
  const override = overrideOf(flags);
  const place = { service, environment };
  const plan = accepted(await client.planDeployment({ query: { ...place, release: numberOf(flags) } }));
  if (flags.plan && flags.json) return printJson(plan);
  if (!flags.json) print(renderPlan(plan));
  if (flags.plan) return;
  if (!flags.yes && !(await ask(`Deploy ${service} #${plan.release} to ${environment}?`, true))) return;
  const made = accepted(await client.createDeployment({ body: { ...place, release: plan.release, ...override } }));
  await follow(client, made, flags);
}

/** One after the other, each once the one before it serves; the first that does not succeed ends it. */
export async function deployTogether(flags: DeployFlags, environment: string, releases: string[]): Promise<void> {
  const client = await openClient(flags);
  const plan = accepted(await client.planTogether({ query: { environment, releases: releases.join(",") } }));
  if (flags.plan && flags.json) return printJson(plan);
  if (!flags.json) print(renderOrder(plan));
  if (plan.stuck.length > 0) process.exitCode = 1;
  if (flags.plan || plan.stuck.length > 0) return;
  if (!flags.yes && !(await ask(`Deploy them to ${environment} in this order?`, true))) return;
  for (const { service, release } of plan.order) {
    const made = accepted(await client.createDeployment({ body: { service, environment, release } }));
    await follow(client, made, flags);
    if (process.exitCode === 1) return;
  }
}

function renderOrder({ environment, order, stuck }: CallOutput<AllEndpoints["planTogether"]>): string {
  const steps = order.map(
    ({ service, release, from }, index) =>
      `  ${index + 1}. ${service} #${release}${from === null ? "" : ` (now #${from})`}`,
  );
  if (stuck.length === 0) return [`To ${environment}, in this order:`, ...steps].join("\n");
  const reasons = stuck.flatMap(({ service, release, reasons: why }) =>
    why.map((reason) => `  ${service} #${release}: ${reason}`),
  );
  const as = order.length === 0 ? [] : ["as many as can go:", ...steps, "then:"];
  return [
    `There is no order in which they can go to ${environment} without a moment that breaks a contract`,
    ...as,
    ...reasons,
  ].join("\n");
}

/** The same path with an older release. */
export async function rollBack(flags: DeployFlags, service: string, environment: string): Promise<void> {
  const client = await openClient(flags);
  if (!flags.yes && !(await ask(`Roll ${service} back in ${environment}?`, true))) return;
  const made = accepted(await client.rollBack({ body: { service, environment, release: numberOf(flags) } }));
  await follow(client, made, flags);
}

function overrideOf({ overrideFreeze: freeze, reason }: DeployFlags) {
  if (freeze === undefined) return {};
  if (reason) return { override: { freeze, reason } };
  throw new CommandRefused(refuse("request.invalid", "say why the freeze is overridden: --reason '…'"));
}

function numberOf({ release }: DeployFlags): number | undefined {
  return release === undefined ? undefined : Number(release.replace(/^#/, ""));
}

async function follow(client: Client, made: Deployment, { json }: DeployFlags): Promise<void> {
  let deployment = made;
  let shown = "";
  while (deployment.state !== "finished") {
    const line = lineOf(deployment);
    if (line !== shown && !json) print(`  ${paint("cyan", "▸")} ${line}`);
    shown = line;
    await sleep(pollMs);
    deployment = accepted(await client.showDeployment({ params: { id: made.id } }));
  }
  const succeeded = deployment.outcome === "succeeded";
  if (json) printJson(deployment);
  else
    print(
      `${succeeded ? paint("green", "✓") : paint("red", "✗")} ${deployment.service} in ${deployment.environment}: ${endOf(deployment)}`,
    );
  if (!succeeded) process.exitCode = 1;
}

function lineOf({ wait, phase, detail, service, environment }: Deployment): string {
  if (wait) return wait.message;
  if (phase === "hold") return `hold: it goes on by \`towline deploy promote ${service} ${environment}\``;
  return [phase, detail].filter(Boolean).join(": ");
}

export function renderPlan(plan: Plan): string {
  const from = plan.from === null ? "nothing" : `#${plan.from}`;
  return [
    `${paint("bold", plan.service)} in ${plan.environment}: ${from} → #${plan.release} (${shortCommit(plan.commit)})`,
    ...plan.commits.map(
      ({ revision, message, author }) => `  ${shortCommit(revision)} ${message.split("\n")[0]} ${paint("dim", author)}`,
    ),
    ...(plan.stories.length > 0 ? [`  stories: ${plan.stories.join(", ")}`] : []),
    ...plan.changes.map(({ path, before, after }) => `  ${path}: ${before ?? "–"} → ${after ?? "–"}`),
    ...plan.gates.map(
      ({ gate, open, reason, answer }) =>
        `  ${answer === "none" ? "–" : open ? paint("green", "✓") : paint("red", "✗")} ${gate}: ${reason}`,
    ),
  ].join("\n");
}
