/** Closes the route of a service for a while, and opens it again. */
import { refuse } from "#api/errors.ts";
import { duration } from "#pipeline/text/values.ts";
import { accepted, CommandRefused, print, printJson } from "../output.ts";
import { openClient, type SessionFlags } from "../session.ts";

interface Flags extends SessionFlags {
  json?: boolean;
  for?: string;
  reason?: string;
}

type Arguments = [flags: Flags, how: string, service: string, environment: string];

export const setMaintenance = (...given: Arguments): Promise<void> => setMode("maintenance", given);
export const setPause = (...given: Arguments): Promise<void> => setMode("paused", given);

async function setMode(closed: "maintenance" | "paused", [flags, how, service, environment]: Arguments): Promise<void> {
  if (how !== "on" && how !== "off") throw new CommandRefused(refuse("request.invalid", `write on or off, not ${how}`));
  const mode: "open" | "maintenance" | "paused" = how === "on" ? closed : "open";
  const body = { mode, ...(mode === "open" ? {} : { seconds: secondsOf(flags) }), reason: flags.reason };
  const client = await openClient(flags);
  const answer = accepted(await client.setRouteMode({ params: { service, environment }, body }));
  if (flags.json) return printJson(answer);
  const what = `${service} in ${environment}`;
  print(answer.until === null ? `${what} is open` : `${what} is ${wordOf[closed]} until ${answer.until}`);
}

const wordOf = { maintenance: "in maintenance", paused: "paused" };

function secondsOf({ for: time = "" }: Flags): number {
  const parsed = duration.safeParse(time);
  if (parsed.success) return Math.max(1, Math.round(parsed.data / 1000));
  throw new CommandRefused(refuse("request.invalid", `--for ${time}: ${parsed.error.issues[0]?.message ?? ""}`));
}
