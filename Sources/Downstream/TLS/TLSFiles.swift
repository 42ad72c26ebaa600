/// The files for the TLS of a listener, all in PEM.
package struct TLSFiles: Equatable, Sendable {
    /// The server's certificate, and after it those that lead to its root.
    package var certificate: String
    package var key: String
    /// Further certificates and their keys, for the names in them.
    package var others: [Pair] = []
    /// The authorities that sign the certificates of clients; `nil` if clients are not asked for any.
    package var clientAuthority: String?
    /// Whether a client without a certificate is rejected.
    package var requiresClientCertificate = false
    /// Whether TLS 1.2 is rejected.
    package var isTLS13Only = false
    /// Whether HTTP/2 is offered in addition to HTTP/1.1.
    package var offersHTTP2 = false

    /// The file of a certificate chain, and that of the key of its first certificate.
    package struct Pair: Equatable, Sendable {
        package let certificate: String
        package let key: String

        package init(certificate: String, key: String) { (self.certificate, self.key) = (certificate, key) }
    }

    package init(certificate: String, key: String, clientAuthority: String? = nil) {
        (self.certificate, self.key, self.clientAuthority) = (certificate, key, clientAuthority)
    }
}

/// What is wrong with one of the files.
package struct TLSFault: Error, Equatable, Sendable {
    package enum File: Equatable, Sendable {
        case certificate, key, clientAuthority
        /// Those of one of ``TLSFiles/others``, by its index.
        case otherCertificate(Int)
        case otherKey(Int)
    }

    package enum Cause: Equatable, Sendable {
        /// With the system's message.
        case unreadable(String)
        /// There is no certificate in it, or no key, or it is damaged.
        case malformed
        /// The key needs a passphrase, which weir cannot ask for.
        case encrypted
        /// The key belongs to another certificate.
        case foreign
    }

    package let file: File
    package let cause: Cause
}
