import type { CallOutput } from "#api/endpoint.ts";
import type { imageEndpoints } from "#api/endpoints/images.ts";
import { accepted, bytes, paint, print, table } from "../output.ts";
import { openClient, type SessionFlags } from "../session.ts";

type Part = CallOutput<typeof imageEndpoints.scrubImages>;
type Hurt = Part["hurt"][number];

export interface Scrub {
  checked: Part["checked"];
  hurt: Hurt[];
}

/** A single blob of many gigabytes is read in one part. */
const partTimeoutMs = 600_000;

/** Has the server read every blob of the image registry, part by part. */
export async function scrub(flags: SessionFlags): Promise<Scrub> {
  const client = await openClient(flags);
  const whole: Scrub = { checked: { blobs: 0, bytes: 0 }, hurt: [] };
  let after: string | null = "";
  while (after !== null) {
    const part: Part = accepted(await client.scrubImages({ body: { after } }, { timeoutMs: partTimeoutMs }));
    whole.checked.blobs += part.checked.blobs;
    whole.checked.bytes += part.checked.bytes;
    whole.hurt.push(...part.hurt);
    showProgress(whole.checked, part);
    after = part.next;
  }
  return whole;
}

/** One line on a terminal, written over each time. */
function showProgress(checked: Part["checked"], { total, next }: Part): void {
  if (!process.stderr.isTTY) return;
  const share = Math.floor((100 * checked.bytes) / Math.max(1, total.bytes));
  const line = `reading the images: ${Math.min(share, 100)} % of ${bytes(total.bytes)}, ${checked.blobs} of ${total.blobs} blobs`;
  process.stderr.write(`\r\u001b[2K${next === null ? "" : line}`);
}

export function showScrub({ checked, hurt }: Scrub): void {
  const found = `${checked.blobs} blobs of the image registry read, ${bytes(checked.bytes)}`;
  if (hurt.length === 0) return print(`${paint("green", "✓")} ${found}: all are what their digests say`);
  print(`${paint("red", "✗")} ${found}:`);
  print(table(["BLOB", "WHAT", "NEEDED BY", "WHAT TO DO"], hurt.map(row)));
}

/** Whether something cannot be pulled: a stray hurts nobody. */
export const isHurt = ({ hurt }: Scrub): boolean => hurt.some(({ what }) => what !== "stray");

function row({ digest, size, what, found, leads }: Hurt): string[] {
  const said = {
    missing: "is not on the disk",
    size: `has ${found} bytes, not ${size}`,
    content: "is not what its digest says",
    stray: "is in no repository",
  };
  return [digest.replace(/^(sha\d+:.{12}).*$/, "$1"), said[what], neededBy(leads), wayOut(what, digest)];
}

function neededBy(leads: Hurt["leads"]): string {
  return leads
    .map(({ repository, tags, heldBy }) => [repository, ...tags.map((tag) => `:${tag}`), ...heldBy].join(" "))
    .join(", ");
}

function wayOut(what: Hurt["what"], digest: string): string {
  if (what === "stray") return "nothing: the hourly sweep removes it";
  const [algorithm = "", hex = ""] = digest.split(":");
  return `push the image again, or copy blobs/${algorithm}/${hex.slice(0, 2)}/${hex} from a backup and scrub again`;
}
