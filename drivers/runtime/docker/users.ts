/** As whom an image runs: a number, or a name that only the image itself knows. */
import { EngineError, type Limits } from "#drivers/engine/engine.ts";
import { RuntimeError } from "../contract.ts";
import { translate } from "./failure.ts";
import { type Host, json } from "./host.ts";

/** The number of the user of a container, which need not run. Fails where the image knows its own user not. */
export async function userOf(host: Host, id: string, limits: Limits): Promise<number> {
  const found = await json<{ Config: { User: string } }>(
    host,
    { method: "GET", path: `/containers/${id}/json` },
    limits,
  );
  const user = found.Config.User.split(":")[0] ?? "";
  if (user === "" || user === "root") return 0;
  if (/^\d+$/.test(user)) return Number(user);
  const query = { path: "/etc/passwd" };
  const archive = await host.engine
    .bytes({ method: "GET", path: `/containers/${id}/archive`, query }, limits)
    .catch((error: unknown) => {
      // An image without such a file knows nobody by name.
      if (error instanceof EngineError && error.status === 404) return Buffer.alloc(0);
      throw translate(error);
    });
  const number = numberIn(archive, user);
  if (number === undefined)
    throw new RuntimeError("start-failed", `the image has no user ${user}, as whom it is to run`);
  return number;
}

/** Of a tar archive with one file of lines such as `node:x:1000:1000::/home/node:/bin/sh`. */
function numberIn(archive: Buffer, user: string): number | undefined {
  const size = Number.parseInt(archive.subarray(124, 136).toString("latin1"), 8);
  const lines = archive
    .subarray(512, 512 + size)
    .toString()
    .split("\n");
  const fields = lines.map((line) => line.split(":")).find(([name]) => name === user);
  return fields?.[2] !== undefined && /^\d+$/.test(fields[2]) ? Number(fields[2]) : undefined;
}
