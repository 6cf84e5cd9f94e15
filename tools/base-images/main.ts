/** `./towline base-images [names…]`: makes sure of the base images and reports size and time of each. */
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import { baseImageNames, type BaseImageName } from "./catalogue.ts";
import { type BaseImageRow, ensureBaseImages, tagAsOfficial } from "./ensure.ts";

export interface BaseImagesOptions {
  /** Which; all when empty. */
  names: string[];
  /** Tag them with the official names too. */
  tagAs?: boolean;
  /** One line of JSON instead of a table. */
  json?: boolean;
}

/** Prints the report on standard output and progress on standard error; answers a refusal for the caller to show. */
export async function baseImagesCommand(options: BaseImagesOptions): Promise<Refusal | undefined> {
  const names = options.names.length > 0 ? options.names : baseImageNames;
  const unknown = names.find((name) => !(baseImageNames as string[]).includes(name));
  if (unknown !== undefined)
    return refuse("request.invalid", `There is no base image ${unknown}.`, {
      fix: `Known: ${baseImageNames.join(", ")}.`,
    });
  const known = names as BaseImageName[];
  const rows = await ensureBaseImages(known, { log: (line) => process.stderr.write(`${line}\n`) });
  if (isRefusal(rows)) return rows;
  if (options.tagAs) await tagAsOfficial(known);
  process.stdout.write(options.json ? `${JSON.stringify({ ok: true, images: rows })}\n` : table(rows));
  return undefined;
}

function table(rows: BaseImageRow[]): string {
  const head = ["image", "version", "how", "size", "time"];
  const cells = rows.map((row) => [
    row.image,
    row.version,
    row.source,
    `${(row.bytes / 1e6).toFixed(0)} MB`,
    `${(row.milliseconds / 1000).toFixed(1)} s`,
  ]);
  const widths = head.map((_, at) => Math.max(...[head, ...cells].map((line) => line[at]?.length ?? 0)));
  const lines = [head, ...cells].map((line) =>
    line
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}
