import { accepted, paint, print, printJson } from "../output.ts";
import { openClient, type SessionFlags } from "../session.ts";

/** The last lines of what serves. */
export async function instanceLogs(
  flags: SessionFlags & { json?: boolean; lines: string },
  service: string,
  environment: string,
): Promise<void> {
  const client = await openClient(flags);
  const { instances } = accepted(
    await client.instanceLogs({ params: { service, environment }, query: { lines: Number(flags.lines) } }),
  );
  if (flags.json) return printJson({ instances });
  for (const { instance, state, lines } of instances) {
    print(paint("bold", `── ${instance} (${state})`));
    lines.forEach((line) => print(line));
  }
}
