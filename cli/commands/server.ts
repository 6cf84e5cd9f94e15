import { paint, tell } from "../output.ts";
import { openServer } from "../platform.ts";
import { untilSignal } from "../signals.ts";

/** The control plane alone; agents join from elsewhere. */
export async function runServer(): Promise<void> {
  await using server = await openServer(process.env);
  welcome(server);
  await untilSignal();
  tell("stopping: what is at work is finished or handed over; balancer and instances go on serving");
}

/** Where it serves and, on the first start, the admin's token. */
export function welcome({ url, adminToken }: { url: string; adminToken: string | undefined }): void {
  tell(`${paint("green", "✓", process.stderr)} Towline serves at ${url}`);
  if (!adminToken) return;
  tell("  This is the first start. The admin's token, shown this one time:");
  tell(`  ${adminToken}`);
  tell(`  towline login --url ${url} --token <token>`);
}
