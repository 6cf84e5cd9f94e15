import { tell } from "../output.ts";
import { startPlatform } from "../platform.ts";
import { prepareHost, type PrepareFlags } from "../prepare.ts";
import { untilSignal } from "../signals.ts";
import { welcome } from "./server.ts";

export async function runUp(flags: PrepareFlags): Promise<void> {
  await prepareHost(flags);
  await using platform = await startPlatform(process.env);
  welcome(platform);
  await untilSignal();
  tell("stopping: what is at work is finished or handed over; balancer and instances go on serving");
}
