"""What the kernel decides about sockets: how much they hold, which ports are free, and what arrives."""
import ctypes
import socket
import struct

SO_ATTACH_FILTER = 26


def longest_send_buffer():
    """The bytes that the system lets one socket hold for a client that does not read."""
    with open("/proc/sys/net/ipv4/tcp_wmem") as limits:
        return int(limits.read().split()[2])


def vanish(sock):
    """From now on nothing arrives at a socket, and nothing is acknowledged: as if its host had lost the network.

    A filter of socket(7) that keeps 0 bytes of each packet (BPF_RET).
    """
    drop = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
    program = struct.pack("HxxxxxxP", 1, ctypes.addressof(drop))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


class ReservedPort:
    """A port of 127.0.0.1 that the system gives to no other socket; connections to it are refused until a process listens on it.

    A process can, because both sockets allow the reuse of the address and this one does not listen.
    """

    def __init__(self):
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind(("127.0.0.1", 0))
        self.number = self.sock.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.number}"

    def close(self):
        self.sock.close()
