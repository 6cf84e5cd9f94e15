/** Names and labels by which an installation knows what is its own on an engine it shares. Pure. */
import { createHash } from "node:crypto";
import { RuntimeError } from "../contract.ts";

export const label = {
  install: "towline.install",
  kind: "towline.kind",
  name: "towline.name",
  environment: "towline.environment",
  /** Hash of the specification it was made from. */
  spec: "towline.spec",
  /** Image that a container holds. */
  holds: "towline.holds",
  /** The address it keeps. */
  address: "towline.address",
  /** Before each label that the caller gave. */
  callers: "towline.label.",
} as const;

export interface Names {
  install: string;
  container(name: string): string;
  /** Of the container that holds an image. */
  hold(image: string): string;
  network(environment: string): string;
  volume(environment: string, name: string): string;
  /** For the engine's `filters`, with the caller's labels. */
  filter(more?: Readonly<Record<string, string>>): string;
}

const part = /^[a-z0-9][a-z0-9-]{0,99}$/;

/** Throws for a name that could be read as more than a name. */
export function createNames(install: string): Names {
  checked(install);
  return {
    install,
    container: (name) => `towline-${install}.${checked(name)}`,
    hold: (image) => `towline-${install}-holds.${createHash("sha256").update(image).digest("hex").slice(0, 32)}`,
    network: (environment) => `towline-${install}-${checked(environment)}`,
    volume: (environment, name) => `towline-${install}.${checked(environment)}.${checked(name)}`,
    filter: (more = {}) =>
      JSON.stringify({
        label: [`${label.install}=${install}`, ...Object.entries(more).map(([key, value]) => `${key}=${value}`)],
      }),
  };
}

function checked(name: string): string {
  if (!part.test(name)) throw new RuntimeError("engine", `not a name for a container: ${JSON.stringify(name)}`);
  return name;
}
