/** Environments are files in the repository `fleet`; what this ends is what a file that is gone has left. */
import { ask } from "../prepare.ts";
import { accepted, print, printJson } from "../output.ts";
import { openClient, type SessionFlags } from "../session.ts";

export async function removeEnvironment(
  flags: SessionFlags & { json?: boolean; yes?: boolean },
  environment: string,
): Promise<void> {
  const client = await openClient(flags);
  if (!flags.yes && !(await ask(`End all services of ${environment}?`, true))) return;
  const answer = accepted(await client.removeEnvironment({ params: { environment } }));
  if (flags.json) return printJson(answer);
  print(`${answer.services.join(", ")} of ${environment} end now; the data of its backing services stays`);
}
