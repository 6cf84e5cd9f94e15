import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { containersWith, removeContainer, replaceContainer } from "./engine.ts";

interface Installation {
  home: string;
}

interface Place {
  service: string;
  environment: string;
}

/** Names of the running containers of services (not the balancer, nor backing services) of an installation. */
export async function instancesOf(installation: Installation, place?: Place): Promise<string[]> {
  const ofPlace = place
    ? [`towline.label.service=${place.service}`, `towline.label.environment=${place.environment}`]
    : [];
  return containersWith({
    label: [`towline.install=${await idOf(installation)}`, "towline.kind=service", ...ofPlace],
  });
}

/** The only instance of a place is removed and its container's name taken, until this is disposed of: so long it cannot be brought back. */
export async function occupied(
  installation: Installation,
  place: Place,
): Promise<AsyncDisposable & { instance: string }> {
  const [name] = await instancesOf(installation, place);
  if (name === undefined) throw new Error(`nothing runs of ${place.service} in ${place.environment}`);
  await replaceContainer(name);
  return {
    instance: name.replace(`towline-${await idOf(installation)}.`, ""),
    [Symbol.asyncDispose]: () => removeContainer(name),
  };
}

const idOf = ({ home }: Installation): Promise<string> => readFile(join(home, "installation-id"), "utf8");
