import { join, resolve, sep } from "node:path";
import type { Artifact } from "#api/endpoints/build-records.ts";
import { isRefusal, refuse } from "#api/errors.ts";
import { fetchArtifact } from "#client/content.ts";
import { accepted, age, CommandRefused, print, printJson, table } from "../output.ts";
import { openClient, readSession } from "../session.ts";
import { writeChecked } from "../write-checked.ts";
import { type BuildFlags, findBuild } from "./build.ts";

export interface ArtifactFlags extends BuildFlags {
  download?: string;
  to?: string;
}

/** Lists what the jobs of a build kept; with `--download` fetches what the glob finds. */
export async function buildArtifacts(flags: ArtifactFlags, repository: string, number?: string): Promise<void> {
  const client = await openClient(flags);
  const { id } = await findBuild(client, { ...flags, repository, number });
  const query = { query: flags.download ?? "**", step: flags.step };
  const { artifacts } = accepted(await client.listArtifacts({ params: { id }, query }));
  if (flags.download !== undefined) return download(flags, artifacts);
  if (flags.json) return printJson({ artifacts });
  const rows = artifacts.map(({ path, size, step, createdAt }) => [path, String(size), step, age(createdAt)]);
  print(table(["PATH", "BYTES", "STEP", "AGE"], rows));
}

async function download(flags: ArtifactFlags, artifacts: readonly Artifact[]): Promise<void> {
  if (artifacts.length === 0)
    throw new CommandRefused(refuse("not-found", `no artifact of the build is found by ${flags.download}`));
  const session = await readSession(flags);
  const fetched: string[] = [];
  for (const artifact of artifacts) {
    const path = placeFor(resolve(flags.to ?? "."), artifact.path);
    await fetchTo(session, artifact, path);
    fetched.push(path);
    if (!flags.json) print(path);
  }
  if (flags.json) printJson({ fetched });
}

/** The server takes no path that leads elsewhere; this folder is guarded here all the same. */
function placeFor(folder: string, path: string): string {
  const place = join(folder, path);
  if (place.startsWith(folder === sep ? sep : folder + sep)) return place;
  throw new CommandRefused(refuse("artifact.invalid", `${JSON.stringify(path)} leads out of ${folder}`));
}

async function fetchTo(session: Awaited<ReturnType<typeof readSession>>, artifact: Artifact, path: string) {
  const bytes = await fetchArtifact(session, { id: artifact.id, at: 0 }, new AbortController().signal);
  if (isRefusal(bytes)) throw new CommandRefused(bytes);
  await writeChecked(path, { bytes, digest: artifact.digest, what: artifact.path });
}
