/** A registry with one small image, in this process: for what happens on the way, not for what is in it. */
import { createHash } from "node:crypto";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";

export interface TinyRegistry extends AsyncDisposable {
  /** `127.0.0.1:<port>/tiny@sha256:…` */
  image: string;
  /** A name that it does not have. */
  missing: string;
  /** Requests for the layer. */
  layersAsked: number;
  /** While set, the layer begins and never ends. */
  stalls: boolean;
  /** Breaks off what stalls, for the engine to ask again, and stalls no more. */
  recover(): void;
  /** While set, the manifest names a layer that is not there any more. */
  lost: boolean;
  /** When set, what the header `authorization` must be. */
  authorization: string | undefined;
}

const type = "application/vnd.docker.distribution.manifest.v2+json";

/** `content` makes the image another one, so that the engine does not have it yet. */
export async function startTinyRegistry(content: string): Promise<TinyRegistry> {
  const files = imageOf(content);
  const layer = [...files.keys()][0]!;
  const stalled: ServerResponse[] = [];
  const server = createServer((asked, answer) => {
    const name =
      decodeURIComponent(asked.url ?? "")
        .split("/")
        .at(-1) ?? "";
    const found = files.get(name);
    if (asked.url === "/v2/" && permitted()) return answer.end("{}");
    if (!permitted()) return refuse(answer, 401, "UNAUTHORIZED");
    if (!found || !asked.url?.startsWith("/v2/tiny/")) return refuse(answer, 404, "MANIFEST_UNKNOWN");
    if (name === layer && registry.lost) return refuse(answer, 404, "BLOB_UNKNOWN");
    const headers = { "docker-content-digest": name, "content-length": found.length };
    answer.writeHead(200, asked.url.includes("/manifests/") ? { ...headers, "content-type": type } : headers);
    if (name === layer) registry.layersAsked += 1;
    if (name === layer && registry.stalls) {
      stalled.push(answer);
      return answer.write(found.subarray(0, 10));
    }
    return answer.end(asked.method === "HEAD" ? undefined : found);

    function permitted(): boolean {
      return registry.authorization === undefined || asked.headers.authorization === registry.authorization;
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const registry: TinyRegistry = {
    image: `127.0.0.1:${port}/tiny@${[...files.keys()].at(-1)}`,
    missing: `127.0.0.1:${port}/tiny@sha256:${"0".repeat(64)}`,
    layersAsked: 0,
    stalls: false,
    recover() {
      registry.stalls = false;
      for (const answer of stalled.splice(0)) answer.destroy();
    },
    lost: false,
    authorization: undefined,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return registry;
}

function refuse(answer: ServerResponse, status: number, code: string): void {
  answer.writeHead(status, { "www-authenticate": 'Basic realm="tiny"', "content-type": "application/json" });
  answer.end(JSON.stringify({ errors: [{ code, message: code.toLowerCase().replace("_", " ") }] }));
}

/** By digest: the layer, the configuration, the manifest. */
function imageOf(content: string): Map<string, Buffer> {
  const tar = tarOf("content", content);
  const layer = gzipSync(tar);
  const config = json({
    architecture: process.arch === "arm64" ? "arm64" : "amd64",
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: [digestOf(tar)] },
  });
  const part = (mediaType: string, bytes: Buffer) => ({ mediaType, size: bytes.length, digest: digestOf(bytes) });
  const manifest = json({
    schemaVersion: 2,
    mediaType: type,
    config: part("application/vnd.docker.container.image.v1+json", config),
    layers: [part("application/vnd.docker.image.rootfs.diff.tar.gzip", layer)],
  });
  return new Map([layer, config, manifest].map((bytes) => [digestOf(bytes), bytes]));
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function tarOf(name: string, content: string): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write("0000644\u00000000000\u00000000000\u0000", 100);
  header.write(`${Buffer.byteLength(content).toString(8).padStart(11, "0")}\u000000000000000\u0000`, 124);
  header.write("        0", 148);
  header.write("ustar\u000000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\u0000 `, 148);
  const body = Buffer.alloc(Math.ceil(Buffer.byteLength(content) / 512) * 512);
  body.write(content);
  return Buffer.concat([header, body, Buffer.alloc(1024)]);
}
