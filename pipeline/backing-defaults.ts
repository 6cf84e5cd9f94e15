/** What is known of common images, so that `image: postgres:17` is enough. */

export interface BackingDefaults {
  port: number;
  /** Mount path of the volume. */
  path: string;
  environment: Record<string, string>;
  /** Set only when a volume is kept. */
  volumeEnvironment: Record<string, string>;
  url: string;
}

/**
 * The data directory of Postgres is named outright: images from 18 on refuse a volume at the place where images up to 17
 * want it.
 */
const postgres: BackingDefaults = {
  port: 5432,
  path: "/var/lib/towline",
  environment: { POSTGRES_PASSWORD: "${password}" },
  volumeEnvironment: { PGDATA: "/var/lib/towline/data" },
  url: "postgres://postgres:${password}@${host}:${port}/postgres",
};

/** The defaults for an image, by the last word of its name: `postgres:17`, `registry/base-postgres@sha256:…`. */
export function backingDefaults(image: string): BackingDefaults | undefined {
  const name = image.split("@")[0]?.split("/").at(-1)?.split(":")[0] ?? "";
  return /(^|-)(postgres|postgresql)$/.test(name) ? postgres : undefined;
}
