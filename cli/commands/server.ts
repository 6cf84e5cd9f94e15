import { isRefusal } from "#api/errors.ts";
import { readConfig } from "#kernel/config.ts";
import { createLog } from "#kernel/log.ts";
import { startServer, type Server } from "../../server/main.ts";
import { CommandRefused, paint, tell } from "../output.ts";
import { untilSignal } from "../signals.ts";

/** Starts the control plane by the TOWLINE_* settings and says where it is. */
export async function openServer(): Promise<Server> {
  const config = readConfig(process.env);
  if (isRefusal(config)) throw new CommandRefused(config);
  const server = await startServer(config, createLog(config.logLevel));
  tell(
    `${paint("green", "✓", process.stderr)} Towline serves at ${server.url}, the services at port ${config.httpPort}`,
  );
  if (server.adminToken) {
    tell(`  This is the first start. The admin's token, shown this one time:`);
    tell(`  ${server.adminToken}`);
    tell(`  towline login --url ${server.url} --token <token>`);
  }
  return server;
}

/** The control plane alone; agents join from elsewhere. */
export async function runServer(): Promise<void> {
  await using _ = await openServer();
  await untilSignal();
  tell("stopping: what is at work is finished or handed over; balancer and instances go on serving");
}
