/**
 * The catalogue of refusals: every code that a user can meet, with its HTTP status and the exit code of the command
 * line (1: the thing asked for did not succeed; 2: the request itself was wrong). `docs/errors.md` is made from it.
 */
export const errorCatalogue = {
  "request.invalid": { status: 400, exit: 2, summary: "The request does not have the documented shape." },
  "request.too-large": { status: 413, exit: 2, summary: "The body is larger than this endpoint takes." },
  "request.unknown-endpoint": { status: 404, exit: 2, summary: "There is no such endpoint." },
  "auth.required": { status: 401, exit: 2, summary: "A token is needed: run `towline login`, or set TOWLINE_TOKEN." },
  "auth.bad-token": { status: 401, exit: 2, summary: "The token is unknown, expired or revoked." },
  "auth.bad-password": { status: 401, exit: 2, summary: "The name or the password is wrong." },
  "auth.too-many-attempts": {
    status: 429,
    exit: 1,
    summary:
      "A password was wrong too often, for this user or from this address; `retryAfterSeconds` says how long to wait.",
  },
  "auth.forbidden": { status: 403, exit: 2, summary: "Your role does not allow this." },
  "auth.other-origin": { status: 403, exit: 2, summary: "A page of another address asked for this with your cookie." },
  "not-found": { status: 404, exit: 1, summary: "There is nothing with that name or id." },
  conflict: { status: 409, exit: 1, summary: "It exists already, or changed meanwhile." },
  "name.invalid": { status: 400, exit: 2, summary: "The name has a form that is not allowed." },
  "manifest.invalid": { status: 422, exit: 1, summary: "towline.yml has an error." },
  "manifest.missing": { status: 422, exit: 1, summary: "The repository has no towline.yml at that revision." },
  "service.not-named": { status: 422, exit: 2, summary: "The repository has several services, and none was named." },
  "pipeline.invalid": { status: 422, exit: 1, summary: "The pipeline file has an error." },
  "environment.invalid": { status: 422, exit: 1, summary: "An environment file has an error." },
  "git.protected-branch": { status: 403, exit: 1, summary: "This branch takes changes by pull request only." },
  "git.bad-revision": { status: 404, exit: 1, summary: "The repository has no such revision." },
  "git.file-too-large": { status: 422, exit: 1, summary: "A file that Towline reads from Git is too large." },
  "pull-request.own": { status: 403, exit: 1, summary: "Authors do not approve their own pull requests." },
  "pull-request.not-approved": { status: 409, exit: 1, summary: "The pull request needs an approval first." },
  "pull-request.changes-requested": { status: 409, exit: 1, summary: "A reviewer asks for changes first." },
  "pull-request.no-line": { status: 422, exit: 2, summary: "The file has no such line at that commit." },
  "pull-request.not-green": { status: 409, exit: 1, summary: "The required build of the head commit is not green." },
  "pull-request.conflicts": {
    status: 409,
    exit: 1,
    summary: "The branches conflict; merge or rebase by hand and push.",
  },
  "pull-request.closed": { status: 409, exit: 1, summary: "The pull request is closed or merged already." },
  "lease.stale": { status: 409, exit: 1, summary: "The lease has ended or belongs to somebody else; stop the work." },
  "ingress.replaced": { status: 409, exit: 1, summary: "Another process is this ingress now; stop." },
  "build.wrong-state": { status: 409, exit: 1, summary: "The build, step or job is not in a state that allows this." },
  "webhook.bad-signature": { status: 403, exit: 1, summary: "The call is not signed with the repository's secret." },
  "webhook.replayed": { status: 409, exit: 1, summary: "The call is too old or was taken before." },
  "limit.reached": { status: 409, exit: 1, summary: "A limit of this installation is reached; the message names it." },
  "meta-data.invalid": { status: 422, exit: 1, summary: "A key or value of meta-data is too long, or is not text." },
  "tests.bad-expiry": { status: 400, exit: 2, summary: "The quarantine of a test ends in the past, or too far away." },
  "log.removed": { status: 410, exit: 1, summary: "The log is older than logs are kept." },
  "log.bad-pattern": {
    status: 400,
    exit: 2,
    summary: "What is searched for is no regular expression, or has several lines.",
  },
  "log.search-too-slow": { status: 422, exit: 1, summary: "The regular expression takes too long on this log." },
  "build.held": { status: 409, exit: 2, summary: "A run on this machine stands at a gate that nobody opened." },
  "build.too-deep": { status: 409, exit: 1, summary: "Builds start each other deeper than is allowed." },
  "upload.refused": { status: 422, exit: 1, summary: "Steps that a job uploads cannot be added to its build." },
  "step.fixed": {
    status: 422,
    exit: 1,
    summary: "The step stays as the pipeline has it; only jobs and triggers change.",
  },
  "build.bad-answer": { status: 422, exit: 2, summary: "An answer to a gate does not fit its field." },
  "annotation.invalid": {
    status: 422,
    exit: 1,
    summary: "An annotation is too long, has no text, or is one too many.",
  },
  "artifact.invalid": { status: 422, exit: 1, summary: "An artifact's path, size or kind is not one that is kept." },
  "artifact.changed": { status: 409, exit: 1, summary: "The content that came is not what was announced." },
  "deployment.wrong-state": { status: 409, exit: 1, summary: "The deployment is not in a state that allows this." },
  "deployment.superseded": { status: 409, exit: 1, summary: "A newer revision is deployed or on its way." },
  "deployment.gate-closed": { status: 409, exit: 1, summary: "A gate of the environment is closed." },
  "exec.not-allowed": {
    status: 403,
    exit: 2,
    summary: "The environment does not allow your role to run programs inside of instances.",
  },
  "exec.failed": { status: 422, exit: 1, summary: "The program did not run in the instance, or was ended there." },
  "sign-off.own": { status: 403, exit: 1, summary: "Authors do not sign off releases with commits of their own." },
  "release.retired": { status: 409, exit: 1, summary: "The image of this release is no longer kept." },
  "release.preview-only": {
    status: 409,
    exit: 1,
    summary: "What a pull request brings goes to its own environment alone, and nothing else goes there.",
  },
  "release.none": { status: 404, exit: 1, summary: "The service has no such release." },
  "disk.full": { status: 507, exit: 1, summary: "The disk is full or below the floor that Towline keeps free." },
  "server.stopping": { status: 503, exit: 1, summary: "The server is stopping; try again in a moment." },
  "server.busy": { status: 503, exit: 1, summary: "The server does too much at once; try again in a moment." },
  "server.database-away": {
    status: 503,
    exit: 1,
    summary: "The server's database does not answer; it is started again by itself, try in a moment.",
  },
  "store.away": {
    status: 503,
    exit: 1,
    summary: "The store of images and artifacts does not answer, or has too much to do; try again in a moment.",
  },
  "store.refused": {
    status: 502,
    exit: 1,
    summary: "The store of images and artifacts refuses its key or has no such bucket: an admin checks TOWLINE_S3_*.",
  },
  "server.unreachable": { status: 503, exit: 1, summary: "The Towline server does not answer." },
  "server.failed": { status: 500, exit: 1, summary: "Something broke on the server; its log has the request id." },
  "host.docker-missing": { status: 503, exit: 1, summary: "The Docker Engine is missing or does not answer." },
  "host.compose-missing": { status: 503, exit: 1, summary: "Docker Compose is missing or older than 1.28." },
  "host.network-in-use": { status: 503, exit: 1, summary: "A Docker network cannot be removed: somebody is on it." },
  "host.tool-missing": { status: 503, exit: 1, summary: "A program that Towline needs is missing on this machine." },
  "host.base-image-missing": {
    status: 503,
    exit: 1,
    summary: "A base image can neither be pulled nor made from Debian packages here.",
  },
  "compose.invalid": { status: 422, exit: 1, summary: "The Compose file of a test has an error." },
  "compose.not-started": {
    status: 422,
    exit: 1,
    summary: "The service under test never ran: something it needs did not build or start.",
  },
  "config.invalid": { status: 500, exit: 2, summary: "A TOWLINE_* setting is unknown or has a wrong value." },
} as const satisfies Record<string, { status: number; exit: 1 | 2; summary: string }>;

export type ErrorCode = keyof typeof errorCatalogue;

/** Where in a user's file the fault is; line and column count from 1. */
export interface Place {
  file: string;
  line: number;
  column: number;
}

/** A refusal is a value: the caller did something that cannot be done, and learns what to do about it. */
export interface Refusal {
  refused: ErrorCode;
  message: string;
  place?: Place;
  /** What to do next, as a sentence or a command. */
  fix?: string;
  /** Typed reasons for machines, JSON only. */
  details?: Record<string, unknown>;
}

export function refuse(
  code: ErrorCode,
  message: string,
  more: Pick<Refusal, "place" | "fix" | "details"> = {},
): Refusal {
  return { refused: code, message, ...more };
}

export function isRefusal(value: unknown): value is Refusal {
  return typeof value === "object" && value !== null && "refused" in value && "message" in value;
}

/** Carries a refusal across code that can only throw (transactions, streams); the HTTP glue turns it back. */
export class RefusalError extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.message);
    this.name = "RefusalError";
    this.refusal = refusal;
  }
}

/** The value, or a throw of its refusal: for use inside a transaction, which a refusal must roll back. */
export function orThrow<T>(value: T | Refusal): T {
  if (isRefusal(value)) throw new RefusalError(value);
  return value;
}
