/** The bill of materials of an image, as CycloneDX 1.6 in JSON. */
import { PackageURL } from "packageurl-js";
import { z } from "zod";
import { type LicenceChoice, licenceChoices, licenceText } from "./licence.ts";
import type { Package, System } from "./packages.ts";

export const bomType = "application/vnd.cyclonedx+json";

export interface BomFacts {
  /** Path in the registry. */
  image: string;
  digest: string;
  service: string;
  release: number;
  /** ISO time: of the release, so that the document is the same however often it is made. */
  at: string;
  /** 32 hex digits that differ for every document. */
  serial: string;
  /** Version of Towline. */
  by: string;
}

export function renderBom(packages: readonly Package[], system: System | undefined, facts: BomFacts): string {
  const components = new Map<string, object>();
  for (const each of packages) {
    const purl = purlOf(each, system);
    const { namespace, name, version, licences } = each;
    const licenses = licenceChoices(licences);
    components.set(purl, {
      type: "library",
      "bom-ref": purl,
      ...(namespace ? { group: namespace } : {}),
      name,
      version,
      ...(licenses.length > 0 ? { licenses } : {}),
      purl,
    });
  }
  const sorted = [...components].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, component]) => component);
  return JSON.stringify({
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(facts.serial)}`,
    version: 1,
    metadata: metadataOf(facts, system),
    components: sorted,
  });
}

function metadataOf({ image, digest, service, release, at, by }: BomFacts, system: System | undefined) {
  const purl = new PackageURL("oci", undefined, image.split("/").at(-1) ?? image, digest).toString();
  const facts = { "towline:service": service, "towline:release": String(release), ...systemFacts(system) };
  return {
    timestamp: at,
    tools: { components: [{ type: "application", name: "towline", version: by }] },
    component: { type: "container", "bom-ref": purl, name: image, version: digest, purl },
    properties: Object.entries(facts).map(([name, value]) => ({ name, value })),
  };
}

const systemFacts = (system: System | undefined) =>
  system ? { "towline:system": [system.id, system.version].filter(Boolean).join(" ") } : {};

/** Its address in the world's packages. */
export function purlOf({ type, namespace, name, version, arch }: Package, system: System | undefined): string {
  const ofSystem = type === "deb" || type === "apk";
  const space = ofSystem ? (system?.id ?? (type === "deb" ? "debian" : "alpine")) : namespace;
  const qualifiers: Record<string, string> = {};
  if (arch) qualifiers["arch"] = arch;
  if (ofSystem && system?.version) qualifiers["distro"] = `${system.id}-${system.version}`;
  const some = Object.keys(qualifiers).length > 0 ? qualifiers : undefined;
  return new PackageURL(type, space, name, version, some).toString();
}

function uuidOf(hex: string): string {
  const marked = `${hex.slice(0, 12)}8${hex.slice(13, 16)}8${hex.slice(17, 32)}`;
  return [marked.slice(0, 8), marked.slice(8, 12), marked.slice(12, 16), marked.slice(16, 20), marked.slice(20)].join(
    "-",
  );
}

/** A package as a document names it. */
export interface Listed {
  type: string;
  /** With the scope of an npm package. */
  name: string;
  version: string;
  licences: string[];
  purl: string;
}

const choice: z.ZodType<LicenceChoice> = z.union([
  z.object({ expression: z.string() }),
  z.object({ license: z.union([z.object({ id: z.string() }), z.object({ name: z.string() })]) }),
]);
const documentShape = z.object({
  bomFormat: z.literal("CycloneDX"),
  components: z.array(
    z.object({
      name: z.string(),
      group: z.string().default(""),
      version: z.string().default(""),
      purl: z.string().default(""),
      licenses: z.array(choice).default([]),
    }),
  ),
});

/** The packages of a document; undefined when it is none. */
export function readBom(document: unknown): Listed[] | undefined {
  const { data } = documentShape.safeParse(document);
  return data?.components.map(({ name, group, version, purl, licenses }) => ({
    type: /^pkg:([a-z]+)\//.exec(purl)?.[1] ?? "",
    name: group === "" ? name : `${group}/${name}`,
    version,
    licences: licenses.map(licenceText),
    purl,
  }));
}
