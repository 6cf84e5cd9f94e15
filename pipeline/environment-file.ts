/** `environments/*.yml` of the fleet repository: target, rules and backing services of one place. */
import { z } from "zod";
import { approving, roles } from "#api/endpoint.ts";
import { environmentName, serviceName, variableName } from "#api/names.ts";
import { backingDefaults } from "./backing-defaults.ts";
import { findCircle } from "./circle.ts";
import { type Freeze, freezeSchema, type SignOff, signOffSchema } from "./environment-rules.ts";
import { demands, environmentShape, type WrittenBacking, type WrittenEnvironment } from "./environment-shape.ts";
import type { Fault, Parsed } from "./fault.ts";
import { completePreview, previewFaults, previewSchema } from "./preview-rules.ts";
import { type Located, type Path, placeOf } from "./text/located.ts";
import { parseYaml, type Review } from "./text/parse-yaml.ts";
import { suggestion } from "./text/shape.ts";

/** A service that the environment itself runs for others, such as a database. */
export const backingSchema = z.object({
  image: z.string(),
  port: z.int().min(1).max(65_535),
  /** Where the kept volume is mounted; absent when nothing is kept. `size` in bytes. */
  volume: z.object({ path: z.string(), size: z.int().positive().optional() }).optional(),
  /** Values may hold `${password}`, which is made once for each environment and backing service. */
  environment: z.record(variableName, z.string()),
  /** Template over `${host}`, `${port}` and `${password}`: what `<NAME>_URL` becomes. */
  url: z.string(),
  /** Programs of the image: one writes all data as its output, the other reads that into an empty instance. */
  backup: z.array(z.string()).optional(),
  restore: z.array(z.string()).optional(),
  /** How many backups are kept; absent: the usual number. */
  backups: z.int().min(1).optional(),
});
export type Backing = z.output<typeof backingSchema>;

export const environmentFileSchema = z.object({
  name: environmentName,
  target: z.enum(["docker", "swarm"]),
  domain: z.string().optional(),
  /** A release must have served in this environment first. */
  after: environmentName.optional(),
  /** Milliseconds for which a new release is watched before its deployment succeeds. */
  watch: z.int().min(0),
  variables: z.record(variableName, z.string()),
  backing: z.record(serviceName, backingSchema),
  /** Whether a release that served where this environment comes after goes here by itself. */
  promotion: z.enum(["automatic", "manual"]).default("manual"),
  /** Whether a release waits until its contracts are verified with what serves here; `advisory`: it is only told. */
  contracts: z.enum(["required", "advisory"]).default("required"),
  /** What must be signed of a release's image before it goes here. */
  require: z.array(z.enum(demands)).default([]),
  signOffs: z.array(signOffSchema).default([]),
  /** Whose programs may run inside of instances here. */
  exec: z.array(z.enum(roles)).default([]),
  /** When nothing is deployed, unless somebody names the freeze and says why. */
  freeze: z.array(freezeSchema).default([]),
  /** By service, those whose open deployments go first. */
  order: z.record(serviceName, z.array(serviceName)).default({}),
  /** Encrypted values by name; those of one service by its name, those for all under `*`. */
  secrets: z.record(z.string(), z.record(variableName, z.string())).default({}),
  /** Only of environments of pull requests. */
  preview: previewSchema.optional(),
});

export type EnvironmentFile = z.output<typeof environmentFileSchema>;

/** Reads one environment file; `name` is the file's name without `.yml`. */
export function parseEnvironment(
  name: string,
  text: string,
  file = `environments/${name}.yml`,
): Parsed<EnvironmentFile> {
  const nameFault = checkName(name, file);
  const parsed = parseYaml({ file, text }, environmentShape, (value, root) => review(name, value, root));
  if (parsed.errors || nameFault)
    return { errors: [...(nameFault ? [nameFault] : []), ...(parsed.errors ?? [])], warnings: parsed.warnings };
  return { value: complete(name, parsed.value), warnings: parsed.warnings };
}

const defaultWatch = 10_000;

