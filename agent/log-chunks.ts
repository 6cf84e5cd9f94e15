/** A piece of a job's log. `offset` is the byte at which it begins; `sequence` counts from 0 without gaps. */
export interface LogChunk {
  sequence: number;
  offset: number;
  bytes: Buffer;
}

export interface LogChunksOptions {
  /**
   * Delivers one chunk; called in order of sequence, one at a time. A throw means "not known to have arrived": the same
   * chunk is sent again until it is taken, so the receiver must ignore a sequence that it has. `refused` (the lease is
   * gone) ends the log: nothing more is sent.
   */
  send: (chunk: LogChunk) => Promise<"taken" | "refused">;
  /** Gives up on delivery; what is not yet sent is dropped. */
  signal?: AbortSignal;
  /** Bytes of a full chunk; default 64 KiB. */
  chunkBytes?: number;
  /** Milliseconds that a byte waits for its chunk to fill up; default 200. */
  delayMs?: number;
  /** Chunks that may wait for delivery before `write` makes its caller wait; default 16. */
  queueChunks?: number;
  /**
   * What the receiver has already of a log that another process began: the caller writes the log again from its first byte, and
   * that much of it is not sent.
   */
  from?: { sequence: number; offset: number };
  /** Bytes after which the log is cut with a notice; default 256 MiB. */
  totalBytes?: number;
}

export interface LogSummary {
  ended: "complete" | "refused" | "aborted";
  /** What the receiver has. */
  chunks: number;
  bytes: number;
  /** Bytes cut off by `totalBytes`. */
  cutBytes: number;
}

export interface LogChunks {
  /** Takes output; resolves when there is room for more. Await it, so that a slow server slows the job, not the memory. */
  write(bytes: Buffer): Promise<void>;
  /** Sends what is left and answers when all has been taken (or refused, or aborted). */
  close(): Promise<LogSummary>;
}

const retryMs = { first: 100, most: 5_000 };

/** Cuts a job's output into chunks and delivers each of them at least once, in order. */
export function createLogChunks(options: LogChunksOptions): LogChunks {
  return new Chunks(options);
}

class Chunks implements LogChunks {
  readonly #options: Required<Omit<LogChunksOptions, "signal" | "send" | "from">> &
    Pick<LogChunksOptions, "signal" | "send">;
  readonly #queue: LogChunk[] = [];
  readonly #summary: LogSummary = { ended: "complete", chunks: 0, bytes: 0, cutBytes: 0 };
  #open: Buffer[] = [];
  #openBytes = 0;
  #sequence: number;
  #offset: number;
  /** Bytes still to come that the receiver has. */
  #known: number;
  #accepted = 0;
  #timer: NodeJS.Timeout | undefined;
  #delivering: Promise<void> | undefined;
  #waiting: (() => void)[] = [];

  constructor({ from = { sequence: 0, offset: 0 }, ...options }: LogChunksOptions) {
    this.#sequence = from.sequence;
    this.#offset = from.offset;
    this.#known = from.offset;
    this.#options = { chunkBytes: 65_536, delayMs: 200, queueChunks: 16, totalBytes: 256 * 1024 * 1024, ...options };
  }

  async write(bytes: Buffer): Promise<void> {
    if (this.#hasEnded()) return;
    this.#append(this.#withinTotal(bytes));
    if (this.#queue.length >= this.#options.queueChunks) await this.#room();
  }

  async close(): Promise<LogSummary> {
    this.#seal();
    await this.#delivering;
    return { ...this.#summary };
  }

  #withinTotal(bytes: Buffer): Buffer {
    const kept = bytes.subarray(0, Math.max(0, this.#options.totalBytes - this.#accepted));
    this.#accepted += kept.length;
    const first = kept.length < bytes.length && this.#summary.cutBytes === 0;
    this.#summary.cutBytes += bytes.length - kept.length;
    return first ? Buffer.concat([kept, cutNotice(this.#options.totalBytes)]) : kept;
  }

  #append(bytes: Buffer): void {
    const { chunkBytes, delayMs } = this.#options;
    const known = Math.min(this.#known, bytes.length);
    this.#known -= known;
    for (let from = known; from < bytes.length;) {
      const part = bytes.subarray(from, from + chunkBytes - this.#openBytes);
      this.#open.push(part);
      this.#openBytes += part.length;
      from += part.length;
      if (this.#openBytes === chunkBytes) this.#seal();
    }
    if (this.#openBytes > 0) this.#timer ??= setTimeout(() => this.#seal(), delayMs);
  }

  #seal(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#openBytes === 0 || this.#hasEnded()) return;
    this.#queue.push({ sequence: this.#sequence++, offset: this.#offset, bytes: Buffer.concat(this.#open) });
    this.#offset += this.#openBytes;
    this.#open = [];
    this.#openBytes = 0;
    this.#delivering ??= this.#deliver();
  }

  async #deliver(): Promise<void> {
    for (let chunk = this.#queue[0]; chunk !== undefined; chunk = this.#queue[0]) {
      const answer = await this.#sendUntilAnswered(chunk);
      if (answer === "taken") this.#taken(chunk);
      else this.#end(answer);
    }
    // In the same turn as the last look at the queue, or a chunk that comes between would wait for ever.
    this.#delivering = undefined;
  }

  #taken(chunk: LogChunk): void {
    this.#queue.shift();
    this.#summary.chunks++;
    this.#summary.bytes += chunk.bytes.length;
    if (this.#queue.length < this.#options.queueChunks) this.#wake();
  }

  async #sendUntilAnswered(chunk: LogChunk): Promise<"taken" | "refused" | "aborted"> {
    const { send, signal } = this.#options;
    for (let wait = retryMs.first; !signal?.aborted; wait = Math.min(wait * 2, retryMs.most)) {
      try {
        return await send(chunk);
      } catch {
        await pause(wait, signal);
      }
    }
    return "aborted";
  }

  #end(how: "refused" | "aborted"): void {
    this.#summary.ended = how;
    this.#queue.length = 0;
    this.#wake();
  }

  #hasEnded(): boolean {
    return this.#summary.ended !== "complete";
  }

  #room(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end);
  });
}

function cutNotice(limit: number): Buffer {
  return Buffer.from(`\n[towline] the log has reached its limit of ${limit} bytes; the rest is cut off\n`);
}
