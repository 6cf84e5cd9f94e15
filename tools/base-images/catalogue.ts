/** The base images that Towline's own examples, tests and balancer stand on. */

/** How to make a stand-in on top of the Debian base. */
export interface Recipe {
  /** Debian packages. */
  packages: string[];
  /** POSIX sh, run as root in the container after the packages are in; its last line of output is the version. */
  script: string;
  /** Dockerfile lines of the image's configuration. */
  configuration: string[];
  /** What `docker stop` sends; SIGTERM when undefined. */
  stopSignal?: string;
}

interface BaseImage {
  /** Our name, the same whether it was pulled or made here. `stable` means: what Debian stable or upstream calls so. */
  image: string;
  /** Whence it is pulled where a registry answers, and what `--tag-as` names it. */
  official: string;
  /** Undefined for the Debian base itself. */
  recipe?: Recipe;
}

const installed = (name: string) => `dpkg-query --show --showformat '\${Version}\\n' ${name}`;

export const baseImages = {
  debian: { image: "towline/base-debian:stable", official: "debian:12-slim" },
  node: {
    image: "towline/base-node:24",
    official: "node:24-slim",
    recipe: {
      packages: [],
      script: "cp /run/towline/node /usr/local/bin/node; ln -s node /usr/local/bin/nodejs; node --version",
      configuration: ['CMD ["node"]'],
    },
  },
  python: {
    image: "towline/base-python:3",
    official: "python:3.13-slim",
    recipe: {
      // The driver for PostgreSQL is in, since a machine that reaches no image registry seldom reaches PyPI.
      packages: ["python3", "python3-psycopg2", "ca-certificates"],
      script: "ln -s python3 /usr/bin/python; python --version",
      configuration: ['CMD ["python3"]', "ENV LANG=C.UTF-8"],
    },
  },
  postgres: {
    image: "towline/base-postgres:stable",
    official: "postgres:17",
    recipe: {
      packages: ["postgresql"],
      script: `
        rm -f /etc/ssl/private/ssl-cert-snakeoil.key /etc/ssl/certs/ssl-cert-snakeoil.pem
        ln -s /usr/lib/postgresql/*/bin/* /usr/local/bin/
        cp /run/towline/files/postgres-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
        mkdir -p /docker-entrypoint-initdb.d
        install -d -o postgres -g postgres -m 3777 /var/run/postgresql
        install -d -o postgres -g postgres -m 700 /var/lib/postgresql/data
        postgres --version`,
      configuration: [
        'ENTRYPOINT ["docker-entrypoint.sh"]',
        'CMD ["postgres"]',
        "ENV PGDATA=/var/lib/postgresql/data LANG=C.UTF-8",
        "VOLUME /var/lib/postgresql/data",
        "EXPOSE 5432",
      ],
      stopSignal: "SIGINT",
    },
  },
  redis: {
    image: "towline/base-redis:stable",
    official: "redis:7",
    recipe: {
      packages: ["redis-server"],
      script: `
        cp /run/towline/files/redis-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
        install -d -o redis -g redis /data
        redis-server --version`,
      configuration: [
        'ENTRYPOINT ["docker-entrypoint.sh"]',
        'CMD ["redis-server"]',
        "WORKDIR /data",
        "VOLUME /data",
        "EXPOSE 6379",
      ],
    },
  },
  haproxy: {
    image: "towline/base-haproxy:stable",
    official: "haproxy:2.8",
    recipe: {
      packages: ["haproxy"],
      script: `
        ln -s /usr/sbin/haproxy /usr/local/sbin/haproxy
        mkdir -p /usr/local/etc/haproxy
        ${installed("haproxy")}`,
      configuration: [
        'CMD ["haproxy", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]',
        "USER haproxy",
        "WORKDIR /var/lib/haproxy",
      ],
      stopSignal: "SIGUSR1",
    },
  },
} as const satisfies Record<string, BaseImage>;

export type BaseImageName = keyof typeof baseImages;

export const baseImageNames = Object.keys(baseImages) as BaseImageName[];

/** The image reference to build on: `baseImage("node")` is `towline/base-node:24`. */
export function baseImage(name: BaseImageName): string {
  return baseImages[name].image;
}

export function recipeOf(name: BaseImageName): Recipe | undefined {
  const entry: BaseImage = baseImages[name];
  return entry.recipe;
}
