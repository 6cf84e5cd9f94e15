/** Names of an installation's own in a cluster: at most 63 characters without dots, so longer ones end in a hash. Pure. */
import { createHash } from "node:crypto";
import { createNames, type Names } from "../docker/names.ts";

export interface SwarmNames extends Names {
  /** Of the service that is an instance or a job. */
  service(name: string): string;
  overlay(environment: string): string;
  /** Of the secret that holds one file of a specification. */
  file(fingerprint: string, name: string, index: number): string;
  /** Of the service that brings an image onto the other machines. */
  pull(image: string): string;
}

const readable = 40;

export function createSwarmNames(install: string): SwarmNames {
  const names = createNames(install);
  const short = (kind: string, name: string) => {
    const hash = createHash("sha256").update(`${kind} ${install} ${name}`).digest("hex").slice(0, 12);
    return `towline-${name.slice(0, readable).replace(/-+$/, "")}-${hash}`;
  };
  return {
    ...names,
    // Throws for what is no name.
    service: (name) => names.container(name) && short("instance", name),
    overlay: (environment) => names.network(environment) && short("network", environment),
    file: (fingerprint, name, index) => short(`file ${index} ${fingerprint}`, name),
    pull: (image) => short(`pull ${image}`, "pull"),
  };
}
