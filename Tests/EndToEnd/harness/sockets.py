"""What the kernel decides about sockets: how much they hold, and which ports are in use."""
import os
import socket
from pathlib import Path

LISTEN = 0x0A


def longest_send_buffer():
    """The bytes that the system lets one socket hold for a client that does not read."""
    with open("/proc/sys/net/ipv4/tcp_wmem") as limits:
        return int(limits.read().split()[2])


class RefusingPort:
    """A port of 127.0.0.1 that refuses connections, and that no process can get meanwhile: it is bound, and does not listen."""

    def __init__(self):
        self.sock = socket.socket()
        self.sock.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.sock.getsockname()[1]}"

    def close(self):
        self.sock.close()


def listening_port(pid, address):
    """The port at which a process listens on this address of IPv4; None if there is none."""
    inodes = set()
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            inodes.add(os.readlink(f"/proc/{pid}/fd/{name}"))
        except FileNotFoundError:
            continue  # closed since
    wanted = socket.inet_aton(address)[::-1].hex().upper()
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        columns = line.split()
        host, _, port = columns[1].partition(":")
        if host == wanted and int(columns[3], 16) == LISTEN and f"socket:[{columns[9]}]" in inodes:
            return int(port, 16)
    return None
