/** `environments/*.yml` of the fleet repository: target, rules and backing services of one place. */
import { z } from "zod";
import { environmentName, serviceName, variableName } from "#api/names.ts";
import { backingDefaults } from "./backing-defaults.ts";
import { environmentShape, type WrittenBacking, type WrittenEnvironment } from "./environment-shape.ts";
import type { Fault, Parsed } from "./fault.ts";
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
});
export type Backing = z.output<typeof backingSchema>;

export const environmentFileSchema = z.object({
  name: environmentName,
  target: z.literal("docker"),
  domain: z.string().optional(),
  /** A release must have served in this environment first. */
  after: environmentName.optional(),
  /** Milliseconds for which a new release is watched before its deployment succeeds. */
  watch: z.int().min(0),
  variables: z.record(variableName, z.string()),
  backing: z.record(serviceName, backingSchema),
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
  const completed = Object.entries(backing).map(([key, value]) => [key, completeBacking(value)] as const);
  return {
    name,
    target,
    ...(domain === undefined ? {} : { domain }),
    ...(after === undefined ? {} : { after }),
    watch,
    variables,
    backing: Object.fromEntries(completed),
  };
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
  };
}

function review(name: string, written: WrittenEnvironment, root: Located): Review {
  const errors: Fault[] = [];
  if (written.after === name)
    errors.push({
      code: "shape.wrong-value",
      message: "an environment cannot come after itself",
      place: placeOf(root, ["after"]),
    });
  const backings = Object.entries(written.backing ?? {});
  for (const [key, backing] of backings) errors.push(...backingFaults(backing, ["backing", key], root));
  const warnings = backings
    .filter(([, backing]) => backing.volume?.size !== undefined)
    .map(([key]) => sizeWarning(["backing", key, "volume"], root));
  return { errors, warnings };
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
