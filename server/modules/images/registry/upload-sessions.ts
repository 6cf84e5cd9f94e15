/**
 * One writer for each upload. A client that lost its connection comes back before the server has noticed; so the newcomer
 * goes on, and the request before it is ended.
 */
export interface UploadSessions {
  /** Ends the work under way on the upload by its signal, waits for it, and then runs this one. */
  run<T>(upload: string, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

interface Session {
  stop: AbortController;
  done: Promise<unknown>;
}

export function createUploadSessions(): UploadSessions {
  const sessions = new Map<string, Session>();
  return {
    async run(upload, work) {
      const before = sessions.get(upload);
      const stop = new AbortController();
      before?.stop.abort();
      const done = Promise.allSettled([before?.done]).then(() => work(stop.signal));
      const session = { stop, done };
      sessions.set(upload, session);
      try {
        return await done;
      } finally {
        if (sessions.get(upload) === session) sessions.delete(upload);
      }
    },
  };
}
