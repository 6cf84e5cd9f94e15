import { request } from "undici";

/** Status and body of one request to a host name through the load balancer, on a connection of its own. */
export async function ask(httpPort: number, host: string, path = "/"): Promise<string> {
  // `fetch` would send the host of its URL, and not every machine resolves names below `localhost`.
  const { statusCode, body } = await request(`http://127.0.0.1:${httpPort}${path}`, { headers: { host }, reset: true });
  return `${statusCode} ${(await body.text()).trim()}`;
}
