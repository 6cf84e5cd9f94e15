/** Single requests as figures: of services, of who asks whom, and of instances. */
import type { Recent, RecentRequest } from "#drivers/balancer/contract.ts";

interface Figures {
  /** A second. */
  requests: number;
  /** Share that was answered 5xx, by the instance or for want of one. */
  failed: number;
  /** Milliseconds until the answer began; null without an answer. */
  p95: number | null;
}

export interface Point extends Figures {
  /** Seconds since these figures began. */
  ago: number;
}

export interface Located {
  instance: string;
  host: string;
  service: string;
  environment: string;
}

interface Scene {
  environment: string;
  /** Which service a route leads to. */
  routes: ReadonlyMap<string, { service: string; environment: string }>;
  instances: readonly Located[];
  /** Seconds since 1970. */
  now: number;
}

/** Seconds over which figures go. */
const span = 60;
/** Seconds of a point of a history, and the number of points. */
const step = 5;
const points = 24;

export function trafficIn(recent: Recent, { environment, routes, instances, now }: Scene) {
  const seconds = covered(recent, now);
  const known = recent.requests.flatMap((request) => {
    const to = routes.get(request.route);
    return to?.environment === environment ? [{ ...request, service: to.service }] : [];
  });
  const lately = known.filter(({ at }) => at >= now - seconds);
  const byHost = new Map(instances.map((each) => [each.host, each]));
  const callerOf = ({ from }: RecentRequest) => {
    const found = byHost.get(from);
    return found ? { service: found.service, environment: found.environment } : null;
  };
  const pairs = Map.groupBy(lately, (request) => JSON.stringify([callerOf(request), request.service]));
  const services = [...Map.groupBy(known, ({ service }) => service)].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    seconds,
    services: services.map(([service, requests]) => ({
      service,
      ...figuresOf(
        requests.filter(({ at }) => at >= now - seconds),
        seconds,
      ),
      history: historyOf({ ...recent, requests }, now),
    })),
    calls: [...pairs.values()].flatMap((requests) => {
      const [first] = requests;
      return first ? [{ from: callerOf(first), to: first.service, ...figuresOf(requests, seconds) }] : [];
    }),
    instances: instances
      .filter((each) => each.environment === environment)
      .map(({ instance, host }) => ({
        instance,
        ...figuresOf(
          lately.filter(({ to }) => to === host),
          seconds,
        ),
      })),
  };
}

/** From the oldest to the newest; only what is wholly known. */
export function historyOf({ since, requests }: Recent, now: number): Point[] {
  const first = Math.max(0, points - Math.floor(Math.max(0, now - since) / step));
  return Array.from({ length: points - first }, (_, index) => {
    const ago = (points - first - index) * step;
    const inside = requests.filter(({ at }) => at >= now - ago && at < now - ago + step);
    return { ago, ...figuresOf(inside, step) };
  });
}

function covered({ since }: Recent, now: number): number {
  return Math.min(span, Math.max(1, Math.floor(now - since)));
}

function figuresOf(requests: readonly RecentRequest[], seconds: number): Figures {
  const times = requests
    .flatMap(({ milliseconds }) => (milliseconds >= 0 ? [milliseconds] : []))
    .toSorted((a, b) => a - b);
  const failed = requests.filter(({ status }) => status >= 500).length;
  return {
    requests: requests.length / seconds,
    failed: requests.length === 0 ? 0 : failed / requests.length,
    p95: times[Math.ceil(times.length * 0.95) - 1] ?? null,
  };
}
