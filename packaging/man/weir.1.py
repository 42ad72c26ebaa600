#!/usr/bin/env python3
"""Writes the manual page weir(1), in man(7), from `weir --experimental-dump-help`: weir.1.py VERSION < dump"""
import json
import sys

PAGE = r""".TH WEIR 1 "" "weir {version}" "User Commands"
.SH NAME
weir \- reverse proxy that enforces backpressure on streams
.SH SYNOPSIS
{synopsis}
.SH DESCRIPTION
weir delivers streamed HTTP responses (NDJSON, server-sent events, JSON text sequences) at an agreed rate, from a bounded buffer.
It pauses an upstream that is faster than its client, and disconnects a client that does not read.
The configuration is described in
.BR weir\-proxy.conf (5).
.SH COMMANDS
{commands}
.SH SIGNALS
.TP
.BR SIGTERM ", " SIGINT
Drain: no more connections are accepted, and open streams end after a whole record, spread over
.IR shutdown_grace .
A second signal ends the process at once.
.TP
.B SIGHUP
Read the configuration again and apply all of it, or nothing if it has an error.
.TP
.B SIGUSR1
Reopen the access log.
.SH ENVIRONMENT
.TP
.B LISTEN_FDS\fR, \fBLISTEN_PID
Listening sockets of the service manager; see
.BR sd_listen_fds (3).
.TP
.B NOTIFY_SOCKET
Where weir reports that it is ready, reloads or stops; see
.BR sd_notify (3).
.TP
.B WEIR_ADMIN_TOKEN
The token of the admin listener, for
.BR "weir top" .
.TP
.B NO_COLOR
If it is set,
.B weir top
uses no colours.
.SH FILES
.TP
.I /etc/weir/proxy.conf
The configuration of the systemd unit.
.TP
.I /etc/weir/environment
Variables for it, such as secrets.
.TP
.I /var/log/weir/access.log
Its access log.
.SH SEE ALSO
.BR weir\-proxy.conf (5),
.I /usr/share/doc/weir
"""


def text(words):
    """Plain text as man(7) input: no line begins with a control character, and `-` is not a hyphen."""
    escaped = words.replace("\\", r"\e").replace("-", r"\-")
    return "\n".join(r"\&" + line if line.startswith((".", "'")) else line for line in escaped.splitlines())


def name(argument):
    """How an argument is written: `-c, --config <path>`."""
    names = ["-" * (1 if each["kind"] == "short" else 2) + each["name"] for each in argument.get("names", [])]
    value = f"<{argument['valueName']}>"
    if argument["kind"] == "positional":
        return rf"\fI{text(value)}\fR" + (" ..." if argument["isRepeating"] else "")
    written = ", ".join(rf"\fB{text(each)}\fR" for each in names)
    return written + (rf" \fI{text(value)}\fR" if argument["kind"] == "option" else "")


def command(path, described):
    """The section of a command."""
    yield rf".SS {' '.join(path)}"
    yield text(described.get("abstract", ""))
    for paragraph in described.get("discussion", "").split("\n\n"):
        if paragraph.strip():
            yield f".PP\n{text(paragraph.strip())}"
    for argument in described.get("arguments", []):
        if argument["shouldDisplay"] and argument["valueName"] not in ("help", "version"):
            default = f" The default is {argument['defaultValue']}." if argument.get("defaultValue") else ""
            yield f".TP\n{name(argument)}\n{text(argument.get('abstract', '') + default)}"


def main():
    root = json.load(sys.stdin)["command"]
    commands = [each for each in root["subcommands"] if each["shouldDisplay"] and each["commandName"] != "help"]
    synopsis = "\n.br\n".join(rf".B weir {each['commandName']}" + "\n.RI [ options ]" for each in commands)
    sections = "\n".join(line for each in commands for line in command(["weir", each["commandName"]], each))
    print(PAGE.replace("{version}", sys.argv[1]).replace("{synopsis}", synopsis).replace("{commands}", sections), end="")


main()
