/** What `environments/preview.yml` says besides: it is the template of an environment for each open pull request. */
import { z } from "zod";
import { environmentName } from "#api/names.ts";
import type { WrittenEnvironment } from "./environment-shape.ts";
import type { Fault } from "./fault.ts";
import { type Located, placeOf } from "./text/located.ts";

/** The file by this name, without `.yml`, is the template. */
export const previewTemplate = "preview";

export const previewSchema = z.object({
  /** Services that the pull request does not bring are those of this environment. */
  borrow: environmentName,
  /** Milliseconds after its newest release until it ends. */
  keep: z.int().positive(),
  /** How many stand at once. */
  most: z.int().positive(),
});
export type PreviewRules = z.output<typeof previewSchema>;

const defaultKeep = 3 * 24 * 60 * 60 * 1000;
const defaultMost = 5;

/** `preview-7` and no other form. */
export function isPreview(environment: string): boolean {
  return /^preview-[1-9][0-9]{0,8}$/.test(environment);
}

export function completePreview({ borrow, keep, most }: WrittenEnvironment): PreviewRules | undefined {
  return borrow === undefined ? undefined : { borrow, keep: keep ?? defaultKeep, most: most ?? defaultMost };
}

/** Keys of the template that no other environment has, and the other way round. */
const ofPreviews = ["borrow", "keep", "most"] as const;
const ofOthers = ["domain", "after", "promotion", "sign-offs"] as const;

export function previewFaults(name: string, written: WrittenEnvironment, root: Located): Fault[] {
  if (name.startsWith(`${previewTemplate}-`)) return [reserved(name, root)];
  const isTemplate = name === previewTemplate;
  const wrong = (isTemplate ? ofOthers : ofPreviews).filter((key) => written[key] !== undefined);
  const faults = wrong.map((key): Fault => {
    const message = isTemplate
      ? `\`${key}\` has no meaning for environments of pull requests`
      : `\`${key}\` is only for environments/${previewTemplate}.yml`;
    return { code: "shape.wrong-value", message, place: placeOf(root, [key]), fix: `remove \`${key}\`` };
  });
  return isTemplate && written.borrow === undefined ? [...faults, withoutBorrow(root)] : faults;
}

function withoutBorrow(root: Located): Fault {
  const message = "it is not said whose services a pull request uses that it does not bring itself";
  return { code: "shape.missing-key", message, place: placeOf(root, []), fix: "add `borrow: test`" };
}

function reserved(name: string, root: Located): Fault {
  const message = `\`${name}\` is a name for the environments of pull requests`;
  return { code: "shape.wrong-value", message, place: placeOf(root, []), fix: "rename the file" };
}
