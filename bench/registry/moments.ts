/** Requests about an image that is there, as clients send them. */
import { Agent, request } from "undici";
import { call, layersOf } from "./call.ts";
import { otherRepository, type Registry, repository } from "./registries.ts";

const headsAtOnce = 200;

/** A push to another repository that has to bring nothing: a mount for each part, then the manifest. */
export async function mountImage(registry: Registry): Promise<void> {
  const { manifest, type, parts } = await layersOf(registry, repository);
  for (const digest of parts) {
    const { statusCode } = await call(
      registry,
      "POST",
      `${otherRepository}/blobs/uploads/?mount=${digest}&from=${repository}`,
    );
    if (statusCode !== 201) throw new Error(`the mount was answered with ${statusCode}`);
  }
  const headers = { "content-type": type };
  const put = await call(registry, "PUT", `${otherRepository}/manifests/latest`, { headers, body: manifest });
  if (put.statusCode !== 201) throw new Error(`the manifest was answered with ${put.statusCode}`);
}

/** Two hundred questions at once whether a layer is there, each over a connection of its own. */
export async function manyHeads(registry: Registry): Promise<void> {
  const { parts } = await layersOf(registry, repository);
  await using agent = { dispatcher: new Agent(), [Symbol.asyncDispose]: () => agent.dispatcher.close() };
  const asked = Array.from({ length: headsAtOnce }, async (_, at) => {
    const url = `http://${registry.host}/v2/${repository}/blobs/${parts[at % parts.length]}`;
    const { dispatcher } = agent;
    const answer = await request(url, { method: "HEAD", headers: await registry.authorization(), dispatcher });
    await answer.body.dump();
    if (answer.statusCode !== 200) throw new Error(`a question was answered with ${answer.statusCode}`);
  });
  await Promise.all(asked);
}
