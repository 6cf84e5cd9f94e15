/** Services are files in repositories; what this ends is what a file that is gone has left. */
import { ask } from "../prepare.ts";
import { accepted, print, printJson } from "../output.ts";
import { openClient, type SessionFlags } from "../session.ts";

export async function removeService(
  flags: SessionFlags & { json?: boolean; yes?: boolean },
  service: string,
): Promise<void> {
  const client = await openClient(flags);
  if (!flags.yes && !(await ask(`End ${service} in all environments?`, true))) return;
  const answer = accepted(await client.removeService({ params: { service } }));
  if (flags.json) return printJson(answer);
  print(`${service} ends now in ${answer.environments.join(", ")}`);
}
