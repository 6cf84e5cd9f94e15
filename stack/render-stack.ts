/** Manifest + environment + release + addresses → what must run. The same input gives the same stack, key by key. */
import { refuse, type Refusal } from "#api/errors.ts";
import type { Backing, EnvironmentFile } from "#pipeline/environment-file.ts";
import { type Manifest, urlVariable } from "#pipeline/manifest.ts";
import type { Analysis, BackingSpec, Scale, Stack, StackRelease, Strategy, Variable } from "./stack.ts";

export interface StackInput {
  manifest: Manifest;
  environment: EnvironmentFile;
  release: StackRelease;
  /** Address of each needed service, by its name. */
  urls: Readonly<Record<string, string>>;
}

/** Time between SIGTERM and SIGKILL, after the drain; Docker's own default. */
const stopGraceMs = 10_000;

/** Refuses with `environment.invalid` what the environment does not offer, and `manifest.invalid` what clashes with it. */
export function renderStack(input: StackInput): Stack | Refusal {
  const refusal = missingBacking(input) ?? missingUrl(input) ?? clash(input);
  if (refusal) return refusal;
  const { manifest, environment, release } = input;
  const { command, cpu, memory, instances } = manifest.run;
  const { migrate, drain, warmUp: warmUpMs, analysis, healthyWithin: healthyWithinMs } = manifest.release;
  const strategy = strategyOf(manifest.release, instances.min);
  return {
    service: manifest.service,
    environment: environment.name,
    target: environment.target,
    release: { number: release.number, commit: release.commit },
    image: `${release.repository}@${release.digest}`,
    ...(command ? { command } : {}),
    variables: sorted({ ...plain(manifest.variables), ...plain(environment.variables), ...derived(input) }),
    ...secretFiles(manifest),
    instances: instances.min,
    ...scaleOf(manifest.run),
    limits: { cpu, memory },
    port: manifest.port,
    health: { path: manifest.health },
    hosts: hostsOf(manifest.service, environment),
    rollout: {
      ...{ strategy, warmUpMs, analysis: plainAnalysis(analysis), ...(migrate ? { migrate } : {}) },
      ...(healthyWithinMs === undefined ? {} : { healthyWithinMs }),
      ...{ drainMs: drain, stopGraceMs, watchMs: environment.watch },
    },
    backing: manifest.uses.toSorted(byCodeUnits).map((name) => backingSpec(environment, name)),
  };
}

function secretFiles({ secretFiles: files = {} }: Manifest): Pick<Stack, "files"> {
  const all = Object.entries(files).map(([path, secret]) => [path, { secret }] as const);
  return all.length > 0 ? { files: sorted(Object.fromEntries(all)) } : {};
}

function plainAnalysis({ p95, ...rest }: Manifest["release"]["analysis"]): Analysis {
  return p95 === undefined ? rest : { ...rest, p95 };
}

function scaleOf({ instances, scale }: Manifest["run"]): { scale?: Scale } {
  if (!scale || instances.min === instances.max) return {};
  const { cpu, requests, p95, calm } = scale;
  return {
    scale: {
      ...instances,
      ...(cpu === undefined ? {} : { cpu }),
      ...(requests === undefined ? {} : { requests }),
      ...(p95 === undefined ? {} : { p95 }),
      calmMs: calm,
    },
  };
}

/** Shares become numbers of instances: as everywhere, more are rounded up and fewer down. */
function strategyOf({ strategy, surge, unavailable, steps }: Manifest["release"], instances: number): Strategy {
  if (strategy === "canary") return { kind: strategy, steps };
  if (strategy !== "rolling") return { kind: strategy };
  const most = countOf(surge, instances, Math.ceil);
  const fewest = countOf(unavailable, instances, Math.floor);
  return { kind: strategy, surge: most + fewest === 0 ? 1 : most, unavailable: fewest };
}

function countOf(value: number | string, instances: number, round: (count: number) => number): number {
  return typeof value === "number" ? value : round((Number.parseInt(value) / 100) * instances);
}

