/** `towline.yml`: what a service is, what it needs, how it runs and how it is released. */
import { z } from "zod";
import { serviceName, variableName } from "#api/names.ts";
import type { Fault, Parsed } from "./fault.ts";
import { type ManifestFile, manifestFile } from "./manifest-file.ts";
import { completeRelease, releaseFaults, releaseSchema } from "./release-plan.ts";
import { keyPlaceOf, locate, type Located, type Path, placeOf } from "./text/located.ts";
import { parseYaml, type Review } from "./text/parse-yaml.ts";

const words = z.array(z.string().min(1)).min(1);

/** A manifest as stored in a release: every default filled in, durations in milliseconds, sizes in bytes. */
export const manifestSchema = z.object({
  service: serviceName,
  owner: z.string().optional(),
  /** Port the process listens on; it also gets it as `PORT`. */
  port: z.int().min(1).max(65_535),
  /** Path that answers 2xx when an instance can serve. */
  health: z.string(),
  /** Services it calls, each reachable as `<SERVICE>_URL`. */
  needs: z.array(serviceName),
  /** Backing services of the environment, each reachable as `<NAME>_URL`. */
  uses: z.array(serviceName),
  /** Names of secrets that become variables of the same name. */
  secrets: z.array(variableName),
  /** By path in the container, names of secrets that are files there. */
  secretFiles: z.record(z.string(), variableName).optional(),
  variables: z.record(variableName, z.string()),
  /** Folders, files or globs outside of its folder that it is built from too; where one repository has several services. */
  shared: z.array(z.string()).optional(),
  run: z.object({
    /** Cores; may be a fraction. */
    cpu: z.number().positive(),
    /** Bytes. */
    memory: z.int().positive(),
    instances: z.object({ min: z.int().min(1), max: z.int().min(1) }),
    /** What their number follows between `min` and `max`; absent: `min` of them run. */
    scale: z
      .object({
        /** Percent of its processors that an instance should use. */
        cpu: z.number().positive().optional(),
        /** A second and instance. */
        requests: z.number().positive().optional(),
        /** Milliseconds until an answer begins. */
        p95: z.number().positive().optional(),
        /** Milliseconds for which fewer must have been enough before one goes. */
        calm: z.int().positive(),
      })
      .optional(),
    /** Arguments in place of the image's own command. */
    command: words.optional(),
  }),
  release: releaseSchema,
  /** How the image is built: paths in the service's folder; `/` is the whole repository. */
  image: z.object({
    context: z.string(),
    dockerfile: z.string(),
    args: z.record(z.string(), z.string()),
  }),
});

/** Plain JSON; read back with `manifestSchema.parse`. */
export type Manifest = z.output<typeof manifestSchema>;

/** Reads a manifest; `service` and one port are enough. */
export function parseManifest(text: string, file = "towline.yml"): Parsed<Manifest> {
  const parsed = parseYaml({ file, text }, manifestFile, reviewManifest);
  return parsed.errors ? parsed : { value: complete(parsed.value), warnings: parsed.warnings };
}

const defaults = {
  health: "/health",
  cpu: 1,
  memory: 512 * 2 ** 20,
  calm: 180_000,
  context: ".",
  dockerfile: "Dockerfile",
} as const;

function complete(file: ManifestFile): Manifest {
  const { service, owner, http, port, release = {}, image = {} } = file;
  return {
    service,
    ...(owner === undefined ? {} : { owner }),
    port: http?.port ?? port ?? 0,
    health: http?.health ?? defaults.health,
    needs: [...new Set(file.needs)],
    uses: [...new Set(file.uses)],
    ...completeSecrets(file.secrets ?? []),
    variables: file.variables ?? {},
    ...(file.shared ? { shared: file.shared } : {}),
    run: completeRun(file.run ?? {}),
    release: completeRelease(release),
    image: {
      context: image.context ?? defaults.context,
      dockerfile: image.dockerfile ?? defaults.dockerfile,
      args: image.args ?? {},
    },
  };
}

function completeSecrets(written: NonNullable<ManifestFile["secrets"]>): Pick<Manifest, "secrets" | "secretFiles"> {
  const variables = written.flatMap(({ name, file }) => (file === undefined ? [name] : []));
  const files = written.flatMap(({ name, file }) => (file === undefined ? [] : [[file, name] as const]));
  return {
    secrets: [...new Set(variables)],
    ...(files.length > 0 ? { secretFiles: Object.fromEntries(files) } : {}),
  };
}

