import { refuse } from "#api/errors.ts";
import { accepted, CommandRefused, print, printJson, table, tell } from "../output.ts";
import { type BaseImageName, baseImageNames } from "../../tools/base-images/catalogue.ts";
import { type BaseImageRow, ensureBaseImages, tagAsOfficial } from "../../tools/base-images/ensure.ts";

export interface BaseImagesFlags {
  /** Tag them with the names of the official images too. */
  tagAs?: boolean;
  json?: boolean;
}

/** Makes sure of the base images (all when none is named) and reports size and time of each. */
export async function prepareBaseImages(flags: BaseImagesFlags, names: string[]): Promise<void> {
  const chosen = names.length > 0 ? names.map(known) : baseImageNames;
  const rows = accepted(await ensureBaseImages(chosen, { log: tell }));
  if (flags.tagAs) await tagAsOfficial(chosen);
  if (flags.json) printJson({ ok: true, images: rows });
  else print(table(["IMAGE", "VERSION", "HOW", "SIZE", "TIME"], rows.map(cells)));
}

function known(name: string): BaseImageName {
  const found = baseImageNames.find((each) => each === name);
  if (found) return found;
  const fix = `There are ${baseImageNames.join(", ")}.`;
  throw new CommandRefused(refuse("request.invalid", `There is no base image ${name}.`, { fix }));
}

function cells({ image, version, source, bytes, milliseconds }: BaseImageRow): string[] {
  return [image, version, source, `${Math.round(bytes / 1e6)} MB`, `${(milliseconds / 1000).toFixed(1)} s`];
}
