/** What happened to deployments and to what they made run, in sentences. */
import { because, by, capital, count, list, type Part, place, pull, release, short } from "./event-parts.ts";
import type { EventPayload } from "./events.ts";
import { stepWords } from "./rollout-words.ts";

export const deployments = {
  "deployments.deployment-created": {
    kind: "deployments",
    tell: ({ environment, actor, ...it }) =>
      by(
        actor,
        `asked to deploy ${release(it)} to ${environment}`,
        `${capital(release(it))} is to be deployed to ${environment}`,
      ),
  },
  "deployments.deployment-changed": {
    kind: "steps in between",
    tell: ({ environment, phase, ...it }) =>
      `The deployment of ${release(it)} to ${environment} goes on: ${stepWords(phase)}`,
  },
  "deployments.serving-changed": {
    kind: "steps in between",
    tell: ({ commits: [serving, other], ...where }) => {
      if (serving === undefined) return `Nothing of ${place(where)} serves now`;
      return `${place(where)}: commit ${short(serving)} serves${other ? `, and ${short(other)} comes or goes` : ""}`;
    },
  },
  "deployments.deployment-finished": { kind: "deployments", tell: tellEnd },
  "deployments.preview-ended": {
    kind: "deployments",
    tell: ({ repository, pullRequest, reason }) =>
      `The preview of ${pull({ repository, number: pullRequest })} ended${because(reason)}`,
  },
  "deployments.environment-removed": {
    kind: "deployments",
    tell: ({ environment, services, actor }) =>
      `${actor} ended the environment ${environment}${services.length > 0 ? ` with ${list(services)}` : ""}`,
  },
  "deployments.service-removed": {
    kind: "deployments",
    tell: ({ service, environments, actor }) => `${actor} ended the service ${service} in ${list(environments)}`,
  },
  "deployments.secrets-read": {
    kind: "steps in between",
    tell: ({ environment, secrets, ...it }) =>
      `${capital(release(it))} got ${secrets.length === 1 ? "the secret" : "the secrets"} ${list(secrets.map(({ name }) => name))} in ${environment}`,
  },
} satisfies Partial<Part<"deployments">>;

function tellEnd({ environment, outcome, reason, ...it }: EventPayload<"deployments.deployment-finished">): string {
  const what = release(it);
  const words = {
    succeeded: `${capital(what)} serves in ${environment}`,
    "rolled-back": `${capital(what)} was taken back in ${environment}${because(reason)}`,
    failed: `${capital(what)} could not be deployed to ${environment}${because(reason)}`,
    canceled: `The deployment of ${what} to ${environment} was canceled${because(reason)}`,
    superseded: `The deployment of ${what} to ${environment} made way for a newer one`,
  };
  return words[outcome];
}

export const approvals = {
  "deployments.sign-off-changed": {
    kind: "approvals and locks",
    tell: ({ environment, signOff, change, actor, ...it }) =>
      `${actor} ${change === "given" ? "gave" : "withdrew"} the sign-off ${signOff} of ${release(it)} for ${environment}`,
  },
  "deployments.lock-changed": {
    kind: "approvals and locks",
    tell: ({ change, reason, actor, ...where }) =>
      `${actor} ${change === "locked" ? "locked" : "lifted the lock on"} ${place(where)}${because(reason)}`,
  },
  "deployments.freeze-overridden": {
    kind: "approvals and locks",
    tell: ({ environment, freeze, reason, actor, ...it }) =>
      `${actor} let ${release(it)} pass the freeze ${freeze} of ${environment}${because(reason)}`,
  },
} satisfies Partial<Part<"deployments">>;

export const running = {
  "routing.mode-changed": {
    kind: "running services",
    tell: ({ mode, reason, actor, ...where }) =>
      `${actor} ${{ open: "opened", maintenance: "closed for maintenance", paused: "paused" }[mode]} ${place(where)}${because(reason)}`,
  },
  "routing.ingress-created": {
    kind: "running services",
    tell: ({ ingress, actor }) => `${actor} let the machine ${ingress} take traffic`,
  },
  "routing.ingress-removed": {
    kind: "running services",
    tell: ({ ingress, actor }) => `${actor} took the machine ${ingress} out of the traffic`,
  },
  "routing.ingress-joined": { kind: "running services", tell: ({ ingress }) => `The machine ${ingress} takes traffic` },
  "routing.ingress-lost": {
    kind: "running services",
    tell: ({ ingress, reason }) => `The machine ${ingress} is not counted on for traffic any more${because(reason)}`,
  },
  "deployments.drift-found": {
    kind: "running services",
    tell: ({ drift, ...where }) => `${place(where)} ran otherwise than it should${because(drift.join("; "))}`,
  },
  "deployments.backing-changed": { kind: "running services", tell: tellBacking },
  "deployments.instance-restarted": {
    kind: "running services",
    tell: ({ words, restarts, ...where }) =>
      `An instance of ${place(where)} was started again, ${count(restarts, "time")} by now${because(words)}`,
  },
  "deployments.program-begun": {
    kind: "running services",
    tell: ({ command, reason, actor, ...where }) =>
      `${actor} began “${command.join(" ")}” inside of ${place(where)}${because(reason)}`,
  },
  "deployments.program-ended": {
    kind: "running services",
    tell: ({ end, exitCode, reason, actor, ...where }) =>
      `What ${actor} ran inside of ${place(where)} ended: ${exitCode === undefined ? (reason ?? end) : `exit code ${exitCode}`}`,
  },
  "deployments.scaled": {
    kind: "running services",
    tell: ({ from, to, reason, ...where }) =>
      `${place(where)} goes from ${from} to ${count(to, "instance")}${because(reason)}`,
  },
  "deployments.scaling-troubled": {
    kind: "running services",
    tell: ({ trouble, ...where }) =>
      `The number of instances of ${place(where)} changed with trouble${because(trouble)}`,
  },
} satisfies Part<"routing"> & Partial<Part<"deployments">>;

const tried = { started: "began", succeeded: "succeeded", failed: "failed", canceled: "was canceled" };

function tellBacking(facts: EventPayload<"deployments.backing-changed">): string {
  const { environment, name, change, outcome = "started", reason, actor } = facts;
  const what = `${name} in ${environment}`;
  if (change === "replaced" || change === "removed") return `${actor} ${change} ${what}`;
  if (change === "downloaded") return `${actor} downloaded a backup of ${what}`;
  if (outcome === "started")
    return `${actor} began ${change === "backup" ? "a backup" : "to restore a backup"} of ${what}`;
  return `The ${change} of ${what} ${tried[outcome]}${because(reason)}`;
}
