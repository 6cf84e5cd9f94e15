/** What a provider was told with a pact, carried by the addresses it is given and so told back with its result. */

export interface Metadata {
  /** Number of the consumer's version that the pact was chosen for. */
  version?: string;
  wip?: true;
}

export function writeMetadata(metadata: Metadata): string {
  return Buffer.from(JSON.stringify(metadata)).toString("base64url");
}

/** Nothing for what is none: an address that was cut short still leads to the pact. */
export function readMetadata(text: string): Metadata {
  try {
    const found: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
    if (typeof found !== "object" || found === null) return {};
    const { version, wip } = found as Record<string, unknown>;
    return { ...(typeof version === "string" ? { version } : {}), ...(wip === true ? { wip } : {}) };
  } catch {
    return {};
  }
}
