/** What is attested of releases: made, checked, and the packages that it lists. */
import type { CallOutput } from "#api/endpoint.ts";
import { refuse } from "#api/errors.ts";
import type { attestationEndpoints } from "#api/endpoints/attestations.ts";
import type { Client } from "#client/client.ts";
import { accepted, bytes, CommandRefused, paint, print, printJson, table } from "../output.ts";
import { openClient, type SessionFlags } from "../session.ts";

type Flags = SessionFlags & { json?: boolean };
type Image = CallOutput<(typeof attestationEndpoints)["showReleaseImage"]>;
type Params = { service: string; number: string };

/** The one that signs, an older one by the beginning of its id, or a table of all. */
export async function showKey(flags: Flags & { all?: boolean }, wanted?: string): Promise<void> {
  const current = accepted(await (await openClient(flags)).showAttestationKey({}));
  if (flags.json) return printJson(current);
  const keys = [current, ...current.older];
  if (flags.all) {
    const rows = keys.map(({ id, createdAt, retiredAt }) => [id.slice(0, 16), createdAt, retiredAt ?? "signs"]);
    return print(table(["KEY", "MADE", "REPLACED"], rows));
  }
  const found = wanted === undefined ? [current] : keys.filter(({ id }) => id.startsWith(wanted));
  const [key] = found;
  if (found.length !== 1 || !key) {
    const fix = "towline release key --all lists them.";
    throw new CommandRefused(refuse("not-found", `${found.length} keys begin with ${wanted}`, { fix }));
  }
  process.stdout.write(key.publicKey);
}

export async function rotateKey(flags: Flags): Promise<void> {
  const client = await openClient(flags);
  const answer = accepted(await client.rotateAttestationKey({}));
  if (flags.json) return printJson(answer);
  print(`releases are signed with key ${answer.id.slice(0, 16)} from now on`);
  if (answer.before === null) return;
  print(`what ${answer.before.slice(0, 16)} signed counts on; its private half is gone`);
  print("to sign a release anew: towline release attest <service> <number>");
}

export async function attestRelease(flags: Flags, service: string, number: string): Promise<void> {
  const client = await openClient(flags);
  const answer = accepted(await client.attestRelease({ params: { service, number } }));
  if (flags.json) return printJson(answer);
  print(`${service} #${number} is attested again; towline release verify ${service} ${number} says how it went`);
}

/** Ends with 1 when something is missing or wrong. */
export async function verifyRelease(flags: Flags, service: string, number: string): Promise<void> {
  const client = await openClient(flags);
  const found = accepted(await client.verifyRelease({ params: { service, number } }));
  const { attestation, provenance, checks } = found;
  if (checks.some(({ ok }) => !ok)) process.exitCode = 1;
  if (flags.json) return printJson(found);
  print(`${paint("bold", `${service} #${number}`)} ${found.image}@${found.digest}`);
  for (const { what, ok, key, reason } of checks) {
    const by = key === null ? "" : paint("dim", `  by key ${key.slice(0, 16)}`);
    print(`  ${ok ? paint("green", "✓") : paint("red", "✗")} ${what}: ${reason}${by}`);
  }
  if (provenance) {
    const { repository, commit, branch, number: build, agent, startedAt, finishedAt } = provenance;
    print(
      `  built of ${repository} ${branch ?? ""} ${commit ?? ""}, build ${build === null ? provenance.build : `#${build}`}`,
    );
    print(`  by ${provenance.builder}${agent ? `, agent ${agent}` : ""}, ${startedAt ?? "?"} to ${finishedAt ?? "?"}`);
  }
  if (attestation.state === "waiting") print("  it is being made: ask again in a moment");
  if (attestation.state === "failed") print(`  it could not be made: ${attestation.reason ?? ""}`);
  if (attestation.state === "none") print(`  nobody has made it: towline release attest ${service} ${number}`);
}

/** One line about the image, for the page of a release. */
export function imageLine({ size, layers, packageCount, attestation, changes, previous }: Image): string {
  const packages =
    packageCount === null
      ? `packages not known (${attestation.reason ?? attestation.state})`
      : `${packageCount} packages`;
  const since =
    changes && `since #${previous}: +${changes.counts.added} −${changes.counts.removed} ~${changes.counts.changed}`;
  return [`image ${bytes(size)} in ${layers.length} layers`, packages, ...(since ? [since] : [])].join(", ");
}

/** Layers, packages with their licences, and what changed. */
export async function showImage(flags: Flags, client: Client, params: Params): Promise<void> {
  const image = accepted(await client.showReleaseImage({ params, query: { limit: 1000 } }));
  // The listing goes on behind the last that was shown.
  for (let last = image.packages.at(-1); last;) {
    const query = { limit: 1000, after: last.purl };
    const more = accepted(await client.showReleaseImage({ params, query }));
    image.packages.push(...more.packages);
    last = more.packages.at(-1);
  }
  if (flags.json) return printJson(image);
  print(`${paint("bold", `${params.service} #${params.number}`)} ${imageLine(image)}`);
  for (const { digest, size, createdBy } of image.layers)
    print(`  ${digest.slice(0, 19)} ${bytes(size).padStart(8)}  ${paint("dim", createdBy ?? "")}`);
  for (const { name, version } of image.changes?.added ?? []) print(`  ${paint("green", "+")} ${name} ${version}`);
  for (const { name, version } of image.changes?.removed ?? []) print(`  ${paint("red", "−")} ${name} ${version}`);
  for (const { name, from, to } of image.changes?.changed ?? []) print(`  ~ ${name} ${from} → ${to}`);
  const rows = image.packages.map(({ type, name, version, licences }) => [type, name, version, licences.join(", ")]);
  print(table(["TYPE", "PACKAGE", "VERSION", "LICENCES"], rows));
}
