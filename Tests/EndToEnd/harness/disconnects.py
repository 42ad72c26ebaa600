"""How a client ends its connection, and what must be left of it in weir once every timer has expired."""
import socket
import struct

from .metrics import Metrics
from .waiting import eventually

ESTABLISHED, FIN_WAIT, CLOSE_WAIT = 0x01, 0x04, 0x08
# Both times of a connection are short, so that a test can wait until they are over.
LIMITS = "{ keepalive_timeout: 1s, header_timeout: 1s }"


def fin(sock):
    """Half-closes: what weir has sent stays unread, and is no reason for a reset."""
    sock.shutdown(socket.SHUT_WR)


def rst(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def tcp_states(proxy):
    """The states of the TCP connections to the public port, by the client's port."""
    states = {}
    with open("/proc/net/tcp") as table:
        for line in table.readlines()[1:]:
            _, local, remote, state, *_ = line.split()
            if int(local.rpartition(":")[2], 16) == proxy.port:
                states[int(remote.rpartition(":")[2], 16)] = int(state, 16)
    return states


def connections(proxy):
    """TCP connections to the public port that weir has not closed."""
    return sum(state in (ESTABLISHED, CLOSE_WAIT) for state in tcp_states(proxy).values())


def is_idle(proxy):
    """Whether weir has no stream, no connection, and holds no bytes."""
    now = Metrics(proxy)
    streams, held = now.total("weir_active_streams"), now.total("weir_buffer_bytes")
    return (streams, held, connections(proxy)) == (0, 0, 0)


def survives(proxy, connect):
    """Waits until the timers of all earlier connections have expired; weir must be alive by then, and hold nothing.

    `connect()` opens a connection. The timers of one that is opened now, and does nothing, expire last.
    """
    last = connect()
    last.sock.settimeout(60)
    while last.sock.recv(65536):
        pass
    last.close()
    eventually(lambda: is_idle(proxy), "no stream, connection or buffer left")
    assert proxy.process.poll() is None, proxy.said()
