/** Packages of an image, and the licences their databases name. */

export const packageTypes = ["deb", "apk", "npm", "pypi", "gem"] as const;
export type PackageType = (typeof packageTypes)[number];

export interface Package {
  type: PackageType;
  /** Scope of an npm package, with its `@`; of the others the system fills it in. */
  namespace?: string;
  name: string;
  version: string;
  arch?: string;
  /** As the database has them: SPDX identifiers, expressions, or words. */
  licences: string[];
}

/** What a distribution calls itself in `/etc/os-release`. */
export interface System {
  id: string;
  version: string | undefined;
}

const longestName = 300;
const mostLicences = 20;

/** Undefined where it has no name or version; what is too long for either is no package. */
export function packageOf(found: Omit<Package, "licences"> & { licences?: readonly string[] }): Package | undefined {
  const { name, version, licences = [] } = found;
  if (name === "" || version === "" || name.length > longestName || version.length > longestName) return undefined;
  const named = licences.map((each) => each.trim()).filter((each) => each !== "" && each.length <= longestName);
  return { ...found, licences: [...new Set(named)].slice(0, mostLicences) };
}
