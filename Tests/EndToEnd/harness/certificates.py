"""Certificates made for a test: of weir, of its clients, and of their authorities."""
import ssl

import trustme


class Authority:
    """Signs certificates and writes them where weir finds them: authority.serve("a") makes a.pem and a.key."""

    def __init__(self, folder, ca=None):
        self.folder, self.ca = folder, ca or trustme.CA()
        self.pem = folder / f"ca-{id(self):x}.pem"
        self.ca.cert_pem.write_to_path(self.pem)

    def serve(self, name="server", **options):
        """A certificate of weir's, on the disk; returns the configuration's `tls`."""
        issued = self.ca.issue_cert("localhost", "127.0.0.1", **options)
        return self.write(name, issued)

    def server(self):
        """What an upstream that this authority has signed serves TLS with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert("localhost", "127.0.0.1").configure_cert(context)
        return context

    def write(self, name, issued):
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        issued.private_key_pem.write_to_path(key)
        certificate.write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
        return {"certificate": certificate, "key": key}

    def client(self, name=None, by=None, protocols=("http/1.1",), **options):
        """What a client trusts this authority with; with a name it shows a certificate, signed `by` another one."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        for option, value in options.items():
            setattr(context, option, value)
        self.ca.configure_trust(context)
        context.set_alpn_protocols(list(protocols))
        if name:
            (by or self).ca.issue_cert(f"{name}@example.com").configure_cert(context)
        return context


def yaml(**keys):
    """A mapping of the configuration on one line."""
    return "{ " + ", ".join(f"{key}: {value}" for key, value in keys.items()) + " }"
