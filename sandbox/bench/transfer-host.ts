/** The host's side of `bench net`: an HTTP server and an HTTP client on the loopback. All files are zeros. */
import { createServer, get, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

const ZEROS = Buffer.alloc(64 << 10);

/** An HTTP server on a port of the host's choice; every path is a file of `length` zeros. */
export class ZeroServer {
  /** Bytes that the last answer gave to its connection. */
  sent = 0;
  readonly #server: Server;

  constructor(private readonly length: number) {
    this.#server = createServer(async (_request, response) => {
      response.writeHead(200, { "content-length": length });
      // Who breaks off says so on its own side.
      await pipeline(Readable.from(this.#file()), response).catch(() => {});
    });
  }

  /** Returns the port. */
  listen(): Promise<number> {
    return listenAnywhere(this.#server);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  *#file(): Generator<Buffer> {
    for (this.sent = 0; this.sent < this.length; ) {
      const part = ZEROS.subarray(0, Math.min(ZEROS.length, this.length - this.sent));
      this.sent += part.length;
      yield part;
    }
  }
}

/** Fetches a file from a server on the loopback, and returns how many bytes it had, NaN if not all are 0. */
export function fetchZeros(port: number, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = get({ host: "127.0.0.1", port, path, agent: false }, response => {
      if (response.statusCode !== 200) {
        response.resume();
        reject(new Error(`port ${port} answers with status ${response.statusCode} for ${path}`));
        return;
      }
      let received = 0;
      response.on("data", (data: Buffer) => {
        received = areZeros(data) ? received + data.length : Number.NaN;
      });
      response.on("end", () => resolve(received));
      response.on("error", reject);
    });
    request.on("error", reject);
  });
}

function areZeros(data: Buffer): boolean {
  for (let at = 0; at < data.length; at += ZEROS.length) {
    const part = data.subarray(at, at + ZEROS.length);
    if (!part.equals(ZEROS.subarray(0, part.length))) return false;
  }
  return true;
}

/** A port that was free a moment ago, for a program that takes only a number. */
export async function freePort(): Promise<number> {
  const server = createTcpServer();
  const port = await listenAnywhere(server);
  await new Promise(resolve => server.close(resolve));
  return port;
}

function listenAnywhere(server: TcpServer): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}
