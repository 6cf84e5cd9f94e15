import { request } from "node:http";
import { request as send } from "undici";

/** Status and body of one request to a host name through the load balancer, on a connection of its own. */
export async function ask(httpPort: number, host: string, path = "/"): Promise<string> {
  // `fetch` would send the host of its URL, and not every machine resolves names below `localhost`.
  const { statusCode, body } = await send(`http://127.0.0.1:${httpPort}${path}`, { headers: { host }, reset: true });
  return `${statusCode} ${(await body.text()).trim()}`;
}

export interface OpenRequest {
  /** Status of the answer, or code of the error that cut it off. */
  answer: Promise<string>;
  /** Sends the end of the body, which a probe answers at once. */
  end(): void;
}

/** A request through the load balancer whose body goes on, byte by byte, until it is told to end. */
export function openRequest(httpPort: number, host: string): OpenRequest {
  const sent = request({ host: "127.0.0.1", port: httpPort, method: "POST", headers: { host }, agent: false });
  // Until then nothing of it is sent, and what happens meanwhile happens before it.
  sent.write(".");
  // A balancer ends what is silent for a minute.
  const pulse = setInterval(() => sent.write("."), 1_000);
  const answer = new Promise<string>((resolve) => {
    sent.on("response", (response) => resolve(String(response.resume().statusCode)));
    sent.on("error", (error: NodeJS.ErrnoException) => resolve(String(error.code)));
  }).finally(() => clearInterval(pulse));
  return {
    answer,
    end() {
      clearInterval(pulse);
      sent.end();
    },
  };
}
