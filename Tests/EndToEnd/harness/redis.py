"""A Redis server, and what can be wrong with it or the way to it."""
import signal
import socket
import subprocess
import threading
import time

from .waiting import eventually


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class RedisServer:
    """A redis-server that keeps nothing on the disk; `port` stays the same over restarts."""

    def __init__(self, folder, *options):
        self.folder, self.options = folder, options
        folder.mkdir()
        for _ in range(10):  # another process may take a port that was free
            self.port = free_port()
            try:
                return self.start()
            except AssertionError:
                self.kill()
        raise AssertionError("no free port for Redis")

    def start(self):
        """Begins with an empty set."""
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                ["redis-server", *self.configuration(), *self.options], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, cwd=self.folder)

        def answers():
            assert self.process.poll() is None, (self.folder / "log").read_text()
            try:
                return self.command("PING") == "PONG"
            except OSError:
                return False
        eventually(answers, "an answer of Redis", within=30)

    def configuration(self):
        return ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir",
                str(self.folder)]

    def command(self, *words):
        """The reply to one command: a text, a number, None, or a list of these."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as sock:
            parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
            sock.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts))
            with sock.makefile("rb") as replies:
                return self._reply(replies)

    def _reply(self, replies):
        line = replies.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionResetError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2].decode()
        if kind == b"*":
            return None if rest == "-1" else [self._reply(replies) for _ in range(int(rest))]
        if kind == b"$":
            return None if rest == "-1" else replies.read(int(rest) + 2)[:-2].decode()
        assert kind != b"-", rest
        return int(rest) if kind == b":" else rest

    def pause(self):
        """SIGSTOP: the kernel still accepts connections and bytes."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        self.process.kill()
        self.process.wait()


class TLSRedisServer(RedisServer):
    """The same with a port for TLS in addition; `certificate` and `key` are its own."""

    def __init__(self, folder, certificate, key):
        self.files = ["--tls-cert-file", str(certificate), "--tls-key-file", str(key), "--tls-ca-cert-file", str(certificate)]
        super().__init__(folder)

    def configuration(self):
        self.tls_port = free_port()
        return super().configuration() + ["--tls-port", str(self.tls_port), "--tls-auth-clients", "no", *self.files]


class Sentinel(RedisServer):
    """A Sentinel that watches one master, and alone decides about a fail-over."""

    def __init__(self, folder, master):
        self.master = master
        super().__init__(folder)

    def configuration(self):
        file = self.folder / "sentinel.conf"
        file.write_text(f"port {self.port}\nbind 127.0.0.1\ndir {self.folder}\n"
                        f"sentinel monitor main 127.0.0.1 {self.master.port} 1\n"
                        "sentinel down-after-milliseconds main 1000\nsentinel failover-timeout main 5000\n")
        return [str(file), "--sentinel"]


class SlowPath:
    """A relay to a server, which delays the server's bytes by `delay` seconds."""

    def __init__(self, server):
        self.server, self.delay = server, 0.0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sockets = [self.listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.server.port))
            except OSError:  # the server does not run
                near.close()
                continue
            self.sockets += [near, far]
            for source, sink, slow in [(near, far, False), (far, near, True)]:
                threading.Thread(target=self._pass, args=(source, sink, slow), daemon=True).start()

    def _pass(self, source, sink, slow):
        try:
            while data := source.recv(65536):
                if slow and self.delay:
                    time.sleep(self.delay)
                sink.sendall(data)
        except OSError:
            pass
        for sock in (source, sink):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        for sock in self.sockets:
            sock.close()


def disturb(server, path, fault):
    """Makes a server fail ("killed", "stopped"), or the path to it ("slow")."""
    if fault == "killed":
        server.kill()
    elif fault == "stopped":
        server.pause()
    else:
        assert fault == "slow"
        path.delay = 3.0  # three times the patience


def repair(server, path):
    """Ends whatever disturb() began; a server that was killed starts with an empty set."""
    if server.process.poll() is not None:
        server.start()
    server.resume()
    path.delay = 0.0
