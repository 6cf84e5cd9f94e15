/** What a cluster says of a service and its tasks, as the contract has it. Pure. */
import type { Instance } from "../contract.ts";
import { label } from "../docker/names.ts";
import { callersOf, kindOf } from "../docker/read.ts";

/** The parts of `GET /services` that are used. */
export interface Service {
  ID: string;
  Version: { Index: number };
  CreatedAt: string;
  Spec: ServiceSpec;
}

export interface ServiceSpec {
  Name: string;
  Labels: Record<string, string>;
  TaskTemplate: TaskTemplate;
  [more: string]: unknown;
}

export interface TaskTemplate {
  ContainerSpec: { Image: string; [more: string]: unknown };
  Placement?: { Constraints?: string[] | null };
  /** Another number makes another task of the same template; here: how often the instance was started again by a call. */
  ForceUpdate?: number;
  [more: string]: unknown;
}

/** The parts of `GET /tasks` that are used. */
export interface Task {
  ID: string;
  ServiceID: string;
  NodeID?: string;
  CreatedAt: string;
  DesiredState: string;
  Spec: TaskTemplate;
  Status: {
    Timestamp: string;
    State: string;
    Err?: string;
    ContainerStatus?: { ContainerID?: string; ExitCode?: number };
  };
  NetworksAttachments?: { Addresses?: string[] | null; Network?: { Spec?: { Name?: string } } }[] | null;
}

/** Names by id. */
export interface Machines {
  /** They do not answer: what is said of their tasks is of the past. */
  down: ReadonlyMap<string, string>;
  /** They keep what they have and take nothing new. */
  paused: ReadonlyMap<string, string>;
}

export interface Seen extends Machines {
  service: Service;
  /** Of the service, in any order. */
  tasks: readonly Task[];
  imageId: string;
}

/**
 * A service cannot be stopped and keep its tasks with their output: scaled to nothing it loses them. So one that is stopped
 * wants a machine that no cluster has, and its last task stays as history.
 */
export const nowhere = "node.id==stopped-by-towline";

/** What ended by itself; one that was asked to end is `shutdown`, one lost with its machine `orphaned`. */
const byItself = new Set(["complete", "failed", "rejected"]);
const ended = new Set([...byItself, "shutdown", "remove", "orphaned"]);
const killed = 137;

export function isStopped({ Spec }: Service): boolean {
  return isNowhere(Spec.TaskTemplate);
}

function isNowhere({ Placement }: TaskTemplate): boolean {
  return Placement?.Constraints?.includes(nowhere) ?? false;
}

export function hasEnded({ Status }: Task): boolean {
  return ended.has(Status.State);
}

/** Whether it ended without having been asked to. */
export function fellOver({ Status }: Task): boolean {
  return byItself.has(Status.State);
}

/** Since it was started by a call, oldest first; none that only stands for having been stopped. */
export function tasksOf({ service, tasks }: Pick<Seen, "service" | "tasks">): Task[] {
  const start = service.Spec.TaskTemplate.ForceUpdate ?? 0;
  return tasks
    .filter(({ ServiceID, Spec }) => ServiceID === service.ID && (Spec.ForceUpdate ?? 0) === start && !isNowhere(Spec))
    .toSorted((left, right) => (left.CreatedAt < right.CreatedAt ? -1 : 1));
}

/** The task that stands for the instance now. */
export function currentOf(seen: Pick<Seen, "service" | "tasks">): Task | undefined {
  const all = tasksOf(seen);
  const wanted = all.findLast(({ DesiredState }) => ["ready", "running", "complete"].includes(DesiredState));
  return wanted ?? all.at(-1);
}

/** Nothing for a service that is no instance or job of this installation. */
export function instanceOf(seen: Seen, install: string): Instance | undefined {
  const { service, imageId } = seen;
  const labels = service.Spec.Labels;
  const kind = kindOf(labels[label.kind]);
  if (labels[label.install] !== install || !kind) return undefined;
  const all = tasksOf(seen);
  const now = currentOf(seen);
  const state = stateOf(seen, kind, now);
  const last = state === "running" ? undefined : all.findLast(hasEnded);
  const exitCode = last && (last.Status.ContainerStatus?.ExitCode ?? 0);
  const address = state === "running" ? addressOf(now) : undefined;
  const leaving = state === "running" ? seen.paused.get(now?.NodeID ?? "") : undefined;
  const lostWith = state === "restarting" ? lostMachine(seen, all, now) : undefined;
  return {
    id: service.ID,
    name: labels[label.name] ?? "",
    environment: labels[label.environment] ?? "",
    kind,
    labels: callersOf(labels),
    image: (now?.Spec ?? service.Spec.TaskTemplate).ContainerSpec.Image,
    imageId,
    state,
    ...(address === undefined ? {} : { address }),
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(lostWith === undefined ? {} : { lostWith }),
    ...(leaving === undefined ? {} : { leaving }),
    // Of another machine's container only the code is told; nothing but the kernel kills one that nobody asked to end.
    oomKilled: last?.Status.State === "failed" && exitCode === killed,
    restarts: all.filter((each) => each !== now && fellOver(each)).length,
    ...(state === "running" && now ? { startedAt: new Date(now.Status.Timestamp) } : {}),
  };
}

function stateOf(seen: Seen, kind: Instance["kind"], now: Task | undefined): Instance["state"] {
  if (!now) return "created";
  const lost = seen.down.has(now.NodeID ?? "");
  if (now.Status.State === "running" && !lost) return "running";
  const over = hasEnded(now) || (lost && now.Status.State === "running");
  if (isStopped(seen.service) || (kind === "job" && over)) return "exited";
  return over || tasksOf(seen).length > 1 ? "restarting" : "created";
}

/** The machine with which the task that ran last was lost, the present one or the one in whose place it comes. */
function lostMachine({ down }: Seen, tasks: readonly Task[], now: Task | undefined): string | undefined {
  const before = tasks.findLast((each) => each !== now && each.Status.ContainerStatus?.ContainerID);
  return down.get(now?.NodeID ?? "") ?? down.get(before?.NodeID ?? "");
}

/** On the environment's network. */
function addressOf(task: Task | undefined): string | undefined {
  const found = (task?.NetworksAttachments ?? []).flatMap(({ Addresses }) => Addresses ?? []);
  return found[0]?.replace(/\/\d+$/, "");
}
