/** Each event as a sentence for people who know none of its names: who did what to what. A new event without its words does not compile. */
import type { ActivityKind } from "./activity-kinds.ts";
import { approvals, deployments, running } from "./deployment-words.ts";
import { because, by, capital, count, list, type Part, place, pull, short, type Telling } from "./event-parts.ts";
import { eventCatalogue, type EventName, type EventPayload } from "./events.ts";

const day = (time: string) => time.slice(0, 10);

const build = ({ repository, number, folder }: { repository: string; number: number; folder?: string | undefined }) =>
  `Build ${number} of ${repository}${folder ? ` (${folder})` : ""}`;

const ended = { passed: "passed", failed: "failed", canceled: "was canceled" };

const access = {
  "access.user-created": {
    kind: "people and tokens",
    tell: ({ user, role, actor = "Towline" }) => `${actor} added ${user} with the role ${role}`,
  },
  "access.role-changed": {
    kind: "people and tokens",
    tell: ({ user, role, actor = "Towline" }) => `${actor} gave ${user} the role ${role}`,
  },
  "access.token-created": {
    kind: "people and tokens",
    tell: ({ user, name, actor = "Towline" }) =>
      `${actor} made the token “${name}”${user === actor ? "" : ` for ${user}`}`,
  },
  "access.token-revoked": { kind: "people and tokens", tell: ({ actor = "Towline" }) => `${actor} revoked a token` },
  "access.password-set": {
    kind: "people and tokens",
    tell: ({ user, sessionsEnded, actor }) =>
      `${actor} set ${user === actor ? "a new password" : `the password of ${user}`}` +
      (sessionsEnded === 0 ? "" : `, and ${count(sessionsEnded, "browser session")} ended`),
  },
} satisfies Part<"access">;

const source = {
  "source.repository-created": {
    kind: "rules and secrets",
    tell: ({ repository, actor }) =>
      by(actor, `made the repository ${repository}`, `The repository ${repository} was made`),
  },
  "source.repository-changed": {
    kind: "rules and secrets",
    tell: ({ repository, allowDirectPush, requiredApprovals, requireBuild, actor }) =>
      `${actor} set the rules of ${repository}: ${count(requiredApprovals, "approval")} for a merge, ` +
      (requireBuild ? "which a build must have passed, " : "with or without a passed build, ") +
      (allowDirectPush ? "or a push without a pull request" : "and no push without a pull request"),
  },
  "source.ref-changed": { kind: "code and pull requests", tell: tellRef },
  "source.pull-request-opened": {
    kind: "code and pull requests",
    tell: ({ actor, branch, ...it }) =>
      by(actor, `opened ${pull(it)}, from ${branch}`, `${capital(pull(it))} was opened, from ${branch}`),
  },
  "source.pull-request-approved": {
    kind: "approvals and locks",
    tell: ({ user, ...it }) => `${user} approved ${pull(it)}`,
  },
  "source.changes-requested": {
    kind: "approvals and locks",
    tell: ({ user, ...it }) => `${user} asked for changes to ${pull(it)}`,
  },
  "source.check-changed": {
    kind: "steps in between",
    tell: ({ repository, commit }) =>
      `Whether commit ${short(commit)} of ${repository} may be merged was looked at anew`,
  },
  "source.change-request-withdrawn": {
    kind: "approvals and locks",
    tell: ({ user, actor, ...it }) =>
      `${actor} withdrew the request ${user === actor ? "" : `of ${user} `}for changes to ${pull(it)}`,
  },
  "source.comment-added": {
    kind: "code and pull requests",
    tell: ({ actor, ...it }) => `${actor} commented ${pull(it)}`,
  },
  "source.comment-removed": {
    kind: "code and pull requests",
    tell: ({ actor, author, ...it }) =>
      `${actor} removed a comment ${author === actor ? "" : `of ${author} `}from ${pull(it)}`,
  },
  "source.pull-request-merged": {
    kind: "code and pull requests",
    tell: ({ actor, ...it }) => by(actor, `merged ${pull(it)}`, `${capital(pull(it))} was merged by a push`),
  },
  "source.pull-request-closed": {
    kind: "code and pull requests",
    tell: ({ actor, ...it }) =>
      by(actor, `closed ${pull(it)}`, `${capital(pull(it))} was closed, for its branch is gone`),
  },
} satisfies Part<"source">;

function tellRef({ repository, ref, before, after, actor }: EventPayload<"source.ref-changed">): string {
  const [, kind, name = ref] = /^refs\/(heads|tags)\/(.+)$/.exec(ref) ?? [];
  const what = `the ${kind === "tags" ? "tag" : "branch"} ${name} of ${repository}`;
  if (after === undefined) return by(actor, `removed ${what}`, `${capital(what)} was removed`);
  const at = `at commit ${short(after)}`;
  if (before === undefined) return by(actor, `made ${what}, ${at}`, `${capital(what)} was made, ${at}`);
  return by(actor, `pushed to ${what}, now ${at}`, `${capital(what)} was moved, now ${at}`);
}

const fleet = {
  "fleet.service-changed": {
    kind: "rules and secrets",
    tell: ({ service, commit }) => `The manifest of ${service} is that of commit ${short(commit)} now`,
  },
  "fleet.environment-changed": {
    kind: "rules and secrets",
    tell: ({ environment, commit }) => `The rules of ${environment} were changed or removed by commit ${short(commit)}`,
  },
  "fleet.secret-changed": {
    kind: "rules and secrets",
    tell: ({ name, change, actor, ...where }) => `${actor} ${change} the secret ${name} of ${place(where)}`,
  },
  "fleet.key-rotated": {
    kind: "rules and secrets",
    tell: ({ actor }) => `${actor} replaced the key by which secrets are sealed`,
  },
} satisfies Part<"fleet">;

