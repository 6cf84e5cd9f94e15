/** What the engine says of a container, as the contract has it. Pure. */
import type { Instance } from "../contract.ts";
import { label } from "./names.ts";

/** The part of `GET /containers/{id}/json` that is used. */
export interface Inspected {
  Id: string;
  /** After a slash. */
  Name: string;
  Image: string;
  RestartCount: number;
  State: {
    Status: string;
    Running: boolean;
    Restarting: boolean;
    OOMKilled: boolean;
    ExitCode: number;
    StartedAt: string;
    FinishedAt: string;
    Error: string;
  };
  Config: { Image: string; Labels: Record<string, string> };
  NetworkSettings: NetworkSettings;
}

interface NetworkSettings {
  Networks: Record<string, { IPAddress: string }>;
}

/** The part of one of `GET /containers/json` that is used. */
export interface Listed extends Pick<Inspected, "Id" | "NetworkSettings"> {
  /** In seconds. */
  Created: number;
  Labels: Record<string, string>;
  /** As the `Status` of what is inspected. */
  State: string;
}

/** Nothing for a container that is no instance or job of this installation. */
export function instanceOf(found: Inspected, install: string): Instance | undefined {
  const { Labels: labels, Image: image } = found.Config;
  const kind = kindOf(labels[label.kind]);
  if (labels[label.install] !== install || !kind) return undefined;
  const state = stateOf(found.State);
  const address = addressOf(found.NetworkSettings);
  const started = timeOf(found.State.StartedAt);
  const ended = state !== "running" && timeOf(found.State.FinishedAt) !== undefined;
  return {
    id: found.Id,
    name: labels[label.name] ?? "",
    environment: labels[label.environment] ?? "",
    kind,
    labels: callersOf(labels),
    image,
    imageId: found.Image,
    state,
    ...(state === "running" && address !== undefined ? { address } : {}),
    ...(ended ? { exitCode: found.State.ExitCode } : {}),
    oomKilled: found.State.OOMKilled,
    restarts: found.RestartCount,
    ...(started ? { startedAt: started } : {}),
  };
}

export function addressOf({ Networks }: NetworkSettings): string | undefined {
  return Object.values(Networks).find(({ IPAddress }) => IPAddress !== "")?.IPAddress;
}

export function kindOf(kind: string | undefined): Instance["kind"] | undefined {
  return kind === "service" || kind === "backing" || kind === "job" ? kind : undefined;
}

function stateOf({ Status, Running, Restarting }: Inspected["State"]): Instance["state"] {
  if (Restarting) return "restarting";
  if (Running) return "running";
  return Status === "created" ? "created" : "exited";
}

export function callersOf(labels: Record<string, string>): Record<string, string> {
  const mine = Object.entries(labels).filter(([key]) => key.startsWith(label.callers));
  return Object.fromEntries(mine.map(([key, value]) => [key.slice(label.callers.length), value]));
}

/** The engine writes the year 1 for "never". */
function timeOf(text: string): Date | undefined {
  return text.startsWith("0001") ? undefined : new Date(text);
}
