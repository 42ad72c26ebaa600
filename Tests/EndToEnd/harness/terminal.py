"""A terminal with a command of weir in it, read as xterm would show it."""
import fcntl
import os
import struct
import subprocess
import termios

import pyte

from .waiting import eventually
from .weir import BINARY


def environment(**more):
    """An environment without the terminal and the language of the machine."""
    kept = {name: value for name, value in os.environ.items()
            if name not in {"NO_COLOR", "TERM", "LC_ALL", "LC_CTYPE", "LANG", "WEIR_ADMIN_TOKEN"}}
    return {**kept, "TERM": "xterm-256color", "LANG": "C.UTF-8", **more}


class Terminal:
    """A terminal with `weir ARGUMENTS` in it; its content is read by pyte, which interprets the sequences as xterm does."""

    def __init__(self, *arguments, columns=100, rows=24, **variables):
        self.own, self.theirs = os.openpty()
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self._size(columns, rows)
        os.set_blocking(self.own, False)
        self.before = termios.tcgetattr(self.theirs)
        self.process = subprocess.Popen(
            [BINARY, *arguments], stdin=self.theirs, stdout=self.theirs, stderr=subprocess.PIPE,
            start_new_session=True, env=environment(**variables),
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def _size(self, columns, rows):
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns, rows):
        self.screen.resize(rows, columns)
        self._size(columns, rows)  # the kernel signals the process, by SIGWINCH

    def read(self):
        """Everything written so far."""
        try:
            while data := os.read(self.own, 1 << 16):
                self.raw += data
                self.stream.feed(data)
        except BlockingIOError:
            pass
        return self.raw

    def lines(self):
        self.read()
        return [line.rstrip() for line in self.screen.display]

    def shows(self, text):
        """Waits until a line has it, and returns that line."""
        def found():
            assert self.process.poll() is None, self.process.stderr.read()
            return next((line for line in self.lines() if text in line), None)
        return eventually(found, f"{text!r} on the screen")

    def press(self, keys):
        os.write(self.own, keys.encode())

    def ended(self):
        """Waits for the end; the terminal must be as it was. Returns the exit status."""
        status = self.process.wait(60)
        self.read()
        assert termios.tcgetattr(self.theirs) == self.before
        return status

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()
        os.close(self.own)
        os.close(self.theirs)
