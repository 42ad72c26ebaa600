import Downstream
import Logging
import Observability
import Settings

// Certificates are replaced while weir runs.

extension Server {
    /// The TLS of the public listeners; `nil` where they have none.
    static func makeTLS(_ configuration: Configuration) throws -> ServerTLS? {
        guard let settings = configuration.tls else { return nil }
        var files = settings.files
        files.offersHTTP2 = configuration.http2 != nil
        do throws(TLSFault) {
            return try ServerTLS(files)
        } catch {
            throw BindError(description: settings.complaint(about: error, in: "").message)
        }
    }

    /// Reads the certificate files again: connections that come from now on get what is in them, open ones go on.
    ///
    /// Nothing changes where one of the files is not right. Blocks on the disk.
    package func reloadCertificates() {
        guard let settings, let tls else { return }
        do throws(TLSFault) {
            try tls.reload()
        } catch {
            return log.error(
                "the certificates stay as they were",
                metadata: ["error": "\(settings.complaint(about: error, in: "").message)"])
        }
        if let warning = settings.warning(of: tls.validity, at: Timestamp.now()) {
            log.warning("certificates are read again", metadata: ["warning": "\(warning)"])
        } else {
            log.notice("certificates are read again")
        }
    }

    private var settings: Configuration.TLS? { configuration.tls }
}
