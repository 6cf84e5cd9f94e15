import { Refused } from "./call.ts";

/** Where the network was cut: for what reads, and for what the server does once however often it is asked. Two minutes at most. */
export const untilReached = {
  retry: (failures: number, error: Error) =>
    error instanceof Refused && error.code === "server.unreachable" && failures < 30,
  retryDelay: (failures: number) => Math.min(250 * 2 ** failures, 5_000),
};
