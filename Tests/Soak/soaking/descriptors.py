"""What the descriptors of a process refer to."""
import contextlib
import ctypes
import os
import socket

CLOSE_WAIT = 8
PIDFD_GETFD = 438  # the system call, on every architecture


class Descriptors:
    """Those of one weir, as the system has them now."""

    def __init__(self, weir):
        self.pid = weir.process.pid
        self.names = {weir.port: "public", weir.admin: "admin"}
        self.names |= {int(url.rpartition(":")[2]): "upstream" for url in weir.upstreams}
        self.known = self._tcp() | self._unix()

    def kinds(self):
        folder = f"/proc/{self.pid}/fd"
        for number in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):
                target = os.readlink(f"{folder}/{number}")
                if target in self.known:
                    yield self.known[target]
                else:
                    yield self._reset(int(number)) if target.startswith("socket:") else target

    def _tcp(self):
        found = {}
        with open("/proc/net/tcp") as table:
            for line in table.readlines()[1:]:
                _, local, remote, state, *_, inode = line.split()[:10]
                local, remote = (self.names.get(int(end.rpartition(":")[2], 16)) for end in (local, remote))
                closed = " closed" if int(state, 16) == CLOSE_WAIT else ""
                found[f"socket:[{inode}]"] = (remote if remote == "upstream" else local or "a port") + closed
        return found

    @staticmethod
    def _unix():
        with open("/proc/net/unix") as table:
            return {f"socket:[{line.split()[6]}]": "unix" for line in table.readlines()[1:]}

    def _reset(self, number):
        """A socket that is in no table: its connection was reset. Its own port shows which side it is on."""
        process = os.pidfd_open(self.pid)
        try:
            copy = ctypes.CDLL(None, use_errno=True).syscall(PIDFD_GETFD, process, number, 0)
        finally:
            os.close(process)
        if copy < 0:
            return "a socket that was reset"
        with socket.socket(fileno=copy) as end:
            name = end.getsockname()
        return f"{self.names.get(name[1], 'upstream') if isinstance(name, tuple) else 'unix'} reset"
