// An origin on Node's http.
const crypto = require("node:crypto");
const fs = require("node:fs");
const http = require("node:http");

const write = (members) => fs.writeSync(1, Buffer.from(JSON.stringify(members) + "\n", "latin1"));
const numbers = new WeakMap();
let connections = 0;

function record(request, body, complete) {
  const raw = request.rawHeaders;
  const fields = [];
  for (let at = 0; at < raw.length; at += 2) fields.push([raw[at], raw[at + 1]]);
  const digest = body && crypto.createHash("sha256").update(body).digest("hex").slice(0, 16);
  write({ connection: numbers.get(request.socket), method: request.method, target: request.url, fields, body: digest, complete });
}

function answer(request, response) {
  const content = Buffer.from(`${request.method} ${request.url}\n`, "latin1");
  response.writeHead(200, { "X-Seen": request.headers.traceparent ?? "", "Content-Length": content.length });
  response.end(content);
}

const server = http.createServer({ maxHeaderSize: 65536 }, (request, response) => {
  if (request.url.startsWith("/early")) { // it answers before it has read the body, and drops that
    record(request, null, true);
    answer(request, response);
    return;
  }
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    record(request, Buffer.concat(pieces), true);
    answer(request, response);
  });
  request.on("error", () => record(request, null, false));
});
server.keepAliveTimeout = 60_000;
// It leaves the body of such a request unread, as one that wants none does.
server.on("checkContinue", (request, response) => {
  if (!request.url.startsWith("/early")) response.writeContinue();
  server.emit("request", request, response);
});
server.on("connection", (socket) => numbers.set(socket, ++connections));
server.on("clientError", (error, socket) => {
  // A method that llhttp does not list, and a body that weir broke off.
  const ignored = ["ECONNRESET", "HPE_INVALID_METHOD", "HPE_INVALID_EOF_STATE"];
  if (!ignored.includes(error.code)) write({ connection: numbers.get(socket), fault: `${error.code} ${error.reason ?? ""}` });
  if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
});
server.listen({ port: 0, host: "127.0.0.1", backlog: 512 }, () => write({ port: server.address().port }));
