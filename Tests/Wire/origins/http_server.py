"""An origin on Python's http.server, which reads heads by itself; bodies as its users do it, by int() of Content-Length."""
import http.client
import http.server
import itertools
import sys

from record import Recorder, trace_of

http.client._MAXHEADERS = 1000  # 100 are fewer than weir takes
recorder = Recorder()
numbers = itertools.count(1)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def setup(self):
        super().setup()
        self.number = next(numbers)

    def __getattr__(self, name):
        if not name.startswith("do_"):
            raise AttributeError(name)
        return self.answer

    def answer(self):
        early = self.path.startswith("/early")
        body, complete = (None, True) if early else self.read_body()
        # Of `path` it has made one slash of several at the front; the parser has read them all.
        target = self.requestline.split()[1]
        recorder.request(self.number, self.command, target, self.headers.items(), body, complete)
        if not complete:
            self.close_connection = True
            return
        content = f"{self.command} {self.path}\n".encode("latin-1", "replace")
        self.send_response(200)
        self.send_header("X-Seen", trace_of(self.headers.items()))
        self.send_header("Content-Length", str(len(content)))
        if early:  # it does not read the body, and so cannot find the next request
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def read_body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self.read_chunks()
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length) if length > 0 else b""
        return body, len(body) == length

    def read_chunks(self):
        body = b""
        while line := self.rfile.readline():
            if (size := int(line.partition(b";")[0], 16)) == 0:
                while (line := self.rfile.readline()) not in (b"\r\n", b"\n", b""):
                    pass
                return body, line != b""
            body += self.rfile.read(size)
            self.rfile.readline()
        return body, False

    def send_error(self, code, message=None, explain=None):
        recorder.fault(self.number, f"{code} {message}")
        super().send_error(code, message, explain)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 512

    def handle_error(self, request, address):
        fault = sys.exc_info()[1]
        if not isinstance(fault, (ConnectionError, TimeoutError)):
            recorder.fault(0, repr(fault))


server = Server(("127.0.0.1", 0), Handler)
recorder.listening(server.server_address[1])
server.serve_forever()