/** Two secrets in one file, or a file where another one needs a folder. */
function secretFileFaults({ secrets = [] }: ManifestFile, root: Located): Fault[] {
  return secrets.flatMap(({ file }, index): Fault[] => {
    const others = secrets.slice(0, index).flatMap((each) => each.file ?? []);
    const other = others.find((each) => each === file || file?.startsWith(`${each}/`) || each.startsWith(`${file}/`));
    if (file === undefined || other === undefined) return [];
    const message =
      other === file ? `\`${file}\` is written twice` : `\`${file}\` and \`${other}\` cannot both be files`;
    const place = placeOf(root, ["secrets", index, "file"]);
    return [{ code: "shape.wrong-value", message, place, fix: "give it another path" }];
  });
}

function completeRun({ cpu, memory, instances, command, scale }: NonNullable<ManifestFile["run"]>): Manifest["run"] {
  return {
    cpu: cpu ?? defaults.cpu,
    memory: memory ?? defaults.memory,
    instances: instances ?? { min: 1, max: 1 },
    ...(scale ? { scale: { ...scale, calm: scale.calm ?? defaults.calm } } : {}),
    ...(command ? { command } : {}),
  };
}

function reviewManifest(file: ManifestFile, root: Located): Review {
  return {
    errors: [
      ...portFaults(file, root),
      ...conflicts(file, root),
      ...secretFileFaults(file, root),
      ...releaseFaults(file, root),
    ],
    warnings: [...notActedOn(root), ...unscaled(file, root)],
  };
}

function portFaults({ http, port }: ManifestFile, root: Located): Fault[] {
  if (http && port !== undefined)
    return [
      {
        code: "shape.wrong-value",
        message: "the port is given twice, as `http` and as `port`",
        place: keyPlaceOf(root, ["port"]),
        fix: "keep `http.port`",
      },
    ];
  if (http || port !== undefined) return [];
  return [
    { code: "shape.missing-key", message: "the port is missing", place: root.place, fix: "add `http: { port: 8080 }`" },
  ];
}

/** `ORDERS_URL` for `orders`: how needed services and backing services reach a process. */
export function urlVariable(name: string): string {
  return `${name.toUpperCase().replaceAll("-", "_")}_URL`;
}

function conflicts(file: ManifestFile, root: Located): Fault[] {
  const taken = new Map<string, string>([["PORT", "the port"]]);
  const sources: { name: string; source: string; path: Path }[] = [
    ...(file.needs ?? []).map((need, index) => ({
      name: urlVariable(need),
      source: `needs ${need}`,
      path: ["needs", index],
    })),
    ...(file.uses ?? []).map((use, index) => ({
      name: urlVariable(use),
      source: `uses ${use}`,
      path: ["uses", index],
    })),
    ...(file.secrets ?? []).flatMap(({ name, file: path }, index) =>
      path === undefined ? [{ name, source: `secret ${name}`, path: ["secrets", index] }] : [],
    ),
    ...Object.keys(file.variables ?? {}).map((name) => ({
      name,
      source: `variable ${name}`,
      path: ["variables", name],
    })),
  ];
  return sources.flatMap(({ name, source, path }) => {
    const other = taken.get(name);
    taken.set(name, source);
    // The same need twice is harmless; two different sources are not.
    if (other === undefined || other === source) return [];
    return [
      {
        code: "manifest.variable-conflict" as const,
        message: `\`${name}\` would be set by ${other} and by ${source}`,
        place: placeOf(root, path),
        fix: "rename one of them",
      },
    ];
  });
}

function notActedOn(root: Located): Fault[] {
  const paths: Path[] = [["watch"]];
  return paths
    .filter((path) => locate(root, path))
    .map((path) => ({
      code: "manifest.not-acted-on",
      message: `\`${path.join(".")}\` is read and not acted on yet`,
      place: keyPlaceOf(root, path),
    }));
}

/** A range and what the number follows are nothing without each other. */
function unscaled({ run }: ManifestFile, root: Located): Fault[] {
  const { instances, scale } = run ?? {};
  const isRange = instances !== undefined && instances.min < instances.max;
  if (isRange === (scale !== undefined)) return [];
  return [
    {
      code: "manifest.not-acted-on",
      message: isRange
        ? `always ${instances.min} instances run, for nothing says when there should be more`
        : "their number cannot change, for `run.instances` is no range",
      place: keyPlaceOf(root, ["run", isRange ? "instances" : "scale"]),
      fix: isRange ? "add `scale: { cpu: 60% }`" : "write a range such as `instances: 2..6`",
    },
  ];
}
