import type { ActivityKind } from "#api/activity-kinds.ts";
import { accepted, print, printJson, table } from "../output.ts";
import { openClient, type SessionFlags } from "../session.ts";

export interface AuditFlags extends SessionFlags {
  json?: boolean;
  /** Others are refused by the server, which names those that there are. */
  kind?: ActivityKind;
  name?: string;
  actor?: string;
  limit: string;
}

/** Who did what, newest first. */
export async function showAudit(flags: AuditFlags): Promise<void> {
  const client = await openClient(flags);
  const { kind, name, actor, limit } = flags;
  const { entries } = accepted(await client.listAudit({ query: { kind, name, actor, limit: Number(limit) } }));
  if (flags.json) return printJson({ entries });
  print(
    table(
      ["AT", "WHAT HAPPENED", "EVENT"],
      entries.map((each) => [each.at, each.sentence, each.name]),
    ),
  );
}
