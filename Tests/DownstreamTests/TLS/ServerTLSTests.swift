import NIOCore
import NIOEmbedded
import NIOSSL
import Testing

@testable import Downstream

@Suite struct ServerTLSTests {
    let folder: CertificateFolder

    init() throws { folder = try CertificateFolder() }

    @Test func reportsTheValidityOfTheCertificate() throws {
        let tls = try ServerTLS(folder.files("one.pem", "one.key"))
        let validity = try #require(tls.validities.first)
        #expect(validity.until - validity.from == 36500 * 86400)
    }

    @Test(
        arguments: [
            (
                "missing", "one.key", nil, TLSFault.File.certificate,
                TLSFault.Cause.unreadable("No such file or directory")
            ),
            ("noise", "one.key", nil, .certificate, .malformed), ("one.pem", "noise", nil, .key, .malformed),
            ("one.pem", ".", nil, .key, .unreadable("Is a directory")),
            ("one.pem", "locked.key", nil, .key, .encrypted),
            ("one.pem", "two.key", nil, .key, .foreign),
            ("one.pem", "one.key", "one.key", .clientAuthority, .malformed),
        ] as [(String, String, String?, TLSFault.File, TLSFault.Cause)])
    func namesTheInvalidFile(
        certificate: String, key: String, authority: String?, file: TLSFault.File, cause: TLSFault.Cause
    ) {
        #expect(throws: TLSFault(file: file, cause: cause)) {
            try ServerTLS(folder.files(certificate, key, clientAuthority: authority))
        }
    }

    @Test(arguments: [
        ("noise", "two.key", TLSFault.File.otherCertificate(1), TLSFault.Cause.malformed),
        ("two.pem", "noise", .otherKey(1), .malformed), ("two.pem", "one.key", .otherKey(1), .foreign),
    ]) func namesTheInvalidFileOfAFurtherPair(
        certificate: String, key: String, file: TLSFault.File, cause: TLSFault.Cause
    ) {
        var files = folder.files("one.pem", "one.key")
        files.others = [("two.pem", "two.key"), (certificate, key)].map {
            TLSFiles.Pair(certificate: folder.path($0), key: folder.path($1))
        }
        #expect(throws: TLSFault(file: file, cause: cause)) { try ServerTLS(files) }
    }

    @Test func reportsTheValidityOfEachFile() throws {
        var files = folder.files("one.pem", "one.key")
        files.others = [TLSFiles.Pair(certificate: folder.path("two.pem"), key: folder.path("two.key"))]
        #expect(try ServerTLS(files).validities.map(\.file) == [folder.path("one.pem"), folder.path("two.pem")])
    }

    @Test func aReloadTakesAllOfTheFilesOrNone() throws {
        let tls = try ServerTLS(folder.files("one.pem", "one.key"))
        #expect(try Self.certificate(shownBy: tls) == CertificateFolder.one)
        try folder.write(CertificateFolder.two, to: "one.pem")
        #expect(throws: TLSFault(file: .key, cause: .foreign)) { try tls.reload() }
        #expect(try Self.certificate(shownBy: tls) == CertificateFolder.one)
        try folder.write(CertificateFolder.twoKey, to: "one.key")
        try tls.reload()
        #expect(try Self.certificate(shownBy: tls) == CertificateFolder.two)
        #expect(throws: TLSFault(file: .certificate, cause: .malformed)) {
            try tls.reload(folder.files("noise", "one.key"))
        }
        #expect(tls.files == folder.files("one.pem", "one.key"))
    }

    /// Shakes hands with a connection that is accepted now.
    private static func certificate(shownBy tls: ServerTLS) throws -> String? {
        let pair = try SecurePair(tls)
        let shown = try pair.client.pipeline.syncOperations.nioSSL_peerCertificate()
        return [CertificateFolder.one, CertificateFolder.two].first { text in
            (try? NIOSSLCertificate.fromPEMBytes(Array(text.utf8)).first) == shown
        }
    }

    @Test func bytesAreCountedAsTLSSendsThem() throws {
        let pair = try SecurePair(ServerTLS(folder.files("one.pem", "one.key")))
        let before = pair.cipher.written
        #expect(before > 0)
        try pair.server.writeOutbound(ByteBuffer(repeating: 0, count: 1000))
        let sealed = try pair.server.readOutbound(as: ByteBuffer.self)
        #expect(pair.cipher.written - before == sealed?.readableBytes)
        #expect((sealed?.readableBytes ?? 0) > 1000)
    }

    @Test func anAbortSendsNoCloseNotify() throws {
        let pair = try SecurePair(ServerTLS(folder.files("one.pem", "one.key")))
        pair.cipher.cut()
        pair.server.embeddedEventLoop.run()
        #expect(!pair.server.isActive)
        #expect(try pair.server.readOutbound(as: ByteBuffer.self) == nil)
    }
}

/// Two ends of a connection whose handshake is done.
private struct SecurePair {
    let server = EmbeddedChannel()
    let client = EmbeddedChannel()
    let cipher = TLSOutboundTap()

    init(_ tls: ServerTLS) throws {
        var trusting = TLSConfiguration.makeClientConfiguration()
        trusting.certificateVerification = .none
        let context = try NIOSSLContext(configuration: trusting)
        try server.pipeline.syncOperations.addHandlers(cipher, tls.makeHandler())
        try client.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: context, serverHostname: nil))
        server.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        client.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        var isMoving = true
        while isMoving {
            isMoving = false
            while let bytes = try client.readOutbound(as: ByteBuffer.self) {
                isMoving = true
                try server.writeInbound(bytes)
            }
            while let bytes = try server.readOutbound(as: ByteBuffer.self) {
                isMoving = true
                try client.writeInbound(bytes)
            }
        }
    }
}
