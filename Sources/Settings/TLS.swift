/// A file that the configuration names, and the position of its name, at which errors of the file are reported.
package struct WrittenPath: Equatable, Sendable {
    package let path: String
    /// The value as written, before variables are filled in, for messages.
    package let written: String
    /// Counted from 1.
    package let line: Int
    /// Counted from 1, in Unicode scalars.
    package let column: Int

    package init(path: String, written: String, line: Int, column: Int) {
        (self.path, self.written, self.line, self.column) = (path, written, line, column)
    }
}

extension Configuration {
    /// TLS on the public listeners.
    package struct TLS: Equatable, Sendable {
        /// The server's certificate chain, in PEM.
        package var certificate: WrittenPath
        /// The private key that belongs to it, in PEM.
        package var key: WrittenPath
        /// Further ones, for other names; ``certificate`` is for all that none of these is for.
        package var certificates: [Certificate] = []
        /// The certificate authority of clients, in PEM; `nil` if client certificates are not requested.
        package var clientAuthority: WrittenPath?
        package var clientCertificates = ClientCertificates.required
        package var minimumVersion = Version.tls12

        package init(certificate: WrittenPath, key: WrittenPath) { (self.certificate, self.key) = (certificate, key) }

        /// A certificate chain and its private key, in PEM.
        package struct Certificate: Equatable, Sendable {
            package var certificate: WrittenPath
            package var key: WrittenPath
        }

        /// Whether a client without a certificate is accepted; an invalid one is never accepted.
        package enum ClientCertificates: String, Equatable, Sendable, CaseIterable {
            case required, optional
        }

        package enum Version: String, Equatable, Sendable, CaseIterable {
            case tls12 = "1.2"
            case tls13 = "1.3"
        }
    }
}
