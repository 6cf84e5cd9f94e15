/** A blob on its way from an upstream: who asks for it meanwhile gets what is here of it, and the rest as it comes. */
import type { Blobs, Content } from "#drivers/blobs/contract.ts";

/** Where it grows, and how large it will be. */
export interface Growing {
  upload: string;
  size: number;
}

/** What the work tells of its progress. */
export interface Progress {
  begin(growing: Growing): void;
  /** More of it is here. */
  grow(): void;
}

export interface Flight {
  /** Undefined where it is only to be had whole. Never rejects. */
  begun: Promise<Growing | undefined>;
  /** Settles when more may be here, or nothing more will come. */
  next(): Promise<void>;
  readonly isOver: boolean;
  /** It is a blob; rejects with why it is none. */
  landed: Promise<void>;
}

export function startFlight(work: (progress: Progress) => Promise<void>): Flight {
  const begun = Promise.withResolvers<Growing | undefined>();
  let more = Promise.withResolvers<void>();
  let isOver = false;
  const grow = () => {
    more.resolve();
    more = Promise.withResolvers();
  };
  const end = () => {
    isOver = true;
    begun.resolve(undefined);
    grow();
  };
  const landed = work({ begin: begun.resolve, grow });
  landed.then(end, end);
  return {
    ...{ begun: begun.promise, next: () => more.promise, landed },
    get isOver() {
      return isOver;
    },
  };
}

interface Followed extends Growing {
  flight: Flight;
  digest: string;
}

/** All of it, as it comes. Its last byte is held back until it is known to be what its digest says: nobody gets the whole of something else. */
export function follow(blobs: Pick<Blobs, "uploadSize" | "read">, followed: Followed): Content {
  const { flight, upload, digest, size } = followed;
  return {
    async copyTo(sink) {
      let at = 0;
      while (!flight.isOver) {
        const next = flight.next();
        const here = Math.min(await blobs.uploadSize(upload), size - 1);
        const part = here > at ? await blobs.read(upload, { first: at, last: here - 1 }) : undefined;
        if (part) {
          await part.copyTo(sink);
          at = here;
        } else await next;
      }
      await flight.landed;
      const rest = await blobs.read(digest, { first: at, last: size - 1 });
      if (!rest) throw new Error(`${digest} was removed as soon as it came`);
      await rest.copyTo(sink);
    },
  };
}

const tellEvery = 512 * 1024;

/** The source, telling now and then that more came. */
export async function* telling(source: AsyncIterable<Uint8Array>, { grow }: Progress): AsyncIterable<Uint8Array> {
  let untold = 0;
  for await (const chunk of source) {
    yield chunk;
    untold += chunk.length;
    if (untold < tellEvery) continue;
    untold = 0;
    grow();
  }
}
