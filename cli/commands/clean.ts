import type { CallOutput } from "#api/endpoint.ts";
import type { deploymentEndpoints } from "#api/endpoints/deployments.ts";
import { accepted, bytes, paint, print, printJson, table } from "../output.ts";
import { openClient, type SessionFlags } from "../session.ts";

export interface CleanFlags extends SessionFlags {
  json?: boolean;
  plan?: boolean;
}

type Plan = CallOutput<typeof deploymentEndpoints.planCleaning>;
type Image = Plan["images"][number];

/** Removes the images that nothing needs, or only shows which would go and why the others stay. */
export async function clean(flags: CleanFlags): Promise<void> {
  const client = await openClient(flags);
  if (flags.plan) {
    const plan = accepted(await client.planCleaning({}));
    return flags.json ? printJson(plan) : showPlan(plan);
  }
  const { removed, freed } = accepted(await client.cleanImages({}, { timeoutMs: 600_000 }));
  if (flags.json) return printJson({ removed, freed });
  if (removed.length === 0) return print("Every image is needed: nothing was removed.");
  print(
    table(
      ["REMOVED", "SERVICE", "IMAGE"],
      removed.map(row).map(([, ...cells]) => cells.slice(0, 3)),
    ),
  );
  print(`${removed.length} images removed, ${bytes(freed)} came back; layers in the registry follow within a day`);
}

function showPlan({ rule, images, disk }: Plan): void {
  if (images.length > 0) print(table(["", "WHERE", "SERVICE", "IMAGE", "SIZE", "WHY"], images.map(row)));
  const going = images.filter(({ goes }) => goes);
  const size = going.reduce((sum, each) => sum + (each.bytes ?? 0), 0);
  print(`${going.length} of ${images.length} images may go, at most ${bytes(size)} on the host`);
  print(`in the registry: ${rule} (TOWLINE_KEEP_RELEASES)`);
  if (disk)
    print(
      `${bytes(disk.free)} are free; below ${bytes(disk.mark)} they go at once, below ${bytes(disk.floor)} nothing new is deployed`,
    );
}

function row({ goes, place, service, name, bytes: size, why }: Image): string[] {
  const mark = goes ? paint("yellow", "goes") : paint("green", "stays");
  return [mark, place, service, shortened(name), size === null ? "" : bytes(size), why];
}

/** `orders@sha256:0123456789ab` of a whole name. */
function shortened(name: string): string {
  return name.replace(/^[^/]*\//, "").replace(/(@sha256:[0-9a-f]{12})[0-9a-f]*$/, "$1");
}
