import { createClient } from "#client/client.ts";
import { connectJob } from "#client/job-server.ts";
import type { AgentOptions } from "./agent-options.ts";
import { createCheckouts } from "./checkout.ts";

/** What an agent has of a server at an address. */
export function connectServer({
  url,
  token,
  home,
}: {
  url: string;
  token: string;
  home: string;
}): Pick<AgentOptions, "client" | "serverFor" | "url" | "checkouts"> {
  return {
    url,
    client: createClient({ url, token }),
    serverFor: ({ credentials }) => connectJob(url, credentials.password),
    checkouts: createCheckouts({ home, url }),
  };
}
