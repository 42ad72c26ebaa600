import Downstream
package import Observability
package import Settings

// The files that `tls` names; errors in them are reported at the position where the configuration names them.

extension Configuration.TLS {
    /// The files and settings of TLS.
    ///
    /// - Parameter offersHTTP2: Whether ALPN offers HTTP/2.
    /// - Returns: The files, and the requirements on clients.
    func files(offeringHTTP2 offersHTTP2: Bool) -> TLSFiles {
        var files = TLSFiles(certificate: certificate.path, key: key.path, clientAuthority: clientAuthority?.path)
        files.others = certificates.map { TLSFiles.Pair(certificate: $0.certificate.path, key: $0.key.path) }
        files.requiresClientCertificate = clientCertificates == .required
        files.isTLS13Only = minimumVersion == .tls13
        files.offersHTTP2 = offersHTTP2
        return files
    }

    /// Reads the files, as at the start; blocks on the disk.
    ///
    /// - Parameters:
    ///   - file: The name of the configuration file, with which errors begin.
    ///   - now: The time for which certificates should be valid.
    /// - Returns: Warnings: weir can start, but clients will reject the certificate.
    /// - Throws: All errors.
    package func checkFiles(
        namedIn file: String, at now: Timestamp
    ) throws(ConfigurationErrors) -> [ConfigurationError] {
        let tls: ServerTLS
        do throws(TLSFault) {
            tls = try ServerTLS(files(offeringHTTP2: false))
        } catch {
            throw ConfigurationErrors([complaint(about: error, in: file)])
        }
        let places =
            [("tls.certificate", certificate)] + certificates.map { ("tls.certificates.certificate", $0.certificate) }
        return zip(tls.validities, places).compactMap { validity, place in
            warning(of: validity, at: now).map { complaint(place.0, place.1, in: file, $0) }
        }
    }

    /// An error in a file, at the position where it is named.
    func complaint(about fault: TLSFault, in file: String) -> ConfigurationError {
        switch fault.file {
        case .certificate: complaint("tls.certificate", certificate, in: file, fault.words)
        case .key: complaint("tls.key", key, in: file, fault.words)
        case .otherCertificate(let index):
            complaint("tls.certificates.certificate", certificates[index].certificate, in: file, fault.words)
        case .otherKey(let index): complaint("tls.certificates.key", certificates[index].key, in: file, fault.words)
        case .clientAuthority: complaint("tls.client_ca", clientAuthority ?? certificate, in: file, fault.words)
        }
    }

    private func complaint(
        _ key: String, _ place: WrittenPath, in file: String, _ words: String
    ) -> ConfigurationError {
        ConfigurationError(
            file: file, line: place.line, column: place.column, message: "`\(key)` is \(place.written): \(words)")
    }

    /// Why clients will reject the certificate; `nil` if they may accept it.
    func warning(of validity: ServerTLS.Validity, at now: Timestamp) -> String? {
        let (from, until) = (Timestamp(secondsSince1970: validity.from), Timestamp(secondsSince1970: validity.until))
        if now.millisecondsSince1970 > until.millisecondsSince1970 {
            return "it expired at \(until.rfc3339), and clients refuse it"
        }
        if now.millisecondsSince1970 < from.millisecondsSince1970 {
            return "it is not valid before \(from.rfc3339), and clients refuse it until then"
        }
        return nil
    }
}

extension Timestamp {
    fileprivate init(secondsSince1970 seconds: Int) { self.init(millisecondsSince1970: Int64(seconds) * 1000) }
}

extension TLSFault {
    /// The error in the words of an operator.
    var words: String {
        switch (cause, file) {
        case (.unreadable(let reason), _): "the file cannot be read: \(reason)"
        case (.malformed, .key), (.malformed, .otherKey): "the file holds no private key in PEM, or a damaged one"
        case (.malformed, _): "the file holds no certificate in PEM, or a damaged one"
        case (.encrypted, _): "the key is encrypted; allowed: one without a passphrase"
        case (.foreign, .otherKey): "the key does not belong to the first certificate of its `certificate`"
        case (.foreign, _): "the key does not belong to the first certificate of `tls.certificate`"
        }
    }
}