function checkName(name: string, file: string): Fault | undefined {
  const checked = environmentName.safeParse(name);
  if (checked.success) return undefined;
  const message = `the name \`${name.slice(0, 60)}\` of the environment is not allowed: ${checked.error.issues[0]?.message ?? ""}`;
  return { code: "shape.wrong-value", message, place: { file, line: 1, column: 1 }, fix: "rename the file" };
}

function complete(name: string, written: WrittenEnvironment): EnvironmentFile {
  const { target, domain, after, watch = defaultWatch, variables = {}, backing = {} } = written;
  const { promotion = "manual", contracts = "required", services = {} } = written;
  const completed = Object.entries(backing).map(([key, value]) => [key, completeBacking(value)] as const);
  return {
    name,
    target,
    ...(domain === undefined ? {} : { domain }),
    ...(after === undefined ? {} : { after }),
    watch,
    variables,
    backing: Object.fromEntries(completed),
    promotion,
    contracts,
    require: [...new Set(written.require)],
    exec: [...new Set(written.exec)],
    signOffs: (written["sign-offs"] ?? []).map(completeSignOff),
    freeze: (written.freeze ?? []).map(completeFreeze),
    order: completeOrder(services),
    secrets: completeSecrets(written),
    ...defined({ preview: completePreview(written) }),
  };
}

type Written<K extends keyof WrittenEnvironment> = NonNullable<WrittenEnvironment[K]>;

/** Where nobody is named, everybody who approves may. */
function completeSignOff({ name, roles, users = [], count = 1 }: Written<"sign-offs">[number]): SignOff {
  return { name, roles: roles ?? (users.length > 0 ? [] : [...approving]), users: [...new Set(users)], count };
}

function completeFreeze({ name, zone = "UTC", ...window }: Written<"freeze">[number], index: number): Freeze {
  const { from, to, reason } = window;
  return { name: name ?? freezeName(index), from, to, zone, ...(reason === undefined ? {} : { reason }) };
}

/** A freeze without a name of its own is called by its place. */
const freezeName = (index: number) => `freeze-${index + 1}`;

function completeOrder(services: Written<"services">): Record<string, string[]> {
  const ordered = Object.entries(services).filter(([, { after }]) => after && after.length > 0);
  return Object.fromEntries(ordered.map(([service, { after = [] }]) => [service, [...new Set(after)]]));
}

function completeSecrets({ secrets = {}, services = {} }: WrittenEnvironment): Record<string, Record<string, string>> {
  const own = Object.entries(services).map(([service, each]) => [service, each.secrets ?? {}] as const);
  const all = [["*", secrets] as const, ...own];
  return Object.fromEntries(all.filter(([, values]) => Object.keys(values).length > 0));
}

function completeBacking(written: WrittenBacking): Backing {
  const { image, volume, environment = {} } = written;
  const known = backingDefaults(image);
  const path = volume?.path ?? known?.path;
  return {
    image,
    port: written.port ?? known?.port ?? 0,
    ...(volume && path ? { volume: { path, ...(volume.size === undefined ? {} : { size: volume.size }) } } : {}),
    environment: { ...known?.environment, ...(volume && !volume.path ? known?.volumeEnvironment : {}), ...environment },
    url: written.url ?? known?.url ?? "http://${host}:${port}",
    ...defined({ backup: written.backup, restore: written.restore, backups: written.backups }),
  };
}

function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}

function review(name: string, written: WrittenEnvironment, root: Located): Review {
  const errors: Fault[] = [];
  if (written.after === name)
    errors.push({
      code: "shape.wrong-value",
      message: "an environment cannot come after itself",
      place: placeOf(root, ["after"]),
    });
  errors.push(...ruleFaults(written, root), ...previewFaults(name, written, root));
  const backings = Object.entries(written.backing ?? {});
  for (const [key, backing] of backings) errors.push(...backingFaults(backing, ["backing", key], root));
  const warnings = backings
    .filter(([, backing]) => backing.volume?.size !== undefined)
    .map(([key]) => sizeWarning(["backing", key, "volume"], root));
  return { errors, warnings };
}

