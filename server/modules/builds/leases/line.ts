/** A line of callers who wait to be served, each until his time is up or he has gone. */

interface Claim {
  waitMs: number;
  signal: AbortSignal;
}

export interface Waiting<C, Served> {
  claim: C;
  /** He is being served: nobody else serves him meanwhile. When it brings nothing, he is in his old place again. */
  serve(serving: Promise<Served | undefined>): void;
}

export interface Line<C, Served> {
  /** Undefined when the time is up (never before one look was taken for him) or he has gone. */
  wait(claim: C): Promise<Served | undefined>;
  /** There may be something for somebody. */
  lookAgain(): void;
}

interface Place<C, Served> {
  claim: C;
  isServed: boolean;
  wasSeen: boolean;
  isDue: boolean;
  /** How often serving him brought nothing. */
  misses: number;
  leave: PromiseWithResolvers<Served | undefined>;
}

/** Wakes may get lost with a database connection: while somebody waits, there is a look after this time at the latest. */
const lookAgainMs = 2_000;
/** He whom serving brings nothing again and again is served with the next look for others. */
const mostMisses = 5;

/** @param look serves whom it can of those who wait, in their order; answers whether another look may serve more of them */
export function createLine<C extends Claim, Served>(
  look: (waiting: Waiting<C, Served>[]) => Promise<boolean>,
): Line<C, Served> {
  /** In the order of coming. */
  const places = new Set<Place<C, Served>>();
  const idle = () => [...places].filter(({ isServed }) => !isServed);
  const lookAgain = createLooks(
    () => places.size > 0,
    async () => {
      const seen = idle();
      return seen.length > 0 && lookFor(seen);
    },
  );

  async function lookFor(seen: Place<C, Served>[]): Promise<boolean> {
    try {
      const isMore = await look(seen.map(waiting));
      for (const place of seen) place.wasSeen = true;
      seen.forEach(leaveIfOver);
      return isMore;
    } catch (error) {
      for (const { isServed, leave } of seen) if (!isServed) leave.reject(error);
      return false;
    }
  }

  function waiting(place: Place<C, Served>): Waiting<C, Served> {
    return { claim: place.claim, serve: (serving) => void serve(place, serving) };
  }

  async function serve(place: Place<C, Served>, serving: Promise<Served | undefined>): Promise<void> {
    place.isServed = true;
    const served = await serving.catch((error: unknown) => place.leave.reject(error));
    if (served) return place.leave.resolve(served);
    place.isServed = false;
    place.misses += 1;
    leaveIfOver(place);
    if (place.misses < mostMisses) lookAgain();
  }

  async function wait(claim: C): Promise<Served | undefined> {
    const place = placeOf<C, Served>(claim);
    const onGone = () => leaveIfOver(place);
    const due = setTimeout(() => leaveIfOver(Object.assign(place, { isDue: true })), claim.waitMs);
    claim.signal.addEventListener("abort", onGone);
    places.add(place);
    lookAgain();
    leaveIfOver(place);
    try {
      return await place.leave.promise;
    } finally {
      places.delete(place);
      clearTimeout(due);
      claim.signal.removeEventListener("abort", onGone);
    }
  }

  return { wait, lookAgain };
}

function placeOf<C, Served>(claim: C): Place<C, Served> {
  return { claim, leave: Promise.withResolvers(), isServed: false, wasSeen: false, isDue: false, misses: 0 };
}

function leaveIfOver<Served>({ claim: { signal }, isServed, isDue, wasSeen, leave }: Place<Claim, Served>): void {
  if (!isServed && (signal.aborted || (isDue && wasSeen))) leave.resolve(undefined);
}

/** One look at a time, and another one after it when one was asked for meanwhile or it says that there is more. */
function createLooks(isAwaited: () => boolean, look: () => Promise<boolean>): () => void {
  let wanted = false;
  let looking = false;
  let later: NodeJS.Timeout | undefined;

  function lookAgain(): void {
    wanted = true;
    if (looking) return;
    looking = true;
    clearTimeout(later);
    // In the next turn, so that one look serves all who come in this one.
    setImmediate(() => void lookWhileWanted());
  }

  async function lookWhileWanted(): Promise<void> {
    while (wanted) {
      wanted = false;
      wanted = (await look()) || wanted;
    }
    looking = false;
    if (isAwaited()) later = setTimeout(lookAgain, lookAgainMs).unref();
  }

  return lookAgain;
}