/** The backing services of an environment, whoever uses them, sorted by name. */
export function renderBacking(environment: EnvironmentFile): BackingSpec[] {
  return Object.keys(environment.backing)
    .toSorted(byCodeUnits)
    .map((name) => backingSpec(environment, name));
}

/** Unlike a locale's order the same on every machine. */
function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => byCodeUnits(a, b)));
}

function plain(variables: Record<string, string>): Record<string, Variable> {
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, { from: "value", value }]));
}

/** What the platform sets; none of it can be overridden. */
function derived({ manifest, environment, release, urls }: StackInput): Record<string, Variable> {
  const needs = manifest.needs.map((need) => [urlVariable(need), urls[need] ?? ""] as const);
  const facts = {
    PORT: String(manifest.port),
    TOWLINE_SERVICE: manifest.service,
    TOWLINE_ENVIRONMENT: environment.name,
    TOWLINE_RELEASE: String(release.number),
    TOWLINE_COMMIT: release.commit,
    ...Object.fromEntries(needs),
  };
  const secrets = manifest.secrets.map((secret): [string, Variable] => [secret, { from: "secret", secret }]);
  const backing = manifest.uses.map((name): [string, Variable] => [
    urlVariable(name),
    backingVariable(environment, name),
  ]);
  return { ...plain(facts), ...Object.fromEntries(secrets), ...Object.fromEntries(backing) };
}

function backingVariable(environment: EnvironmentFile, name: string): Variable {
  const { url, port } = backingOf(environment, name);
  const values: Record<string, string> = { host: backingHost(environment.name, name), port: String(port) };
  return {
    from: "backing",
    backing: name,
    url: url.replaceAll(/\$\{(host|port)\}/g, (_, key: string) => values[key] ?? ""),
  };
}

function backingOf(environment: EnvironmentFile, name: string): Backing {
  const backing = environment.backing[name];
  if (!backing) throw new Error(`unchecked backing service ${name}`);
  return backing;
}

/** The environment is in the name, so that a wrong network can never reach another environment's data. */
function backingHost(environment: string, name: string): string {
  return `${name}.${environment}.backing`;
}

function backingSpec(environment: EnvironmentFile, name: string): BackingSpec {
  const { image, port, volume, environment: variables } = backingOf(environment, name);
  // A dot, which neither name can have: `a-b` + `c` must differ from `a` + `b-c`.
  const mount = volume ? { volume: { name, path: volume.path } } : {};
  return {
    name,
    environment: environment.name,
    image,
    port,
    host: backingHost(environment.name, name),
    ...mount,
    variables: sorted(variables),
  };
}

function hostsOf(service: string, { name, domain }: EnvironmentFile): string[] {
  return [`${service}.${name}.localhost`, ...(domain === undefined ? [] : [`${service}.${domain}`])];
}

function missingBacking({ manifest, environment }: StackInput): Refusal | undefined {
  const name = manifest.uses.find((use) => !Object.hasOwn(environment.backing, use));
  if (name === undefined) return undefined;
  const message = `${manifest.service} uses \`${name}\`, and the environment ${environment.name} has no such backing service`;
  return refuse("environment.invalid", message, {
    fix: `add \`${name}\` to \`backing\` in environments/${environment.name}.yml`,
  });
}

function missingUrl({ manifest, environment, urls }: StackInput): Refusal | undefined {
  const name = manifest.needs.find((need) => !Object.hasOwn(urls, need));
  if (name === undefined) return undefined;
  const message = `${manifest.service} needs \`${name}\`, which has no address in the environment ${environment.name}`;
  return refuse("manifest.invalid", message, {
    fix: `correct \`needs\` in towline.yml, or make the service ${name} first`,
  });
}

function clash(input: StackInput): Refusal | undefined {
  const taken = derived(input);
  const name = Object.keys(input.environment.variables).find((variable) => Object.hasOwn(taken, variable));
  if (name === undefined) return undefined;
  const message = `the environment ${input.environment.name} sets \`${name}\`, which the platform sets for ${input.manifest.service}`;
  return refuse("environment.invalid", message, { fix: `remove \`${name}\` from \`variables\`` });
}
