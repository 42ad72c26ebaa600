#!/usr/bin/env python3
"""Writes the manual page weir-proxy.conf(5), in man(7), from proxy.conf.example: weir-proxy.conf.5.py VERSION < example"""
import sys

PAGE = r""".TH WEIR-PROXY.CONF 5 "" "weir {version}" "File Formats"
.SH NAME
weir\-proxy.conf \- configuration of weir
.SH DESCRIPTION
The file is YAML.
.B weir check \-c
.I file
reports every error in it with its line and column.
.B $\fR{\fINAME\fR}
is replaced by an environment variable.
The following is an example with every key, its values and its default.
.SH EXAMPLE
.nf
{example}
.fi
.SH SEE ALSO
.BR weir (1)
"""


def literal(line):
    escaped = line.replace("\\", r"\e").replace("-", r"\-")
    return r"\&" + escaped if escaped.startswith((".", "'")) else escaped


example = "\n".join(literal(line) for line in sys.stdin.read().splitlines())
print(PAGE.replace("{version}", sys.argv[1]).replace("{example}", example), end="")
