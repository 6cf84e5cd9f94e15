/** What the engine is told to make of a specification. Pure. */
import { createHash } from "node:crypto";
import type { ContainerSpec, Instance, InstanceSpec } from "../contract.ts";
import { label, type Names } from "./names.ts";

/** Of the engine's default capabilities, those that usual images need: to give files to a user, become that user, and end children. */
export const serviceCapabilities = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"];
export const mostProcesses = 1_024;

/** Equal for specifications that mean the same; how long it may take to end is not part of what it is. */
export function fingerprint(spec: ContainerSpec & Partial<InstanceSpec>): string {
  return createHash("sha256")
    .update(canonical({ ...spec, graceMs: undefined }))
    .digest("hex")
    .slice(0, 32);
}

export interface Making {
  names: Names;
  spec: ContainerSpec & Partial<InstanceSpec>;
  kind: Instance["kind"];
  /** The address it keeps; absent: any. */
  address?: string;
}

/** Body of `POST /containers/create`. */
export function bodyOf(making: Making): Record<string, unknown> {
  const { names, spec, address } = making;
  const network = names.network(spec.environment);
  const endpoint = {
    ...(address === undefined ? {} : { IPAMConfig: { IPv4Address: address } }),
    Aliases: spec.aliases ?? [],
  };
  return {
    Image: spec.image,
    ...(spec.command ? { Cmd: spec.command } : {}),
    Env: Object.entries(spec.env).map(([key, value]) => `${key}=${value}`),
    Labels: labelsOf(making),
    HostConfig: hostConfig(making, network),
    NetworkingConfig: { EndpointsConfig: { [network]: endpoint } },
  };
}

function hostConfig({ names, spec, kind }: Making, network: string): Record<string, unknown> {
  return {
    NetworkMode: network,
    RestartPolicy: { Name: kind === "job" ? "no" : "unless-stopped" },
    NanoCpus: Math.round(spec.cpu * 1e9),
    Memory: spec.memory,
    MemorySwap: spec.memory,
    PidsLimit: mostProcesses,
    SecurityOpt: ["no-new-privileges"],
    ...(kind === "backing" ? {} : { CapDrop: ["ALL"], CapAdd: serviceCapabilities }),
    LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } },
    Mounts: mountsOf(names, spec),
  };
}

export function mountsOf(names: Names, { environment, volumes = [] }: Making["spec"]): Record<string, unknown>[] {
  return volumes.map(({ name, path }) => ({
    Type: "volume",
    Source: names.volume(environment, name),
    Target: path,
    VolumeOptions: {
      Labels: { [label.install]: names.install, [label.environment]: environment },
    },
  }));
}

export function labelsOf({ names, spec, kind, address }: Making): Record<string, string> {
  return {
    [label.install]: names.install,
    [label.kind]: kind,
    [label.name]: spec.name,
    [label.environment]: spec.environment,
    [label.spec]: fingerprint(spec),
    ...(address === undefined ? {} : { [label.address]: address }),
    ...callersLabels(spec.labels),
  };
}

export function callersLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [`${label.callers}${key}`, value]));
}

/** JSON with sorted keys; bytes as their base64. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (inner instanceof Uint8Array) return Buffer.from(inner).toString("base64");
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).toSorted(([left], [right]) => (left < right ? -1 : 1)));
  });
}
