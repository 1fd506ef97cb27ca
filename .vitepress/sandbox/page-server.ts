/**
 * The web server of the page's network, for its guests at http://10.0.2.2/. Source: RFC 1945, "HTTP/1.0".
 */
import type { HostTcp } from "../../sandbox/net/host-sockets.ts";
import type { TcpService } from "../../sandbox/net/memory-sockets.ts";

/** A request line and its headers end by then. */
const LONGEST_REQUEST = 8192;

/** Pages by their path, made when they are asked for. */
export type Pages = Readonly<Record<string, () => string>>;

export function servePages(pages: Pages): TcpService {
  return socket => {
    let request = "";
    let isAnswered = false;
    const answer = (status: string, body: string, withBody = true) => {
      isAnswered = true;
      send(socket, status, body, withBody);
    };
    return {
      data(bytes) {
        if (isAnswered) return;
        request += String.fromCharCode(...bytes.subarray(0, LONGEST_REQUEST));
        if (request.length > LONGEST_REQUEST) answer("400 Bad Request", "that is too long a request\n");
        else if (/\r?\n\r?\n/.test(request)) respond(request, pages, answer);
      },
      ended() {
        if (!isAnswered) socket.end();
      },
      closed() {
        isAnswered = true;
      },
    };
  };
}

function respond(
  request: string,
  pages: Pages,
  answer: (status: string, body: string, withBody?: boolean) => void,
): void {
  const [, method, path] = /^([A-Z]+) (\S+) HTTP\/1\.[01]\r?\n/.exec(request) ?? [];
  const page = Object.hasOwn(pages, path ?? "") ? pages[path!] : undefined;
  if (method === undefined) answer("400 Bad Request", "that is no request of HTTP/1.0\n");
  else if (method !== "GET" && method !== "HEAD") answer("501 Not Implemented", "only GET and HEAD\n");
  else if (!page) answer("404 Not Found", `no such page; there are: ${Object.keys(pages).join(" ")}\n`);
  else answer("200 OK", page(), method === "GET");
}

function send(socket: HostTcp, status: string, text: string, withBody: boolean): void {
  const body = new TextEncoder().encode(text);
  const head = [
    `HTTP/1.0 ${status}`,
    "Server: vmexit",
    "Content-Type: text/plain; charset=utf-8",
    `Content-Length: ${body.length}`,
    "Connection: close",
  ];
  socket.write(new TextEncoder().encode(`${head.join("\r\n")}\r\n\r\n`), () => {});
  if (withBody) socket.write(body, () => {});
  socket.end();
}
