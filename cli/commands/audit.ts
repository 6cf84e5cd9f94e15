import { accepted, print, printJson, table } from "../output.ts";
import { openClient, type SessionFlags } from "../session.ts";

export interface AuditFlags extends SessionFlags {
  json?: boolean;
  name?: string;
  actor?: string;
  limit: string;
}

/** Who did what, newest first. */
export async function showAudit(flags: AuditFlags): Promise<void> {
  const client = await openClient(flags);
  const { name, actor, limit } = flags;
  const { entries } = accepted(await client.listAudit({ query: { name, actor, limit: Number(limit) } }));
  if (flags.json) return printJson({ entries });
  const rows = entries.map((each) => [each.at, each.actor ?? "–", each.name, factsText(each.facts)]);
  print(table(["AT", "WHO", "WHAT", "FACTS"], rows));
}

function factsText(facts: Record<string, unknown>): string {
  const texts = Object.entries(facts).map(
    ([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  return texts.join(" ").slice(0, 200);
}
