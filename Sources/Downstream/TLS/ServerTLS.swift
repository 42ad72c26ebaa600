import Flow
import Glibc
import NIOConcurrencyHelpers
import NIOCore
import NIOSSL

/// The files for the TLS of a listener, all in PEM.
package struct TLSFiles: Equatable, Sendable {
    /// The server's certificate, and after it those that lead to its root.
    package var certificate: String
    package var key: String
    /// The authorities that sign the certificates of clients; `nil` if clients are not asked for any.
    package var clientAuthority: String?
    /// Whether a client without a certificate is rejected.
    package var requiresClientCertificate = false
    /// Whether TLS 1.2 is rejected.
    package var isTLS13Only = false
    /// Whether HTTP/2 is offered in addition to HTTP/1.1.
    package var offersHTTP2 = false

    package init(certificate: String, key: String, clientAuthority: String? = nil) {
        (self.certificate, self.key, self.clientAuthority) = (certificate, key, clientAuthority)
    }
}

/// What is wrong with one of the files.
package struct TLSFault: Error, Equatable, Sendable {
    package enum File: Equatable, Sendable { case certificate, key, clientAuthority }

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
        let chain = try certificates(in: files.certificate, .certificate)
        let key = try privateKey(in: files.key)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = files.isTLS13Only ? .tlsv13 : .tlsv12
        configuration.cipherSuiteValues = Self.ciphers
        configuration.applicationProtocols = files.offersHTTP2 ? ["h2", "http/1.1"] : ["http/1.1"]
        configuration.shutdownTimeout = .seconds(shutdownTime)
        if let authority = files.clientAuthority {
            configuration.trustRoots = .certificates(try certificates(in: authority, .clientAuthority))
            configuration.certificateVerification =
                files.requiresClientCertificate ? .noHostnameVerification : .optionalVerification
            configuration.sendCANameList = true
        }
        let context: NIOSSLContext
        do {
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            // Each file is well-formed: the remaining cause is that they do not match.
            throw TLSFault(file: .key, cause: .foreign)
        }
        return Loaded(
            files: files, context: context, validities: [Validity(of: chain, in: files.certificate)])
    }

    /// Checks that a file has authorities; blocks on the disk.
    ///
    /// - Throws: Why it has none.
    package static func checkAuthorities(at path: String) throws(TLSFault) {
        _ = try certificates(in: path, .clientAuthority)
    }

    private static func certificates(
        in path: String, _ file: TLSFault.File
    ) throws(TLSFault) -> [NIOSSLCertificate] {
        let bytes = try content(of: path, file)
        guard let found = try? NIOSSLCertificate.fromPEMBytes(bytes), !found.isEmpty else {
            throw TLSFault(file: file, cause: .malformed)
        }
        return found
    }

    private static func privateKey(in path: String) throws(TLSFault) -> NIOSSLPrivateKey {
        let bytes = try content(of: path, .key)
        if let key = try? NIOSSLPrivateKey(bytes: bytes, format: .pem) { return key }
        // A word of the first line in PKCS#8, a header of its own in older formats (RFC 1421, section 4.6.1.1).
        let isEncrypted = String(decoding: bytes, as: UTF8.self).contains("ENCRYPTED")
        throw TLSFault(file: .key, cause: isEncrypted ? .encrypted : .malformed)
    }

    /// Far more than any chain has: a larger file is no file of certificates.
    private static let maximumBytes = 1 << 20

    private static func content(of path: String, _ file: TLSFault.File) throws(TLSFault) -> [UInt8] {
        guard let stream = fopen(path, "re") else {
            throw TLSFault(file: file, cause: .unreadable(String(cString: strerror(errno))))
        }
        defer { fclose(stream) }
        var bytes = [UInt8](repeating: 0, count: maximumBytes)
        errno = 0
        let count = fread(&bytes, 1, bytes.count, stream)
        guard ferror(stream) == 0 else {
            throw TLSFault(file: file, cause: .unreadable(String(cString: strerror(errno))))
        }
        return Array(bytes[..<count])
    }
}
