/** The seam to other people's image registries, from which is only read. Failures are `UpstreamError`s; all else is a broken world. */

export const upstreamFailures = [
  /** It cannot be reached, answers too late, has too much to do, or is broken: later it may be otherwise. */
  "away",
  /** It wants other credentials. */
  "refused",
  /** It has no such thing. */
  "missing",
  /** What it answers is no registry's answer, or too large. */
  "wrong",
] as const;
export type UpstreamFailure = (typeof upstreamFailures)[number];

export class UpstreamError extends Error {
  readonly code: UpstreamFailure;
  constructor(code: UpstreamFailure, message: string) {
    super(message);
    this.name = "UpstreamError";
    this.code = code;
  }
}

export interface UpstreamAt {
  /** `https://registry-1.docker.io`: without `/v2/`. */
  url: string;
  /** Both or none. They are sent to this address, and to the one it names for tokens if that is https or the same. */
  username?: string | undefined;
  password?: string | undefined;
}

export interface Wanted {
  /** There, such as `library/alpine`. */
  repository: string;
  /** Tag or digest of a manifest; digest of a blob. */
  reference: string;
}

export interface UpstreamManifest {
  mediaType: string;
  content: Buffer;
}

export interface Upstream {
  /** The digest of a manifest, without its content; undefined where the registry does not say it. */
  digest(at: UpstreamAt, wanted: Wanted): Promise<string | undefined>;
  /** A manifest as it is there, 4 MiB at most. Whether it is what its digest says is the caller's to check. */
  manifest(at: UpstreamAt, wanted: Wanted): Promise<UpstreamManifest>;
  /** The size of a blob, where the registry says it. */
  size(at: UpstreamAt, wanted: Wanted): Promise<number | undefined>;
  /**
   * A blob as a stream, which fails with "away" when nothing comes for a minute. Whether it is what its digest says is the
   * caller's to check. One that is not read to its end must be returned (`for await` does).
   */
  blob(at: UpstreamAt, wanted: Wanted): Promise<{ size: number | undefined; source: AsyncIterable<Uint8Array> }>;
}
