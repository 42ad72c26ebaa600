"""What an origin writes on standard output: a line of JSON for each request as it understood it. All text is ISO-8859-1."""
import hashlib
import json
import os


def trace_of(fields):
    return next((value for name, value in fields if name.lower() == "traceparent"), "")


class Recorder:
    def request(self, connection, method, target, fields, body, complete):
        """`body` is None where it was not read."""
        digest = None if body is None else hashlib.sha256(body).hexdigest()[:16]
        self._write({"connection": connection, "method": method, "target": target, "fields": list(fields), "body": digest,
                     "complete": complete})

    def fault(self, connection, text):
        """It rejected what weir sent."""
        self._write({"connection": connection, "fault": text})

    def listening(self, port):
        self._write({"port": port})

    @staticmethod
    def _write(members):
        os.write(1, (json.dumps(members) + "\n").encode())  # one write, so that threads do not mix their lines
