/** The package databases found in images, each as a function from a file's text to packages. */
import { z } from "zod";
import { type Package, packageOf, type System } from "./packages.ts";
import { fieldsOf, first, paragraphsOf } from "./paragraphs.ts";

type Read = (text: string) => (Package | undefined)[];

const megabyte = 1024 * 1024;

interface Database {
  /** Which files it is in: paths without a leading slash. `lib` may be a link to `usr/lib`. */
  path: RegExp;
  /** Bytes of a file at most: what is larger is not read, and the image counts as unreadable. */
  largest: number;
  read: Read;
}

export const databases: readonly Database[] = [
  { path: /^var\/lib\/dpkg\/(status|status\.d\/[^/]+)$/, largest: 64 * megabyte, read: readDpkg },
  { path: /^(usr\/)?lib\/apk\/db\/installed$/, largest: 64 * megabyte, read: readApk },
  { path: /(^|\/)node_modules\/(@[^/]+\/)?[^/.@][^/]*\/package\.json$/, largest: megabyte, read: readNpm },
  { path: /\.(dist-info\/METADATA|egg-info\/PKG-INFO|egg-info)$/, largest: megabyte, read: readPython },
  { path: /(^|\/)specifications\/(default\/)?[^/]+\.gemspec$/, largest: megabyte, read: readGem },
];

/** The names of licences in `usr/share/doc/<package>/copyright`, where that is written for machines. */
export const copyrightPath = /^usr\/share\/doc\/([^/]+)\/copyright$/;
export const systemPath = /^(etc|usr\/lib)\/os-release$/;

function readDpkg(text: string) {
  return [...paragraphsOf(text)].map((lines) => {
    const fields = fieldsOf(lines);
    const status = first(fields, "status");
    // A package that was removed and left its settings is not there; without a status (distroless) it is.
    if (status !== "" && !status.endsWith(" installed")) return undefined;
    const [name, version] = [first(fields, "package"), first(fields, "version")];
    return packageOf({ type: "deb", name, version, ...arch(first(fields, "architecture")) });
  });
}

function readApk(text: string) {
  return [...paragraphsOf(text)].map((lines) => {
    const of = (letter: string) =>
      lines
        .find((line) => line.startsWith(`${letter}:`))
        ?.slice(2)
        .trim() ?? "";
    return packageOf({ type: "apk", name: of("P"), version: of("V"), ...arch(of("A")), licences: [of("L")] });
  });
}

const arch = (name: string) => (name === "" ? {} : { arch: name });

const licence = z.union([z.string(), z.object({ type: z.string() }).transform(({ type }) => type)]);
const packageJson = z.object({
  name: z.string(),
  version: z.string(),
  license: licence.optional().catch(undefined),
  licenses: z.array(licence).optional().catch(undefined),
});

function readNpm(text: string) {
  const { data } = packageJson.safeParse(parsedJson(text));
  if (!data) return [];
  const [, namespace, name = data.name] = /^(@[^/]+)\/([^/]+)$/.exec(data.name) ?? [];
  const licences = [...(data.license === undefined ? [] : [data.license]), ...(data.licenses ?? [])];
  return [packageOf({ type: "npm", ...(namespace ? { namespace } : {}), name, version: data.version, licences })];
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readPython(text: string) {
  const [lines = []] = paragraphsOf(text);
  const fields = fieldsOf(lines);
  // Names are equal whatever their case and dashes: the purl has one form of them.
  const name = first(fields, "name")
    .toLowerCase()
    .replace(/[-_.]+/g, "-");
  return [packageOf({ type: "pypi", name, version: first(fields, "version"), licences: pythonLicences(fields) })];
}

/** `License` may hold a whole text: then the classifiers tell. */
function pythonLicences(fields: Map<string, string[]>): string[] {
  const expression = first(fields, "license-expression");
  if (expression !== "") return [expression];
  const named = first(fields, "license");
  if (named !== "" && named !== "UNKNOWN" && named.length <= 100 && !named.includes("\n")) return [named];
  return (fields.get("classifier") ?? []).flatMap((each) => {
    const [, licence] = /^License :: (?:OSI Approved :: )?(.+)$/.exec(each) ?? [];
    return licence ? [licence] : [];
  });
}

function readGem(text: string) {
  const quoted = (pattern: RegExp) => pattern.exec(text)?.[1] ?? "";
  const name = quoted(/^\s*\w+\.name\s*=\s*["']([^"']+)["']/m);
  const version = quoted(/^\s*\w+\.version\s*=\s*(?:Gem::Version\.new\(?\s*)?["']([^"']+)["']/m);
  const list = quoted(/^\s*\w+\.licenses?\s*=\s*(\[[^\]]*\]|["'][^"']*["'])/m);
  const licences = [...list.matchAll(/["']([^"']+)["']/g)].map(([, each = ""]) => each);
  return [packageOf({ type: "gem", name, version, licences })];
}

/** Licences by their short names; none where the file is not in Debian's machine-readable form. */
export function readCopyright(text: string): string[] {
  if (!/^Format(-Specification)?:/im.test(text.slice(0, 1000))) return [];
  const named = [...text.matchAll(/^License:[ \t]*(\S.*)$/gm)].map(([, name = ""]) => name.trim());
  return packageOf({ type: "deb", name: "-", version: "-", licences: named })?.licences ?? [];
}

export function readSystem(text: string): System | undefined {
  const value = (name: string) => new RegExp(`^${name}=["']?([^"'\n]*)`, "m").exec(text)?.[1]?.trim() ?? "";
  const id = value("ID").toLowerCase();
  return /^[a-z0-9._-]{1,50}$/.test(id) ? { id, version: value("VERSION_ID").slice(0, 50) || undefined } : undefined;
}
