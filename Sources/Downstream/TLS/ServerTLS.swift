import Flow
import NIOConcurrencyHelpers
import NIOCore
import NIOSSL

/// The TLS of a listener's connections on every loop, whose files can be replaced while connections are open.
///
/// A connection gets the current context when it is accepted and keeps it. So a new certificate ends no stream.
package final class ServerTLS: Sendable {
    /// When a certificate and all others of its chain are valid, in seconds since 1970.
    package struct Validity: Equatable, Sendable {
        /// The path of the file.
        package let file: String
        package let from: Int
        package let until: Int

        package init(file: String, from: Int, until: Int) { (self.file, self.from, self.until) = (file, from, until) }

        fileprivate init(of chain: [NIOSSLCertificate], in file: String) {
            self.init(
                file: file, from: chain.map { Int($0.notValidBefore) }.max() ?? 0,
                until: chain.map { Int($0.notValidAfter) }.min() ?? 0)
        }
    }

    private struct Loaded {
        let files: TLSFiles
        let context: NIOSSLContext
        let validities: [Validity]
    }

    /// What an idle connection keeps of the buffer it encrypts into; without a bound it would keep its largest batch.
    private static let keptBuffer = 4096
    /// How long to wait for a client to answer `close_notify`, in seconds; the connection is not used any more.
    private static let shutdownTime = Int64(5)

    /// Those of TLS 1.2; all of TLS 1.3 are permitted.
    ///
    /// Only authenticated encryption with ephemeral keys: RFC 9113, appendix A, prohibits all others for HTTP/2.
    private static let ciphers: [NIOTLSCipher] = [
        .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ]

    private let loaded: NIOLockedValueBox<Loaded>

    /// Reads the files; blocks on the disk.
    package init(_ files: TLSFiles) throws(TLSFault) { loaded = NIOLockedValueBox(try Self.load(files)) }

    /// The validity of each certificate file.
    package var validities: [Validity] { loaded.withLockedValue(\.validities) }
    package var files: TLSFiles { loaded.withLockedValue(\.files) }

    /// Reads the files again, or others; blocks on the disk.
    ///
    /// - Parameter files: The files from now on; `nil` for the same ones.
    /// - Throws: What is wrong with one of them; then nothing has changed.
    package func reload(_ files: TLSFiles? = nil) throws(TLSFault) {
        let fresh = try Self.load(files ?? self.files)
        loaded.withLockedValue { $0 = fresh }
    }

    /// The hash of the certificate that the client of a connection presented; `nil` if there is none.
    ///
    /// To be called after the handshake has verified it.
    static func clientCertificate(of channel: any Channel) -> String? {
        guard let certificate = try? channel.pipeline.syncOperations.nioSSL_peerCertificate(),
            let bytes = try? certificate.toDERBytes()
        else { return nil }
        return SHA256.hexDigest(of: bytes)
    }

    /// The handler for the pipeline of a connection that is accepted now.
    func makeHandler() -> NIOSSLServerHandler {
        var configuration = NIOSSLHandler.Configuration()
        configuration.maximumPreservedOutboundBufferCapacity = Self.keptBuffer
        return NIOSSLServerHandler(context: loaded.withLockedValue(\.context), configuration: configuration)
    }

    private static func load(_ files: TLSFiles) throws(TLSFault) -> Loaded {
        let identity = try ServerIdentity(
            TLSFiles.Pair(certificate: files.certificate, key: files.key), as: .certificate, .key)
        var validities = [Validity(of: identity.chain, in: files.certificate)]
        var names = NamedIdentities(standard: identity)
        for (index, pair) in files.others.enumerated() {
            let other = try ServerIdentity(pair, as: .otherCertificate(index), .otherKey(index))
            _ = try context(other.configuration, keyFile: .otherKey(index))
            validities.append(Validity(of: other.chain, in: pair.certificate))
            names.add(other)
        }
        var configuration = identity.configuration
        configuration.minimumTLSVersion = files.isTLS13Only ? .tlsv13 : .tlsv12
        configuration.cipherSuiteValues = Self.ciphers
        configuration.applicationProtocols = files.offersHTTP2 ? ["h2", "http/1.1"] : ["http/1.1"]
        configuration.sslContextCallback = names.selection
        configuration.shutdownTimeout = .seconds(shutdownTime)
        if let authority = files.clientAuthority {
            configuration.trustRoots = .certificates(try PEMFile.certificates(in: authority, as: .clientAuthority))
            configuration.certificateVerification =
                files.requiresClientCertificate ? .noHostnameVerification : .optionalVerification
            configuration.sendCANameList = true
        }
        return Loaded(
            files: files, context: try context(configuration, keyFile: .key), validities: validities)
    }

    private static func context(
        _ configuration: TLSConfiguration, keyFile: TLSFault.File
    ) throws(TLSFault) -> NIOSSLContext {
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            // Each file is well-formed: the remaining cause is that they do not match.
            throw TLSFault(file: keyFile, cause: .foreign)
        }
    }

    /// Checks that a file has authorities; blocks on the disk.
    ///
    /// - Throws: Why it has none.
    package static func checkAuthorities(at path: String) throws(TLSFault) {
        _ = try PEMFile.certificates(in: path, as: .clientAuthority)
    }
}
