import { accepted, age, paint, print, printJson, shortCommit, table } from "../output.ts";
import { openClient, type SessionFlags } from "../session.ts";

type Flags = SessionFlags & { json?: boolean };

const versionText = (number: string) => (/^[0-9a-f]{40}$/.test(number) ? shortCommit(number) : number);

export async function listContracts(flags: Flags, of?: string): Promise<void> {
  const client = await openClient(flags);
  const { contracts } = accepted(await client.listContracts({ query: of === undefined ? {} : { of } }));
  if (flags.json) return printJson({ contracts });
  const rows = contracts.map(({ consumer, provider, version, publishedAt, result }) => [
    ...[consumer, provider, versionText(version), age(publishedAt)],
    result
      ? `${result.success ? paint("green", "kept") : paint("red", "not kept")} by ${versionText(result.version)}`
      : "not verified",
  ]);
  print(table(["CONSUMER", "PROVIDER", "VERSION", "AGE", "RESULT"], rows));
}

export async function diffContract(
  flags: Flags & { from?: string; to?: string },
  consumer: string,
  provider: string,
): Promise<void> {
  const client = await openClient(flags);
  const { from, to } = flags;
  const chosen = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
  const diff = accepted(await client.diffContract({ query: { consumer, provider, ...chosen } }));
  if (flags.json) return printJson(diff);
  print(paint("bold", `${consumer} with ${provider}: ${versionText(diff.from)} → ${versionText(diff.to)}`));
  for (const { interaction, change, path, before, after } of diff.changes)
    print(`  ${interaction}: ${path === "" ? change : `${path}: ${before ?? "–"} → ${after ?? "–"}`}`);
  if (diff.changes.length === 0) print("  they say the same");
}

export async function listFieldUses(flags: Flags, provider: string, field: string): Promise<void> {
  const client = await openClient(flags);
  const { uses } = accepted(await client.listFieldUses({ query: { provider, field } }));
  if (flags.json) return printJson({ uses });
  if (uses.length === 0) return print(`no contract says anything of ${field}`);
  const rows = uses.map(({ consumer, version, environments, interaction, side, path }) => [
    ...[consumer, versionText(version), environments.join(", ") || "–", interaction],
    `${side} ${path}`,
  ]);
  print(table(["CONSUMER", "VERSION", "SERVES IN", "INTERACTION", "FIELD"], rows));
}
