import Downstream
import Observability
import Settings
import Testing

@testable import Proxy

@Suite struct CertificateFilesTests {
    let tls = Configuration.TLS(
        certificate: WrittenPath(path: "/nowhere/a.pem", written: "`${A}`", line: 3, column: 7),
        key: WrittenPath(path: "/nowhere/a.key", written: "`a.key`", line: 4, column: 8))

    @Test func aMissingFileIsReportedAtItsKey() {
        #expect {
            try tls.checkFiles(namedIn: "proxy.conf", at: Timestamp(millisecondsSince1970: 0))
        } throws: { error in
            "\(error)"
                == "proxy.conf:3:7: `tls.certificate` is `${A}`: the file cannot be read: No such file or directory"
        }
    }

    @Test(
        arguments: [
            (999_000, "it is not valid before 1970-01-01T00:16:40.000Z, and clients refuse it until then"),
            (1_000_000, nil), (2_000_000, nil),
            (2_000_001, "it expired at 1970-01-01T00:33:20.000Z, and clients refuse it"),
        ] as [(Int64, String?)])
    func warnsOfACertificateThatIsNotValid(now: Int64, warning: String?) {
        let validity = ServerTLS.Validity(file: "a.pem", from: 1000, until: 2000)
        #expect(tls.warning(of: validity, at: Timestamp(millisecondsSince1970: now)) == warning)
    }

    @Test func theSettingsOfTheConfigurationArePassedOn() {
        var wanted = tls
        wanted.clientAuthority = tls.key
        wanted.clientCertificates = .optional
        wanted.minimumVersion = .tls13
        let files = wanted.files(offeringHTTP2: true)
        #expect(files.clientAuthority == "/nowhere/a.key")
        #expect(!files.requiresClientCertificate && files.isTLS13Only && files.offersHTTP2)
        wanted.clientCertificates = .required
        #expect(wanted.files(offeringHTTP2: true).requiresClientCertificate)
        #expect(!tls.files(offeringHTTP2: false).isTLS13Only && !tls.files(offeringHTTP2: false).offersHTTP2)
    }
}
