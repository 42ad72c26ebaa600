import NIOSSL

/// A certificate chain of the server, and the key of its first certificate.
struct ServerIdentity {
    let chain: [NIOSSLCertificate]
    private let key: NIOSSLPrivateKey

    /// Reads the files; blocks on the disk.
    ///
    /// Whether the key belongs to the certificate is checked with the context.
    ///
    /// - Parameters:
    ///   - pair: The files.
    ///   - certificateFile: What the first is, for errors.
    ///   - keyFile: What the second is.
    /// - Throws: What is wrong with one of them.
    init(
        _ pair: TLSFiles.Pair, as certificateFile: TLSFault.File, _ keyFile: TLSFault.File
    ) throws(TLSFault) {
        chain = try PEMFile.certificates(in: pair.certificate, as: certificateFile)
        key = try PEMFile.privateKey(in: pair.key, as: keyFile)
    }

    /// NIOSSL's usual configuration of a server with this identity.
    var configuration: TLSConfiguration {
        .makeServerConfiguration(certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
    }

    /// The change that a connection needs to present it instead of the one of its context.
    var override: NIOSSLContextConfigurationOverride {
        var override = NIOSSLContextConfigurationOverride()
        override.certificateChain = chain.map { .certificate($0) }
        override.privateKey = .privateKey(key)
        return override
    }

    /// The DNS names of the certificate in lower case, some perhaps with a wildcard.
    var names: [String] {
        chain.first?._subjectAlternativeNames().filter { $0.nameType == .dnsName }.map { name in
            name.contents.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }.lowercased()
        } ?? []
    }
}
