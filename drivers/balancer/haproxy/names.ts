/** How HAProxy calls what is ours. */

export function backendName(route: string): string {
  return `route_${route}`;
}

/** The route of a backend; undefined for one that is of none. */
export function routeOf(backend: string): string | undefined {
  return backend.startsWith("route_") ? backend.slice("route_".length) : undefined;
}

export function serverName(slot: number): string {
  return `s${slot}`;
}

/** What stands for "no address"; nothing is ever sent there, such a slot is in `maint`. */
export const nowhere = { host: "0.0.0.0", port: 1 };