function ruleFaults(written: WrittenEnvironment, root: Located): Fault[] {
  const signOffs = written["sign-offs"] ?? [];
  const freezes = (written.freeze ?? []).map(({ name }, index) => name ?? freezeName(index));
  const short = signOffs.flatMap(({ roles, users, count = 1 }, index): Fault[] => {
    if (roles || !users || new Set(users).size >= count) return [];
    const message = `\`count: ${count}\` is more than the users who may sign off`;
    const place = placeOf(root, ["sign-offs", index, "count"]);
    return [{ code: "shape.wrong-value", message, place, fix: "name more users, or roles" }];
  });
  return [
    ...duplicates({ names: signOffs.map(({ name }) => name), key: "sign-offs" }, root),
    ...duplicates({ names: freezes, key: "freeze" }, root),
    ...short,
    ...orderFaults(written, root),
  ];
}

function duplicates({ names, key }: { names: string[]; key: "sign-offs" | "freeze" }, root: Located): Fault[] {
  return names.flatMap((name, index) => {
    if (names.indexOf(name) === index) return [];
    const message = `\`${key}\` has the name \`${name}\` twice`;
    const place = placeOf(root, [key, index, "name"]);
    return [{ code: "shape.wrong-value" as const, message, place, fix: "give it another name" }];
  });
}

function orderFaults({ services = {} }: WrittenEnvironment, root: Located): Fault[] {
  const circle = findCircle(new Map(Object.entries(services).map(([name, { after = [] }]) => [name, after])));
  if (!circle) return [];
  const [first = "", second = ""] = circle;
  const path = ["services", first, "after", services[first]?.after?.indexOf(second) ?? 0];
  const message = `the services wait for each other in a circle: ${circle.join(" after ")}`;
  return [{ code: "environment.cycle", message, place: placeOf(root, path), fix: `remove \`${second}\` here` }];
}

function backingFaults(backing: WrittenBacking, path: Path, root: Located): Fault[] {
  const faults: Fault[] = [];
  const known = backingDefaults(backing.image);
  const place = placeOf(root, [...path, "image"]);
  if (!known && backing.port === undefined)
    faults.push({
      code: "shape.missing-key",
      message: `the port of the image \`${backing.image}\` is not known`,
      place,
      fix: "add `port:`",
    });
  if (!known && backing.volume && backing.volume.path === undefined)
    faults.push({
      code: "shape.missing-key",
      message: `where \`${backing.image}\` keeps its data is not known`,
      place,
      fix: "write `volume: { path: /data }`",
    });
  if ((backing.backup === undefined) !== (backing.restore === undefined))
    faults.push({
      code: "shape.missing-key",
      message: "a backup that nothing restores is none: `backup` and `restore` come together",
      place: placeOf(root, path),
      fix: backing.backup ? "add `restore:`" : "add `backup:`",
    });
  const templates: [Path, string][] = [
    [[...path, "url"], backing.url ?? ""],
    ...Object.entries(backing.environment ?? {}).map(([key, value]): [Path, string] => [
      [...path, "environment", key],
      value,
    ]),
  ];
  return [...faults, ...templates.flatMap(([at, template]) => templateFaults(template, at, root))];
}

/** `url` may use all three; a variable of the backing service itself only the password. */
function templateFaults(template: string, path: Path, root: Located): Fault[] {
  const allowed = path.at(-1) === "url" && path.length === 3 ? ["host", "port", "password"] : ["password"];
  const unknown = [...template.matchAll(/\$\{([^}]*)\}/g)]
    .map(([, name = ""]) => name)
    .filter((name) => !allowed.includes(name));
  return unknown.map((name) => ({
    code: "shape.wrong-value",
    message: `\`\${${name.slice(0, 40)}}\` is not known here`,
    place: placeOf(root, path),
    fix: suggestion(name, allowed),
  }));
}

function sizeWarning(path: Path, root: Located): Fault {
  return {
    code: "environment.not-acted-on",
    message: "the size of a volume is not limited on the target `docker`",
    place: placeOf(root, path),
  };
}
