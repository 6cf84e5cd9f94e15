import type { HealthRow } from "#api/endpoints/health.ts";
import { isRefusal } from "#api/errors.ts";
import { readConfig } from "#kernel/config.ts";
import { accepted, paint, print, printJson, table } from "../output.ts";
import { examineHost } from "../../tools/host/doctor.ts";
import { isHurt, scrub, showScrub } from "./scrub.ts";
import { openClient, readSession, type SessionFlags } from "../session.ts";

const marks = { good: paint("green", "✓"), warning: paint("yellow", "!"), bad: paint("red", "✗") };

interface DoctorFlags extends SessionFlags {
  json?: boolean;
  scrub?: boolean;
}

/**
 * Examines this machine, the connection to the server and, where asked, every blob of its image registry; exit status 1 when
 * something would stop Towline, or a blob is damaged.
 */
export async function examine(flags: DoctorFlags): Promise<void> {
  const config = accepted(readConfig(process.env));
  const rows = [...(await examineHost(config.home)), ...(await examineServer(flags))];
  const scrubbed = flags.scrub ? await scrub(flags) : undefined;
  if (flags.json) printJson({ rows, ...(scrubbed ? { scrub: scrubbed } : {}) });
  else {
    print(
      table(
        ["", "WHAT", "FOUND", "WHAT TO DO"],
        rows.map(({ name, verdict, found, fix }) => [marks[verdict], name, found, fix ?? ""]),
      ),
    );
    if (scrubbed) showScrub(scrubbed);
  }
  if (rows.some(({ verdict }) => verdict === "bad") || (scrubbed && isHurt(scrubbed))) process.exitCode = 1;
}

/** No server is only a warning: the machine is examined before one is started, too. */
async function examineServer(flags: SessionFlags): Promise<HealthRow[]> {
  const { url } = await readSession(flags);
  const client = await openClient(flags);
  const user = await client.whoAmI({}, { timeoutMs: 5_000 });
  if (isRefusal(user))
    return [{ name: "server", verdict: "warning", found: user.message, fix: user.fix ?? "towline login" }];
  const server: HealthRow = { name: "server", verdict: "good", found: `${url} as ${user.name} (${user.role})` };
  const health = await client.showHealth({}, { timeoutMs: 20_000 });
  if (isRefusal(health)) return [server, { name: "platform", verdict: "warning", found: health.message }];
  return [server, ...health.platform];
}
