/** What a cluster is told to make of a specification. Pure. */
import type { ContainerSpec, Instance, InstanceSpec } from "../contract.ts";
import { label } from "../docker/names.ts";
import { fingerprint, labelsOf, mostProcesses, mountsOf, serviceCapabilities } from "../docker/spec.ts";
import type { SwarmNames } from "./names.ts";
import { nowhere, type ServiceSpec } from "./read.ts";

export interface Making {
  names: SwarmNames;
  spec: ContainerSpec & Partial<InstanceSpec>;
  kind: Instance["kind"];
  /** The machine on which we are: volumes are there. */
  here: string;
  /** Ids of the secrets that hold the files, in their order. */
  files: readonly string[];
  /** As whom the image runs; asked for only where a file is to be that user's. */
  user: number;
  /** Machines that this one should not go to when there is another. */
  avoid?: readonly string[];
}

/** Between an exit and the next start; the cluster knows no growing pause. */
const restartDelayNs = 1e9;
const defaultGraceMs = 10_000;
/** A job is only ever killed. */
const jobGraceMs = 1_000;

/** Body of `POST /services/create`. */
export function serviceOf(making: Making): ServiceSpec {
  const { names, spec, kind, here, avoid = [] } = making;
  const constraints = spec.volumes?.length ? [`node.id==${here}`] : avoid.map((node) => `node.id!=${node}`);
  return {
    Name: names.service(spec.name),
    Labels: labelsOf(making),
    TaskTemplate: {
      ContainerSpec: containerOf(making),
      Resources: {
        Limits: { NanoCPUs: Math.round(spec.cpu * 1e9), MemoryBytes: spec.memory, Pids: mostProcesses },
        // By memory a machine is full; processors are shared.
        Reservations: { MemoryBytes: spec.memory },
      },
      RestartPolicy: kind === "job" ? { Condition: "none" } : { Condition: "any", Delay: restartDelayNs },
      Placement: { Constraints: constraints },
      Networks: [{ Target: names.overlay(spec.environment), Aliases: spec.aliases ?? [] }],
      LogDriver: { Name: "json-file", Options: { "max-size": "10m", "max-file": "3" } },
      ForceUpdate: 0,
    },
    Mode: { Replicated: { Replicas: 1 } },
    UpdateConfig: { Parallelism: 1, Order: "stop-first", FailureAction: "continue" },
    // Without the kernel's load balancer, which not every host has, and which sends to tasks that are about to end.
    EndpointSpec: { Mode: "dnsrr" },
  };
}

function containerOf({ names, spec, kind, files, user }: Making): ServiceSpec["TaskTemplate"]["ContainerSpec"] {
  const graceMs = kind === "job" ? jobGraceMs : (spec.graceMs ?? defaultGraceMs);
  return {
    Image: spec.image,
    ...(spec.command ? { Args: spec.command } : {}),
    Env: Object.entries(spec.env).map(([key, value]) => `${key}=${value}`),
    Labels: { [label.install]: names.install, [label.environment]: spec.environment },
    Mounts: mountsOf(names, spec),
    StopGracePeriod: Math.ceil(graceMs / 1000) * 1e9,
    ...(kind === "backing" ? {} : { CapabilityDrop: ["ALL"], CapabilityAdd: serviceCapabilities }),
    // Engines before 25 do not know it for services; what has no capabilities to gain gains none.
    Privileges: { NoNewPrivileges: true },
    Secrets: (spec.files ?? []).map(({ path, mode = 0o400, uid = 0 }, index) => ({
      File: { ...owner(uid === "image" ? user : uid), Name: path, Mode: mode },
      SecretID: files[index],
      SecretName: names.file(fingerprint(spec), spec.name, index),
    })),
  };
}

function owner(uid: number): { UID: string; GID: string } {
  return { UID: String(uid), GID: String(uid) };
}

/** The same, ended and kept from starting. */
export function stopped(spec: ServiceSpec): ServiceSpec {
  const { Placement, ...template } = spec.TaskTemplate;
  const constraints = [...(Placement?.Constraints ?? []), nowhere];
  return { ...spec, TaskTemplate: { ...template, Placement: { ...Placement, Constraints: constraints } } };
}

/** The same, started anew. */
export function startedAgain(spec: ServiceSpec): ServiceSpec {
  const { Placement, ...template } = spec.TaskTemplate;
  const constraints = (Placement?.Constraints ?? []).filter((each) => each !== nowhere);
  return {
    ...spec,
    TaskTemplate: {
      ...template,
      Placement: { ...Placement, Constraints: constraints },
      ForceUpdate: (template.ForceUpdate ?? 0) + 1,
    },
  };
}

/** The same, no longer kept from any machine for the sake of spreading; what runs goes on where it is. */
export function freed(spec: ServiceSpec): ServiceSpec {
  const { Placement, ...template } = spec.TaskTemplate;
  const constraints = (Placement?.Constraints ?? []).filter((each) => !isSpreading(each));
  return { ...spec, TaskTemplate: { ...template, Placement: { ...Placement, Constraints: constraints } } };
}

export function spreads({ TaskTemplate }: ServiceSpec): boolean {
  return TaskTemplate.Placement?.Constraints?.some(isSpreading) ?? false;
}

function isSpreading(constraint: string): boolean {
  return constraint.startsWith("node.id!=");
}

/** Body of `POST /services/create`: one task on every machine but ours that needs nothing but the image, and ends by it. */
export function pullingOf(names: SwarmNames, image: string, here: string): Record<string, unknown> {
  return {
    Name: names.pull(image),
    Labels: { [label.install]: names.install },
    TaskTemplate: {
      // The image is there before the engine finds that the command is not: so this needs no shell in the image.
      ContainerSpec: { Image: image, Command: ["/towline-was-pulled"] },
      RestartPolicy: { Condition: "none" },
      Placement: { Constraints: [`node.id!=${here}`] },
    },
    Mode: { Global: {} },
    EndpointSpec: { Mode: "dnsrr" },
  };
}
