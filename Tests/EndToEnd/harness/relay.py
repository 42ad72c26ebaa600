"""A relay between a client and weir that loses the client's connection in the middle of a stream."""
import select
import socket
import threading


class Relay:
    """Passes bytes between its clients and a port; `lose(after)` ends the next connection that has passed on that number of
    bytes of an NDJSON or event stream's body."""

    def __init__(self, port):
        self.target = port
        self.requests = []  # what clients sent, connection by connection
        self.lost = 0  # connections
        self.ready = lambda: None  # waits until what a client sends may be passed on
        self._after = None
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._sockets = [self._listener]
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def lose(self, after):
        self._after = after

    def sent(self, text):
        """Whether a client has sent this text, in any case."""
        return any(text in request.lower() for request in self.requests)

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            weir = socket.create_connection(("127.0.0.1", self.target))
            self._sockets += [client, weir]
            self.requests.append(bytearray())
            self._threads.append(threading.Thread(
                target=self._pass, args=[client, weir, self.requests[-1]], daemon=True))
            self._threads[-1].start()

    def _pass(self, client, weir, request):
        answers = bytearray()
        try:
            with client, weir:
                while True:
                    ready, _, _ = select.select([client, weir], [], [])
                    for side in ready:
                        if not (data := side.recv(65536)):
                            return
                        if side is client:
                            self.ready()
                            request += data
                            weir.sendall(data)
                        else:
                            answers += data
                            excess = self._excess(answers)
                            client.sendall(data[:len(data) - excess] if excess >= 0 else data)
                            if excess >= 0:
                                self._after, self.lost = None, self.lost + 1
                                return
        except OSError:
            pass  # either side has closed it

    def _excess(self, answers):
        """How many of these bytes the client does not get before its connection is lost; negative if it is not lost yet."""
        start = max(answers.find(media) for media in (b"application/x-ndjson", b"text/event-stream"))
        body = answers.find(b"\r\n\r\n", start) + 4
        return -1 if self._after is None or start < 0 or body < 4 else len(answers) - body - self._after

    def stop(self):
        for each in self._sockets:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self._listener.close()
        for thread in self._threads:
            thread.join(60)
