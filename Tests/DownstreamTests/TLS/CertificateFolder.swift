import TestSupport

@testable import Downstream

/// Certificates that are valid for a hundred years, as files; their keys are used for nothing else.
final class CertificateFolder {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        for (name, text) in [
            ("one.pem", Self.one), ("one.key", Self.oneKey), ("two.pem", Self.two), ("two.key", Self.twoKey),
            ("noise", "no PEM at all"), ("locked.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----"),
        ] { try write(text, to: name) }
    }

    func write(_ text: String, to name: String) throws { try directory.write(text, to: name) }

    func path(_ name: String) -> String { directory.path(of: name) }

    func files(_ certificate: String, _ key: String, clientAuthority: String? = nil) -> TLSFiles {
        TLSFiles(
            certificate: path(certificate), key: path(key), clientAuthority: clientAuthority.map { path($0) })
    }

    static let one = """
        -----BEGIN CERTIFICATE-----
        MIIBgzCCASmgAwIBAgIUAoOKMRbcCTdqrdJG7PvkrhmuwCowCgYIKoZIzj0EAwIw
        FjEUMBIGA1UEAwwLb25lLmV4YW1wbGUwIBcNMjYxMTI0MDQ0NzQ1WhgPMjEyNjEw
        MzEwNDQ3NDVaMBYxFDASBgNVBAMMC29uZS5leGFtcGxlMFkwEwYHKoZIzj0CAQYI
        KoZIzj0DAQcDQgAE2llPGUgSVh03KrwoXj2mJCdSoj/l9DPV/8m2IIx2CRzsb7zp
        cvU2hkTqJlw768JfOyzolpRl6zhMlQFCyIhosKNTMFEwHQYDVR0OBBYEFIsfe24q
        pyF8Epm8zcVdqL435Ll+MB8GA1UdIwQYMBaAFIsfe24qpyF8Epm8zcVdqL435Ll+
        MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgAt4JB/JCglGNOKqI
        MbHWxlPP8PArw0REs7i7nv5doUMCIQCNU/fQetFz+HPBDJKNg4b9GslX1EV2oENW
        IV9Th6R+6w==
        -----END CERTIFICATE-----
        """

    static let oneKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgLdhi+WfAxSXeFn2o
        XHy8jvsiy5zHcTnDlPCPueLVl4ChRANCAATaWU8ZSBJWHTcqvChePaYkJ1KiP+X0
        M9X/ybYgjHYJHOxvvOly9TaGROomXDvrwl87LOiWlGXrOEyVAULIiGiw
        -----END PRIVATE KEY-----
        """

    static let two = """
        -----BEGIN CERTIFICATE-----
        MIIBgzCCASmgAwIBAgIUARlkwNXwyH0HA0jH/3VgCQBXMO8wCgYIKoZIzj0EAwIw
        FjEUMBIGA1UEAwwLdHdvLmV4YW1wbGUwIBcNMjYxMTI0MDQ0NzQ1WhgPMjEyNjEw
        MzEwNDQ3NDVaMBYxFDASBgNVBAMMC3R3by5leGFtcGxlMFkwEwYHKoZIzj0CAQYI
        KoZIzj0DAQcDQgAEq9QCit6ww6uKzYf+xWxqvtCwDNwARI+wPv02aCjov8R/efke
        +Icv0LAy0yGjtfvBWU1dLMUJjZbJGGoZUlxrlqNTMFEwHQYDVR0OBBYEFPtWhPAQ
        Tkw0BzTwwopQTkxbMZEtMB8GA1UdIwQYMBaAFPtWhPAQTkw0BzTwwopQTkxbMZEt
        MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgRyUGudn4h6Wrn/4a
        MSTEEMDlJa6RU+DWLqPgq8Rr4iQCIQDNieidQad50Dc6peA4NIpD+ey8xMnR8d71
        Q9TmeZQUgQ==
        -----END CERTIFICATE-----
        """

    static let twoKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgx1ybQNtMQA/X2yw2
        576VaYXdVhUH5Lm25InGbfGHRr2hRANCAASr1AKK3rDDq4rNh/7FbGq+0LAM3ABE
        j7A+/TZoKOi/xH95+R74hy/QsDLTIaO1+8FZTV0sxQmNlskYahlSXGuW
        -----END PRIVATE KEY-----
        """
}
