/// A file that the configuration names, and where it names it: what is wrong with the file is told as being wrong there.
package struct WrittenPath: Equatable, Sendable {
    package let path: String
    /// The value as the file has it, variables not filled in, for messages.
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
        /// The server's certificate and those that lead to its root, in PEM.
        package var certificate: WrittenPath
        /// The private key that belongs to it, in PEM.
        package var key: WrittenPath
        /// Who signs the certificates of clients, in PEM; `nil` where clients are not asked for any.
        package var clientAuthority: WrittenPath?
        package var clientCertificates = ClientCertificates.required
        package var minimumVersion = Version.tls12

        package init(certificate: WrittenPath, key: WrittenPath) { (self.certificate, self.key) = (certificate, key) }

        /// What becomes of a client without a certificate; a wrong one is never taken.
        package enum ClientCertificates: String, Equatable, Sendable, CaseIterable {
            case required, optional
        }

        package enum Version: String, Equatable, Sendable, CaseIterable {
            case tls12 = "1.2"
            case tls13 = "1.3"
        }
    }
}
