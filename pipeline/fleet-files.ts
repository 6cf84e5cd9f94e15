/** The environment files of a fleet together: each by itself, and what only shows when they stand beside each other. */
import { findCircle } from "./circle.ts";
import { type EnvironmentFile, parseEnvironment } from "./environment-file.ts";
import type { Fault, Parsed } from "./fault.ts";
import { previewTemplate } from "./preview-rules.ts";
import { type Path, placeOf } from "./text/located.ts";
import { readYaml } from "./text/read-yaml.ts";

export interface FleetFile {
  /** Path in the repository, `environments/test.yml`. */
  file: string;
  text: string;
}

export interface ReadEnvironment extends FleetFile {
  name: string;
  parsed: Parsed<EnvironmentFile>;
}

export const isEnvironmentFile = (path: string): boolean => /^environments\/[^/]+\.ya?ml$/.test(path);

export function readEnvironmentFiles(files: readonly FleetFile[]): ReadEnvironment[] {
  return files.map(({ file, text }) => {
    const name = file.replace(/^.*\//, "").replace(/\.ya?ml$/, "");
    return { file, text, name, parsed: readOne({ name, text, file }) };
  });
}

/** All that is wrong with the environments of a fleet, file by file; none when a commit with these files may be taken. */
export function checkFleet(files: readonly FleetFile[]): Fault[] {
  const read = readEnvironmentFiles(files);
  return [
    ...read.flatMap(({ parsed }) => parsed.errors ?? []),
    ...twice(read),
    ...unknownAfter(read),
    ...unknownBorrow(read),
    ...circleOfAfter(read),
  ];
}

function readOne({ name, text, file }: { name: string; text: string; file: string }): Parsed<EnvironmentFile> {
  if (name !== "builds") return parseEnvironment(name, text, file);
  const message = "`builds` names the secrets of build jobs and cannot be an environment";
  const place = { file, line: 1, column: 1 };
  return { errors: [{ code: "environment.not-supported", message, place, fix: "Rename the file." }], warnings: [] };
}

function twice(read: readonly ReadEnvironment[]): Fault[] {
  return read.flatMap(({ name, file }, index) => {
    const first = read.findIndex((each) => each.name === name);
    if (first === index) return [];
    const message = `the environment \`${name}\` is in ${read[first]?.file} already`;
    return [{ code: "environment.twice" as const, message, place: { file, line: 1, column: 1 }, fix: "Remove one." }];
  });
}

function unknownAfter(read: readonly ReadEnvironment[]): Fault[] {
  const names = new Set(read.map(({ name }) => name).filter((name) => name !== previewTemplate));
  return read.flatMap((each) => {
    const after = each.parsed.value?.after;
    if (after === undefined || names.has(after)) return [];
    const message = `there is no environment \`${after}\` that this one could come after`;
    const fix = `Add environments/${after}.yml, or correct \`after\`.`;
    return [{ code: "environment.unknown" as const, message, place: placeOfAfter(each), fix }];
  });
}

function unknownBorrow(read: readonly ReadEnvironment[]): Fault[] {
  const names = new Set(read.map(({ name }) => name).filter((name) => name !== previewTemplate));
  return read.flatMap((each) => {
    const borrow = each.parsed.value?.preview?.borrow;
    if (borrow === undefined || names.has(borrow)) return [];
    const message = `there is no environment \`${borrow}\` whose services pull requests could use`;
    const fix = `Add environments/${borrow}.yml, or correct \`borrow\`.`;
    return [{ code: "environment.unknown" as const, message, place: placeIn(each, ["borrow"]), fix }];
  });
}

function circleOfAfter(read: readonly ReadEnvironment[]): Fault[] {
  const after = new Map(
    read.map(({ name, parsed }) => [name, parsed.value?.after === undefined ? [] : [parsed.value.after]]),
  );
  const circle = findCircle(after);
  const first = read.find(({ name }) => name === circle?.[0]);
  if (!circle || !first) return [];
  const message = `the environments come after each other in a circle: ${circle.join(" after ")}`;
  return [{ code: "environment.cycle", message, place: placeOfAfter(first), fix: "Remove one `after`." }];
}

const placeOfAfter = (file: FleetFile) => placeIn(file, ["after"]);

function placeIn({ file, text }: FleetFile, path: Path): Fault["place"] {
  const { value } = readYaml(file, text);
  return value ? placeOf(value, path) : { file, line: 1, column: 1 };
}

/** The encrypted values of the files that can be read, and what to say of one that cannot be opened. */
export function sealedSecrets(files: readonly FleetFile[]): { text: string; fault: () => Fault }[] {
  return readEnvironmentFiles(files).flatMap((each) =>
    Object.entries(each.parsed.value?.secrets ?? {}).flatMap(([service, values]) =>
      Object.entries(values).map(([name, text]) => {
        const path = service === "*" ? ["secrets", name] : ["services", service, "secrets", name];
        return { text, fault: () => foreignSecret(name, placeIn(each, path)) };
      }),
    ),
  );
}

function foreignSecret(name: string, place: Fault["place"]): Fault {
  const message = `the secret \`${name}\` is encrypted to another key than this installation's, or spoilt`;
  return { code: "environment.foreign-secret", message, place, fix: "Encrypt it again: `towline secret encrypt`." };
}
