/** The example fleet as Git repositories: local checkouts that are committed to and pushed as a developer would. */
import { execFile } from "node:child_process";
import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

const examples = fileURLToPath(new URL("../../examples/", import.meta.url));

export interface Workshop {
  /** Folder of the checkouts. */
  folder: string;
  /** Address of the server. */
  url: string;
  token: string;
}

/** A repository made from one example folder, with its first commit pushed to `main`. */
export async function pushExample(workshop: Workshop, service: string): Promise<void> {
  const checkout = join(workshop.folder, service);
  await mkdir(workshop.folder, { recursive: true });
  await cp(join(examples, service), checkout, { recursive: true });
  await git(workshop, checkout, ["init", "--quiet", "--initial-branch=main"]);
  await git(workshop, checkout, ["remote", "add", "origin", `${workshop.url}/git/${service}.git`]);
  await commitAll(workshop, checkout, `${service}: the first version`);
  await git(workshop, checkout, ["push", "--quiet", "origin", "main"]);
}

export interface Change {
  service: string;
  /** Folder under `examples/changes/`, copied over the checkout. */
  overlay: string;
  branch: string;
  message: string;
}

/** A commit on a new branch off the newest `main`, pushed. */
export async function pushChange(workshop: Workshop, { service, overlay, branch, message }: Change): Promise<void> {
  const checkout = join(workshop.folder, service);
  await git(workshop, checkout, ["fetch", "--quiet", "origin", "main"]);
  await git(workshop, checkout, ["checkout", "--quiet", "-B", branch, "FETCH_HEAD"]);
  await cp(join(examples, "changes", overlay), checkout, { recursive: true });
  await commitAll(workshop, checkout, message);
  await git(workshop, checkout, ["push", "--quiet", "origin", branch]);
}

/** Writes files into a clone of the fleet repository and pushes them: the way in which a rule changes. */
export async function pushFleet(workshop: Workshop, files: string): Promise<void> {
  const checkout = join(workshop.folder, "fleet");
  await mkdir(workshop.folder, { recursive: true });
  await git(workshop, workshop.folder, ["clone", "--quiet", `${workshop.url}/git/fleet.git`, checkout]);
  await cp(files, checkout, { recursive: true });
  await commitAll(workshop, checkout, "The environments of the example fleet");
  await git(workshop, checkout, ["push", "--quiet", "origin", "main"]);
}

async function commitAll(workshop: Workshop, checkout: string, message: string): Promise<void> {
  await git(workshop, checkout, ["add", "--all"]);
  await git(workshop, checkout, ["commit", "--quiet", "--message", message]);
}

async function git({ token }: Workshop, folder: string, args: string[]): Promise<void> {
  const basic = Buffer.from(`demo:${token}`).toString("base64");
  const person = { NAME: "Demo", EMAIL: "demo@towline.localhost" };
  await run("git", args, {
    cwd: folder,
    timeout: 60_000,
    env: {
      PATH: process.env["PATH"],
      HOME: folder,
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_TERMINAL_PROMPT: "0",
      ...Object.fromEntries(
        ["AUTHOR", "COMMITTER"].flatMap((role) =>
          Object.entries(person).map(([key, value]) => [`GIT_${role}_${key}`, value]),
        ),
      ),
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "http.extraHeader",
      GIT_CONFIG_VALUE_0: `Authorization: Basic ${basic}`,
    },
  });
}
