/** The rules of a build: which command is allowed in which state, and what it causes. */
import { type Refusal, isRefusal } from "#api/errors.ts";
import { decideFinish, decideLease, decideLeaseExpired, decideStart } from "./decide-job.ts";
import { decideDeploymentFinished, decideRequestDeploy } from "./decide-deploy.ts";
import { decideBuildRefused, decideRequestBuild, decideTriggeredFinished } from "./decide-trigger.ts";
import { decideCancel, decideRetry, decideRetryFailed, decideUnblock } from "./decide-person.ts";
import { decideReuse } from "./decide-reuse.ts";
import { decideUpdate } from "./decide-update.ts";
import { decideUpload } from "./decide-upload.ts";
import type { Command } from "./command.ts";
import type { BuildEvent } from "./event.ts";
import { type Settled, settle } from "./settle.ts";
import type { BuildState } from "./state.ts";

type CommandOf<T extends Command["type"]> = Extract<Command, { type: T }>;
type Deciders = { [T in Command["type"]]: (state: BuildState, command: CommandOf<T>) => BuildEvent[] | Refusal };

const deciders: Deciders = {
  lease: decideLease,
  reuse: decideReuse,
  start: decideStart,
  finish: decideFinish,
  "lease-expired": decideLeaseExpired,
  "request-deploy": decideRequestDeploy,
  "deployment-finished": decideDeploymentFinished,
  "request-build": decideRequestBuild,
  "build-refused": decideBuildRefused,
  "triggered-finished": decideTriggeredFinished,
  upload: decideUpload,
  update: decideUpdate,
  unblock: decideUnblock,
  cancel: decideCancel,
  retry: decideRetry,
  "retry-failed": decideRetryFailed,
};

/** All events that a command causes, in order; none when it was done before; or why it is refused. */
export function decide<T extends Command["type"]>(state: BuildState, command: CommandOf<T>): BuildEvent[] | Refusal {
  const done = decideAndApply(state, command);
  return isRefusal(done) ? done : done.events;
}

/** As `decide`, with the state that its events lead to. */
export function decideAndApply<T extends Command["type"]>(state: BuildState, command: CommandOf<T>): Settled | Refusal {
  const decider: Deciders[T] = deciders[command.type];
  const decided = decider(state, command);
  return isRefusal(decided) ? decided : settle(state, decided, command.at);
}
