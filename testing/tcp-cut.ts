/** A way over TCP that a test can cut: bytes then go nowhere and nobody is told, as on a network that fails. */
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export interface TcpCut extends AsyncDisposable {
  port: number;
  readonly isCut: boolean;
  cut(): void;
  /** New connections go through again; those that were cut stay dead. */
  mend(): void;
  /** Ends all connections, which both ends hear; new ones go through. */
  breakOff(): void;
}

/** Cuts itself once it has carried more than `most` bytes there. */
export async function cuttableTo(port: number, { host = "127.0.0.1", most = Infinity } = {}): Promise<TcpCut> {
  const open = new Set<Socket>();
  let isCut = false;
  let carried = 0;
  function cut() {
    isCut = true;
    for (const socket of open) socket.unpipe().pause();
  }
  const breakOff = () => {
    for (const socket of open) socket.destroy();
  };
  const server = createServer((near) => {
    open.add(near);
    near.on("error", () => {}).on("close", () => open.delete(near));
    if (isCut) return near.pause();
    const far = connect(port, host);
    open.add(far);
    far.on("error", () => near.destroy()).on("close", () => (open.delete(far), isCut || near.destroy()));
    near.on("close", () => far.destroy());
    near.pipe(far).pipe(near);
    near.on("data", (bytes: Buffer) => {
      carried += bytes.length;
      if (carried > most) cut();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    get isCut() {
      return isCut;
    },
    cut,
    mend() {
      isCut = false;
      breakOff();
    },
    breakOff,
    async [Symbol.asyncDispose]() {
      breakOff();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
