import { parse } from "yaml";

interface Service {
  build?: unknown;
  extends?: unknown;
  depends_on?: string[] | Record<string, unknown>;
  links?: string[];
  network_mode?: string;
  volumes_from?: string[];
}

interface ComposeFile {
  include?: unknown;
  services: Record<string, Service | undefined>;
}

/**
 * Which services version 1 has to build before it can run `service`: that service and what it depends on, as far as they
 * have a `build`. Undefined where the file alone does not tell (it includes or extends others, or has an error): all.
 */
export function buildList(text: string, service: string): string[] | undefined {
  try {
    const { services, include } = parse(text, { merge: true }) as ComposeFile;
    if (include !== undefined || Object.values(services).some((each) => each?.extends !== undefined)) return undefined;
    return closure(services, service).filter((name) => services[name]?.build !== undefined);
  } catch {
    return undefined;
  }
}

function closure(services: ComposeFile["services"], service: string): string[] {
  const names = new Set([service]);
  for (const name of names) for (const needed of neededBy(services[name] ?? {})) names.add(needed);
  return [...names];
}

function neededBy(service: Service): string[] {
  const depends = service.depends_on ?? [];
  const joined = [...(service.links ?? []), ...(service.volumes_from ?? [])].map((link) => link.split(":")[0] ?? "");
  const network = /^service:(.+)$/.exec(service.network_mode ?? "")?.[1];
  return [...(Array.isArray(depends) ? depends : Object.keys(depends)), ...joined, ...(network ? [network] : [])];
}