const builds = {
  "builds.build-created": {
    kind: "builds and tests",
    tell: ({ branch, commit, tag, ...it }) =>
      `${build(it)} was asked for, of ${tag ? "the tag" : "the branch"} ${branch} at commit ${short(commit)}`,
  },
  "builds.test-quarantine-changed": {
    kind: "builds and tests",
    tell: ({ repository, name, until, actor }) =>
      until === null
        ? `${actor} let the test “${name}” of ${repository} count again`
        : `${actor} lets the test “${name}” of ${repository} fail until ${day(until)}`,
  },
  "builds.build-finished": {
    kind: "builds and tests",
    tell: ({ outcome, ofServices, ...it }) =>
      `${build(it)} ${ended[outcome]}${ofServices ? ", for the builds of its services did" : ""}`,
  },
  "builds.service-checked": {
    kind: "steps in between",
    tell: ({ of, outcome, reason, repository, commit }) =>
      outcome === undefined
        ? `Commit ${short(commit)} of ${repository} waits for a build of ${of.service}`
        : `${capital(of.service)} ${ended[outcome]} for commit ${short(commit)} of ${repository}${because(reason)}`,
  },
  "builds.job-finished": {
    kind: "steps in between",
    tell: ({ key, attempt, outcome }) =>
      `The step ${key} of a build ${ended[outcome]}${attempt > 1 ? ` at attempt ${attempt}` : ""}`,
  },
  "builds.image-published": {
    kind: "steps in between",
    tell: ({ service, ...it }) => `${build(it)} made an image of ${service}`,
  },
  "builds.deploy-requested": {
    kind: "steps in between",
    tell: ({ service, environment, actor, ...it }) =>
      `${build(it)} asked to deploy ${service} to ${environment}${actor ? `, as ${actor} said` : ""}`,
  },
  "builds.deploy-canceled": { kind: "steps in between", tell: () => "A build wants its deployment no more" },
  "builds.trigger-changed": {
    kind: "rules and secrets",
    tell: ({ repository, trigger, name, change, actor }) =>
      `${actor} ${change} the ${trigger} ${name} of ${repository}`,
  },
} satisfies Part<"builds">;

/** By the end of its tag (https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md). */
const attachments: Record<string, string> = {
  ".sig": "a signature",
  ".att": "a statement of how it was built",
  ".sbom": "a list of what is in it",
};

const images = {
  "images.manifest-pushed": {
    kind: "steps in between",
    tell: ({ repository, tags, actor }) => {
      const attached = tags.flatMap((tag) => attachments[/^sha256-[0-9a-f]{64}(\.\w+)?$/.exec(tag)?.[1] ?? ""] ?? []);
      if (attached.length > 0) return `${actor} attached ${list(attached)} to an image of ${repository}`;
      const names = tags.filter((tag) => !tag.startsWith("sha256-"));
      return `${actor} pushed an image of ${repository}${names.length > 0 ? `, as ${list(names)}` : ""}`;
    },
  },
  "images.manifest-deleted": {
    kind: "releases and images",
    tell: ({ repository, tag, actor }) => `${actor} removed ${tag ? `the tag ${tag}` : "an image"} of ${repository}`,
  },
  "releases.release-created": {
    kind: "releases and images",
    tell: ({ service, number, commit }) => `Release ${number} of ${service} was made, of commit ${short(commit)}`,
  },
  "attestations.release-attested": {
    kind: "releases and images",
    tell: ({ service, number, outcome, reason }) =>
      `Release ${number} of ${service} ${outcome === "made" ? "was signed" : `could not be signed${because(reason)}`}`,
  },
  "attestations.key-rotated": {
    kind: "rules and secrets",
    tell: ({ actor }) => `${actor} replaced the key by which releases are signed`,
  },
  "deployments.release-retired": {
    kind: "releases and images",
    tell: ({ service, number }) => `The image of release ${number} of ${service} may go: nothing needs it any more`,
  },
} satisfies Part<"images" | "releases" | "attestations", "deployments.release-retired">;

const contracts = {
  "contracts.verification-wanted": {
    kind: "contracts",
    tell: ({ provider, consumer, commit }) =>
      `Commit ${short(commit)} of ${provider} is still to be held against what ${consumer} asks of it`,
  },
  "contracts.verified": {
    kind: "contracts",
    tell: ({ provider, version, consumer, success }) =>
      `${provider} at ${short(version)} ${success ? "keeps" : "breaks"} what ${consumer} asks of it`,
  },
  "contracts.webhook-changed": {
    kind: "contracts",
    tell: ({ change, actor }) => `${actor} ${change} a webhook of the contracts`,
  },
} satisfies Part<"contracts">;

export const eventWords: { readonly [N in EventName]: Telling<N> } = {
  ...access,
  ...source,
  ...fleet,
  ...builds,
  ...images,
  ...contracts,
  ...deployments,
  ...approvals,
  ...running,
};

/** The names of a kind. */
export function eventsOf(kind: ActivityKind): EventName[] {
  return (Object.keys(eventWords) as EventName[]).filter((name) => eventWords[name].kind === kind);
}

/** What happened, in a sentence; an event whose name or shape is no more in the catalogue is told by its name. */
export function tellEvent(name: string, payload: unknown): { kind: ActivityKind | null; sentence: string } {
  if (!Object.hasOwn(eventWords, name)) return { kind: null, sentence: name };
  const { kind, tell } = eventWords[name as EventName] as Telling<EventName>;
  const facts = eventCatalogue[name as EventName].safeParse(payload);
  return { kind, sentence: facts.success ? tell(facts.data) : name };
}
